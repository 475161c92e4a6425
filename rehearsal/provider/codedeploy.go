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
		inputs: schema{
			"name":            deployName(),
			"computePlatform": text().oneOf("Server").or("Server").replaces(),
		},
		autoname: &autoname{"name", 100},
		tagged:   true,
		unique:   []string{"name"}, taken: "ApplicationAlreadyExistsException: Application already exists: %s",
		id: func(*call) string { return uuid.NewString() },
		computed: map[string]output{
			"arn":               func(c *call) any { return c.arn("codedeploy", "application:"+c.in.text("name")) },
			"applicationId":     func(c *call) any { return c.id },
			"linkedToGithub":    constant(false),
			"githubAccountName": constant(""),
		},
	},
	account.DeploymentGroup: {
		inputs: schema{
			"appName":             text().need().names(applicationByName).replaces(),
			"deploymentGroupName": deployName().need(),
			"serviceRoleArn":      text().need().arn("iam").names(roleByARN),
			"deploymentConfigName": text().or("CodeDeployDefault.OneAtATime").
				oneOf("CodeDeployDefault.OneAtATime", "CodeDeployDefault.HalfAtATime", "CodeDeployDefault.AllAtOnce"),
			"deploymentStyle": block(schema{
				"deploymentType":   text().oneOf("IN_PLACE").or("IN_PLACE"),
				"deploymentOption": text().oneOf("WITHOUT_TRAFFIC_CONTROL").or("WITHOUT_TRAFFIC_CONTROL"),
			}),
			"ec2TagFilters": set(tagFilter()),
			"ec2TagSets":    set(block(schema{"ec2TagFilters": set(tagFilter()).need().length(1, 10)})).length(0, 3),
			"autoRollbackConfiguration": block(schema{
				"enabled": flag().or(false),
				"events":  set(text().oneOf("DEPLOYMENT_FAILURE", "DEPLOYMENT_STOP_ON_ALARM", "DEPLOYMENT_STOP_ON_REQUEST")),
			}),
		},
		tagged: true,
		check:  checkDeploymentGroup,
		verify: func(c *call, r *report) {
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

func tagFilter() property {
	return block(schema{
		"key":   text().length(0, 128),
		"value": text().length(0, 256),
		"type":  text().oneOf("KEY_ONLY", "VALUE_ONLY", "KEY_AND_VALUE"),
	})
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
