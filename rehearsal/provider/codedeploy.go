package provider

import (
	"fmt"
	"strings"

	"github.com/google/uuid"

	"cicd/rehearsal/aws/account"
)

var applicationByName = named(account.Application, "name", "ApplicationDoesNotExistException: No application found for name: %s")

// deployKinds are CodeDeploy's types, for in-place deployments to EC2.
// Source: CodeDeploy API Reference, CreateApplication and CreateDeploymentGroup.
var deployKinds = map[string]kind{
	account.Application: {
		source: "deploy/app.go",
		inputs: schema{
			"name":            deployName().at(87),
			"computePlatform": text().oneOf("Server").or("Server").replaces().at(72),
		},
		autoname: &autoname{"name", 100},
		tagged:   true,
		unique:   []string{"name"}, taken: "ApplicationAlreadyExistsException: Application already exists: %s",
		id: func(c *call) string { return uuid.NewString() + ":" + c.in.text("name") }, // deploy/app.go, appCreateResourceID
		computed: map[string]output{
			"arn":               func(c *call) any { return c.arn("codedeploy", "application:"+c.in.text("name")) },
			"applicationId":     func(c *call) any { id, _, _ := strings.Cut(c.id, ":"); return id },
			"linkedToGithub":    constant(false),
			"githubAccountName": constant(""),
		},
	},
	account.DeploymentGroup: {
		source: "deploy/deployment_group.go",
		inputs: schema{
			"appName":             text().need().names(applicationByName).at(93),
			"deploymentGroupName": deployName().need().at(201),
			"serviceRoleArn":      text().need().arn("iam").names(roleByARN).at(416),
			"deploymentConfigName": text().or("CodeDeployDefault.OneAtATime").
				oneOf("CodeDeployDefault.OneAtATime", "CodeDeployDefault.HalfAtATime", "CodeDeployDefault.AllAtOnce").at(191),
			"deploymentStyle": block(schema{
				"deploymentType":   text().oneOf("IN_PLACE").or("IN_PLACE").at(219),
				"deploymentOption": text().oneOf("WITHOUT_TRAFFIC_CONTROL").or("WITHOUT_TRAFFIC_CONTROL").at(213),
			}).suppresses().at(206),
			"ec2TagFilters": set(tagFilter(233, 242, 237)).at(228),
			"ec2TagSets":    set(block(schema{"ec2TagFilters": set(tagFilter(259, 268, 263)).need().length(1, 10).at(254)})).length(0, 3).at(249),
			"autoRollbackConfiguration": block(schema{
				"enabled": flag().or(false).at(108),
				"events":  set(text().oneOf("DEPLOYMENT_FAILURE", "DEPLOYMENT_STOP_ON_ALARM", "DEPLOYMENT_STOP_ON_REQUEST")).at(112),
			}).at(102),
		},
		tagged: true,
		check:  checkDeploymentGroup,
		verify: func(c *call, r *report) {
			verifyApplication(c, r)
			c.assumable("serviceRoleArn", "codedeploy.amazonaws.com", groupARN(c), "InvalidRoleException: AWS CodeDeploy does not have the permissions required to assume the role "+c.in.text("serviceRoleArn"), r)
		},
		unique: []string{"appName", "deploymentGroupName"}, taken: "DeploymentGroupAlreadyExistsException: Deployment group name already exists: %s",
		id: func(*call) string { return uuid.NewString() },
		computed: map[string]output{
			"arn":               func(c *call) any { return groupARN(c) },
			"deploymentGroupId": func(c *call) any { return c.id },
			"computePlatform":   constant("Server"),
		},
	},
}

func deployName() property { return text().length(1, 100).match(`[A-Za-z0-9._+=,@-]+`) }

// tagFilter is a filter whose properties are at these lines of the source.
func tagFilter(key, value, typ int) property {
	return block(schema{
		"key":   text().length(0, 128).at(key),
		"value": text().length(0, 256).at(value),
		"type":  text().oneOf("KEY_ONLY", "VALUE_ONLY", "KEY_AND_VALUE").at(typ),
	})
}

// verifyApplication rejects another application: the provider updates the group in place, and CodeDeploy looks for its
// name in the new application. Source: deploy/deployment_group.go, resourceDeploymentGroupUpdate.
func verifyApplication(c *call, r *report) {
	if before := c.old.text("appName"); before != "" && before != c.in.text("appName") {
		r.add("appName", "DeploymentGroupDoesNotExistException: No Deployment Group found for name: %s (in application %s; "+
			"another application needs a new group: give it another logical name)", c.old.text("deploymentGroupName"), c.in.text("appName"))
	}
}

func groupARN(c *call) string {
	return c.arn("codedeploy", "deploymentgroup:"+c.in.text("appName")+"/"+c.in.text("deploymentGroupName"))
}

// checkDeploymentGroup reports incomplete targets and rollback settings.
func checkDeploymentGroup(c *call, r *report) {
	if c.in.has("ec2TagFilters") && c.in.has("ec2TagSets") {
		r.add("ec2TagSets", "InvalidEC2TagCombinationException: specify ec2TagFilters or ec2TagSets, not both")
	}
	checkTagFilters("ec2TagFilters", c.in, r)
	for i, tags := range c.in.blocks("ec2TagSets") {
		checkTagFilters(join(fmt.Sprintf("ec2TagSets[%d]", i), "ec2TagFilters"), tags, r)
	}
	rollback := c.in.block("autoRollbackConfiguration")
	if rollback.flag("enabled") && len(rollback.texts("events")) == 0 && !rollback.pending("events") {
		r.add("autoRollbackConfiguration.events", "InvalidAutoRollbackConfigException: enabled rollback needs at least one event")
	}
}

// checkTagFilters requires the parts that a filter's type names.
func checkTagFilters(path string, v values, r *report) {
	for i, filter := range v.blocks("ec2TagFilters") {
		typ := filter.text("type")
		switch {
		case filter == nil || filter.pending("type"):
			continue
		case typ == "":
			r.add(fmt.Sprintf("%s[%d].type", path, i), "InvalidTagFilterException: type is required")
			continue
		}
		for _, part := range []string{"key", "value"} {
			if strings.Contains(typ, strings.ToUpper(part)) != filter.has(part) {
				r.add(fmt.Sprintf("%s[%d].%s", path, i, part), "InvalidTagFilterException: filter of type %s: %s must be given exactly when the type names it", typ, part)
			}
		}
	}
}
