package provider

import (
	"reflect"

	"cicd/rehearsal/aws/account"
)

const intervalUnits = "HOURS"

// snapshotKinds are the policies of Data Lifecycle Manager, of those for snapshots what a daily one needs. Sources: DLM
// API Reference, LifecyclePolicy, PolicyDetails, Schedule, CreateRule and RetainRule.
var snapshotKinds = map[string]kind{
	account.SnapshotPolicy: {
		source: "later:dlm/lifecycle_policy.go",
		inputs: schema{
			"description":      text().need().length(1, 500).match(`[0-9A-Za-z _-]+`).at(47),
			"executionRoleArn": text().need().arn("iam").names(named(account.Role, "arn", "InvalidRequestException: the role %s does not exist")).at(55),
			"policyDetails": block(schema{
				"policyType":    text().oneOf("EBS_SNAPSHOT_MANAGEMENT").or("EBS_SNAPSHOT_MANAGEMENT").at(213),
				"resourceTypes": list(text().oneOf("VOLUME", "INSTANCE")).length(1, 1).at(177),
				"schedules": blocks(schema{
					"name":     text().need().length(0, 120).at(394),
					"copyTags": flag().keeps(false).replaces().at(226),
					"createRule": block(schema{
						"interval":     number().rule(checkInterval).at(243),
						"intervalUnit": text().oneOf(intervalUnits).keeps(intervalUnits).at(248),
						"times":        text().match(`(0[0-9]|1[0-9]|2[0-3]):[0-5][0-9]`).keeps(nil).at(260),
					}).need().at(232),
					"retainRule": block(schema{
						"count":        number().length(1, 1000).at(405),
						"interval":     number().length(1, 36500).at(410),
						"intervalUnit": text().oneOf("DAYS", "WEEKS", "MONTHS", "YEARS").at(415),
					}).need().at(399),
					"tagsToAdd": dictionary(text()).at(451),
				}).length(1, 4).at(219),
				"targetTags": dictionary(text()).length(1, 50).at(464),
			}).need().at(60),
			"state": text().oneOf("ENABLED", "DISABLED").or("ENABLED").at(472),
		},
		tagged: true,
		check:  checkSchedules,
		verify: verifyTargets,
		id:     func(c *call) string { return newID("policy") },
		computed: map[string]output{
			"arn": arnOf("dlm", "policy/%s"),
		},
	},
}

// checkInterval allows the hours between two snapshots that the provider does.
func checkInterval(v any) string {
	switch v {
	case 1.0, 2.0, 3.0, 4.0, 6.0, 8.0, 12.0, 24.0:
		return ""
	}
	return "expected one of 1, 2, 3, 4, 6, 8, 12, 24"
}

// checkSchedules requires a number or an age in every rule for what is kept (DLM API Reference, RetainRule: "Specify
// either Count or Interval and IntervalUnit").
func checkSchedules(c *call, r *report) {
	for _, schedule := range c.in.block("policyDetails").blocks("schedules") {
		retain := schedule.block("retainRule")
		if schedule.unknown("retainRule") || schedule.unknown("createRule") || len(schedule) == 0 {
			continue
		}
		if retain.has("count") == retain.has("interval") || retain.has("interval") != retain.has("intervalUnit") {
			r.add("policyDetails.schedules", "InvalidRequestException: a retain rule needs either a count, or an interval and its unit")
		}
		if !schedule.block("createRule").has("interval") {
			r.add("policyDetails.schedules", "InvalidRequestException: a create rule needs an interval")
		}
	}
}

// verifyTargets rejects a second policy for the same tags (pulumi-aws,
// dlm.LifecyclePolicyPolicyDetailsArgs.TargetTags).
func verifyTargets(c *call, r *report) {
	tags := c.in.block("policyDetails").block("targetTags")
	for _, other := range c.acct.ByType(account.SnapshotPolicy) {
		if other.ID != c.id && reflect.DeepEqual(tags, values(other.Properties).block("policyDetails").block("targetTags")) {
			r.add("policyDetails.targetTags", "InvalidRequestException: policy %s has the same target tags", other.ID)
		}
	}
}
