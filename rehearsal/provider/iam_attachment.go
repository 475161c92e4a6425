package provider

import (
	"fmt"
	"strings"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws/arn"

	"cicd/rehearsal/aws/account"
)

// managedPolicies is how many managed policies a role can have. Source: IAM User Guide, "IAM and AWS STS quotas".
const managedPolicies = 10

// attachmentKinds attach managed policies to roles. A rehearsal takes it on trust that the policy exists, and does not
// have its document. Sources: IAM API Reference, AttachRolePolicy; IAM's messages as the provider's issues quote them.
var attachmentKinds = map[string]kind{
	account.RolePolicyAttachment: {
		source: "later:iam/role_policy_attachment.go",
		inputs: schema{
			"role":      text().need().names(roleByName).replaces().at(46),
			"policyArn": text().need().length(20, 2048).arn("iam").rule(checkAttachable).replaces().at(40),
		},
		verify: verifyAttachment,
		// AWS takes the second, but the first of the two that is deleted detaches the policy.
		unique: []string{"role", "policyArn"}, taken: "another resource already attaches %s to the role; when one of the two is deleted, the policy is detached",
		id: func(c *call) string { return uniqueSuffix(c.in.text("role") + "-") },
	},
}

// checkAttachable rejects what is not a policy, or is one that only a service attaches.
func checkAttachable(v any) string {
	policy, _ := v.(string)
	parsed, err := arn.Parse(policy)
	switch {
	case err != nil:
		return "" // reported already
	case !strings.HasPrefix(parsed.Resource, "policy/"):
		return fmt.Sprintf("InvalidInput: ARN %s is not valid: want one of a managed policy, arn:aws:iam::aws:policy/... or arn:aws:iam::<account>:policy/...", policy)
	case strings.HasPrefix(parsed.Resource, "policy/aws-service-role/"):
		return fmt.Sprintf("PolicyNotAttachable: Cannot attach a Service Role Policy to a Customer Role. (%s)", policy)
	}
	return ""
}

// verifyAttachment rejects another account's policy, which cannot be attached, and one too many.
func verifyAttachment(c *call, r *report) {
	role, policy := c.in.text("role"), c.in.text("policyArn")
	if parsed, _ := arn.Parse(policy); parsed.AccountID != "aws" && parsed.AccountID != c.acct.ID() || parsed.Partition != partitionOf(c.region) {
		r.add("policyArn", "NoSuchEntity: Policy %s does not exist or is not attachable.", policy)
	}
	attached := 0
	for _, other := range c.acct.ByType(account.RolePolicyAttachment) {
		if other.ID != c.id && other.String("role") == role {
			attached++
		}
	}
	if attached >= managedPolicies {
		r.add("policyArn", "LimitExceeded: Cannot exceed quota for PoliciesPerRole: %d", managedPolicies)
	}
}

var suffixes atomic.Uint32

// uniqueSuffix returns the prefix with the time and a number. Source: terraform-plugin-sdk, helper/id/id.go,
// PrefixedUniqueId.
func uniqueSuffix(prefix string) string {
	timestamp := strings.Replace(time.Now().UTC().Format("20060102150405.0000"), ".", "", 1)
	return fmt.Sprintf("%s%s%08x", prefix, timestamp, suffixes.Add(1))
}
