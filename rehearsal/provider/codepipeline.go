package provider

import (
	"fmt"
	"strings"

	"cicd/internal/regions"
	"cicd/rehearsal/aws/account"
)

// Patterns and limits. Source: CodePipeline API Reference and User Guide, "Quotas in AWS CodePipeline".
const (
	pipelineName  = `[A-Za-z0-9.@_-]{1,100}` // of pipelines, stages and actions
	artifactName  = `[A-Za-z0-9_-]{1,100}`
	namespaceName = `[A-Za-z0-9@_-]{1,100}`
	variableName  = `[A-Za-z0-9@_-]{1,128}`
)

// WebhookRegistered is a property of recorded pipelines that the real provider does not have; the engine hides names
// with two underscores from users. It says whether the connection was AVAILABLE when the pipeline was created or last
// updated: a pipeline created while it was PENDING starts on no push (F2).
const WebhookRegistered = "__webhookRegistered"

// pipelineKinds are CodePipeline's types, for pipelines in one region without stage conditions.
var pipelineKinds = map[string]kind{
	account.Pipeline: {
		source: "codepipeline/codepipeline.go",
		inputs: schema{
			"name":           text().match(pipelineName).replaces().at(103),
			"pipelineType":   text().oneOf("V1", "V2").or("V1").at(112),
			"executionMode":  text().oneOf("SUPERSEDED", "QUEUED", "PARALLEL").or("SUPERSEDED").at(97),
			"roleArn":        text().need().arn("iam").names(roleByARN).at(118),
			"artifactStores": set(block(artifactStore)).need().length(1, 1).at(58),
			"stages":         blocks(stage).need().length(2, 50).at(123),
			"triggers":       blocks(trigger).length(0, 50).at(225),
			"variables": blocks(schema{
				"name":         text().need().match(variableName).at(444),
				"defaultValue": text().length(1, 1000).at(436),
				"description":  text().length(0, 200).at(440),
			}).length(0, 50).at(431),
		},
		autoname: &autoname{"name", 100},
		tagged:   true,
		check:    checkPipeline,
		verify:   verifyPipeline,
		unique:   []string{"name"}, taken: "PipelineNameInUseException: A pipeline with the name '%s' already exists in this account and region",
		id: input("name"),
		computed: map[string]output{
			"arn":             pipelineARN,
			WebhookRegistered: webhookRegistered,
		},
	},
}

var artifactStore = schema{
	"location": text().need().names(bucketByName).at(81),
	"type":     text().need().oneOf("S3").at(89),
	"encryptionKey": block(schema{
		"id":   text().need().names(keyByName).at(69),
		"type": text().need().oneOf("KMS").at(73),
	}).at(63),
}

var stage = schema{
	"name": text().need().match(pipelineName).at(212),
	"actions": blocks(schema{
		"name":             text().need().match(pipelineName).at(154),
		"category":         text().need().oneOf("Source", "Build", "Test", "Deploy", "Approval").at(134),
		"owner":            text().need().oneOf("AWS").at(175),
		"provider":         text().need().at(180),
		"version":          text().need().match(`[0-9A-Za-z_-]{1,9}`).at(201),
		"configuration":    dictionary(text().length(1, 1000)).length(0, 50).at(139),
		"inputArtifacts":   list(text().match(artifactName)).at(149),
		"outputArtifacts":  list(text().match(artifactName)).at(170),
		"namespace":        text().match(namespaceName).at(162),
		"runOrder":         number().length(1, 999).keeps(1.0).at(195),
		"region":           text().keeps(nil).at(185),
		"timeoutInMinutes": number().length(5, 86400).from(sdk + "codepipeline/pulumiTypes.go:PipelineStageAction"),
	}).need().length(1, 50).at(129),
	"onFailure": block(schema{
		"result": text().oneOf("ROLLBACK", "FAIL", "RETRY", "SKIP").from(sdk + "codepipeline/pulumiTypes.go:PipelineStageOnFailure"),
		"retryConfiguration": block(schema{
			"retryMode": text().oneOf("FAILED_ACTIONS", "ALL_ACTIONS").from(sdk + "codepipeline/pulumiTypes.go:PipelineStageOnFailureRetryConfiguration"),
		}).from(sdk + "codepipeline/pulumiTypes.go:PipelineStageOnFailure"),
	}).from(sdk + "codepipeline/pulumiTypes.go:PipelineStage"),
}

