package provider

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"cicd/internal/regions"
	"cicd/rehearsal/aws/account"
)

// buildKinds are CodeBuild's types, for builds in a pipeline. Sources: CodeBuild API Reference, CreateProject;
// CodeBuild User Guide, "Build environment compute modes and types".
var buildKinds = map[string]kind{
	account.Project: {
		source: "codebuild/project.go",
		inputs: schema{
			"name":          text().match(`[A-Za-z0-9][A-Za-z0-9_-]{1,149}`).replaces().at(412),
			"description":   text().length(0, 255).keeps("").at(227),
			"serviceRole":   text().need().arn("iam").names(roleByARN).at(591),
			"buildTimeout":  number().length(5, 2160).or(60.0).at(180),
			"queuedTimeout": number().length(5, 480).or(480.0).at(428),
			"artifacts": block(schema{
				"type":               text().need().oneOf("CODEPIPELINE").at(118),
				"encryptionDisabled": flag().or(false).at(64),
			}).need().at(49),
			"source": block(schema{
				"type":      text().need().oneOf("CODEPIPELINE").at(649),
				"buildspec": text().at(619),
			}).need().at(596),
			"environment": block(schema{
				"computeType":              text().need().oneOf("BUILD_GENERAL1_SMALL", "BUILD_GENERAL1_MEDIUM", "BUILD_GENERAL1_LARGE", "BUILD_GENERAL1_XLARGE", "BUILD_GENERAL1_2XLARGE").at(249),
				"image":                    text().need().length(1, 256).at(276),
				"type":                     text().need().oneOf("LINUX_CONTAINER", "ARM_CONTAINER").at(309),
				"imagePullCredentialsType": text().oneOf("CODEBUILD", "SERVICE_ROLE").or("CODEBUILD").at(280),
				"privilegedMode":           flag().or(false).at(286),
				"environmentVariables": blocks(schema{
					"name":  text().need().length(1, 256).match(`[A-Za-z_][A-Za-z0-9_]*`).at(259),
					"type":  text().oneOf("PLAINTEXT", "PARAMETER_STORE", "SECRETS_MANAGER").or("PLAINTEXT").at(263),
					"value": text().need().at(269),
				}).at(254),
			}).need().at(238),
			"cache": block(schema{
				"type":  text().oneOf("NO_CACHE", "LOCAL").or("NO_CACHE").at(213),
				"modes": list(text().oneOf("LOCAL_SOURCE_CACHE", "LOCAL_DOCKER_LAYER_CACHE", "LOCAL_CUSTOM_CACHE")).at(205),
			}).suppresses().at(194),
			"logsConfig": block(schema{
				"cloudwatchLogs": block(schema{
					"groupName":  text().names(logGroupByName).at(359),
					"streamName": text().at(369),
					"status":     text().oneOf("ENABLED", "DISABLED").or("ENABLED").at(363),
				}).suppresses().at(353),
			}).suppresses().at(347),
		},
		autoname: &autoname{"name", 150},
		tagged:   true,
		check:    checkProject,
		verify: func(c *call, r *report) {
			c.verifyOffered(regions.Builds, "codebuild", r)
			c.assumable("serviceRole", "codebuild.amazonaws.com", projectARN(c), "InvalidInputException: CodeBuild is not authorized to perform: sts:AssumeRole on "+c.in.text("serviceRole"), r)
		},
		unique: []string{"name"}, taken: "ResourceAlreadyExistsException: Project already exists: %s",
		id: projectARN,
		computed: map[string]output{
			"arn":           func(c *call) any { return c.id },
			"encryptionKey": func(c *call) any { return c.arn("kms", "alias/aws/s3") },
		},
	},
}

func projectARN(c *call) string { return c.arn("codebuild", "project/"+c.in.text("name")) }

// curatedImage matches an image that CodeBuild provides, and captures the architecture if its name has one.
var curatedImage = regexp.MustCompile(`^aws/codebuild/(?:(?:amazonlinux2?-(x86_64|aarch64)-)?(?:standard|lambda-standard)|ami/.*):[a-z0-9.-]+$`)

// checkProject reports project settings that contradict each other.
func checkProject(c *call, r *report) {
	environment := c.in.block("environment")
	image, typ := environment.text("image"), environment.text("type")
	if match := curatedImage.FindStringSubmatch(image); match != nil {
		if environment.text("imagePullCredentialsType") == "SERVICE_ROLE" {
			r.add("environment.imagePullCredentialsType", "InvalidInputException: SERVICE_ROLE credentials cannot be used with the curated image %s", image)
		}
		if typ != "" && (match[1] == "aarch64") != (typ == "ARM_CONTAINER") {
			r.add("environment.image", "InvalidInputException: the image %s is not for environment type %s", image, typ)
		}
	} else if strings.HasPrefix(image, "aws/codebuild/") {
		r.add("environment.image", "InvalidInputException: there is no curated image %s", image)
	}
	cache := c.in.block("cache")
	if cache.text("type") == "LOCAL" != (len(cache.texts("modes")) > 0) && !cache.pending("modes") && !cache.pending("type") {
		r.add("cache.modes", "InvalidInputException: modes go with cache type LOCAL, and only with it")
	}
	if slices.Contains(cache.texts("modes"), "LOCAL_DOCKER_LAYER_CACHE") && environment != nil && !environment.flag("privilegedMode") && !environment.pending("privilegedMode") {
		r.add("cache.modes", "InvalidInputException: LOCAL_DOCKER_LAYER_CACHE needs privilegedMode")
	}
	seen := map[string]bool{}
	for i, variable := range environment.blocks("environmentVariables") {
		name := variable.text("name")
		if name != "" && seen[name] {
			r.add(fmt.Sprintf("environment.environmentVariables[%d].name", i), "InvalidInputException: Duplicate environment variable %s", name)
		}
		seen[name] = true
		if strings.HasPrefix(name, "CODEBUILD_") {
			r.add(fmt.Sprintf("environment.environmentVariables[%d].name", i), "%s: names that begin with CODEBUILD_ are reserved for CodeBuild", name)
		}
	}
}