var trigger = schema{
	"providerType": text().need().oneOf("CodeStarSourceConnection").at(423),
	"gitConfiguration": block(schema{
		"sourceActionName": text().need().match(pipelineName).at(412),
		"pushes":           blocks(schema{"branches": patterns(322), "filePaths": patterns(351), "tags": patterns(380)}).length(1, 3).at(315),
		"pullRequests": blocks(schema{
			"branches":  patterns(244),
			"filePaths": patterns(283),
			"events":    list(text().oneOf("OPEN", "UPDATED", "CLOSED")).length(1, 3).at(273),
		}).length(1, 3).at(237),
	}).need().at(231),
}

// patterns are globs for what starts a pipeline, declared from this line on. They are lists: another order is a change
// (F10).
func patterns(line int) property {
	some := list(text().length(1, 255)).length(1, 8)
	return block(schema{"includes": some.at(line + 16), "excludes": some.at(line + 6)}).at(line)
}

func pipelineARN(c *call) any { return c.arn("codepipeline", c.in.text("name")) }

// verifyPipeline reports what CreatePipeline and UpdatePipeline would reject given the contents of the account.
func verifyPipeline(c *call, r *report) {
	role := c.in.text("roleArn")
	c.verifyOffered(regions.Pipelines, "codepipeline", r)
	c.assumable("roleArn", "codepipeline.amazonaws.com", pipelineARN(c).(string), "InvalidStructureException: CodePipeline is not authorized to perform AssumeRole on role "+role, r)
	c.eachAction(func(path string, action values) {
		fault := func(key, format string, args ...any) {
			r.add(path+".configuration."+key, "InvalidActionDeclarationException: "+format, args...)
		}
		configuration := action.block("configuration")
		switch action.text("provider") {
		case providerConnection:
			arn := configuration.text("ConnectionArn")
			if _, ok := c.server.connectionState(c.acct, arn); !ok || !strings.HasPrefix(arn, "arn:"+partitionOf(c.region)+":") {
				fault("ConnectionArn", "Connection %s not found", arn)
			}
		case providerCodeBuild:
			name := configuration.text("ProjectName")
			if _, ok := c.acct.Find(account.Project, "name", name); !ok {
				fault("ProjectName", "CodeBuild project %s does not exist in %s", name, c.region)
			}
		case providerCodeDeploy:
			application, group := configuration.text("ApplicationName"), configuration.text("DeploymentGroupName")
			if _, ok := c.acct.Find(account.Application, "name", application); !ok {
				fault("ApplicationName", "CodeDeploy application %s does not exist in %s", application, c.region)
			} else if !c.hasGroup(application, group) {
				fault("DeploymentGroupName", "CodeDeploy application %s has no deployment group %s", application, group)
			}
		case providerManual:
			topic := configuration.text("NotificationArn")
			if _, ok := c.acct.Find(account.Topic, "arn", topic); !ok && topic != "" {
				fault("NotificationArn", "SNS topic %s does not exist in %s", topic, c.region)
			}
		}
	})
}

// hasGroup reports whether an application has a deployment group.
func (c *call) hasGroup(application, group string) bool {
	for _, r := range c.acct.ByType(account.DeploymentGroup) {
		if r.String("appName") == application && r.String("deploymentGroupName") == group {
			return true
		}
	}
	return false
}

// webhookRegistered reports whether every connection of the pipeline is AVAILABLE.
func webhookRegistered(c *call) any {
	registered := true
	c.eachAction(func(_ string, action values) {
		if action.text("provider") == providerConnection {
			state, _ := c.server.connectionState(c.acct, action.block("configuration").text("ConnectionArn"))
			registered = registered && state == connectionAvailable
		}
	})
	return registered
}

// eachAction visits the pipeline's actions with their property paths.
func (c *call) eachAction(visit func(path string, action values)) {
	for i, stage := range c.in.blocks("stages") {
		for j, action := range stage.blocks("actions") {
			visit(fmt.Sprintf("stages[%d].actions[%d]", i, j), action)
		}
	}
}
