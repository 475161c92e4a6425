package infra

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"
)

// securityRule is one line of the security checklist.
type securityRule struct {
	subject string
	// ids are the rule's names: AWS Foundational Security Best Practices (S3.5), CIS AWS Foundations Benchmark,
	// Checkov (CKV_), Trivy (AWS-); "own" for rules of this project.
	ids  string
	rule string
	// check returns what breaks the rule.
	check func(view) []string
	// reason makes the rule an exception, and says why.
	reason string
}

// Reasons that several exceptions share.
const (
	ownKey = "A customer-managed key costs a dollar a month and must be granted to three roles. The service's key encrypts just as well; " +
		"what is lost is control of the key policy and of rotation"
	oneHost = "A single host whose purpose is to answer the internet. Endpoints are priced by the hour and pay off with a private fleet"
)

// securityRules is the checklist, in the order of docs/security.md.
var securityRules = slices.Concat(deliveryRules, hostRules, accessRules)

// deliveryRules are for what makes releases.
var deliveryRules = []securityRule{
	{"CodeBuild project", "CKV_AWS_78, AWS-0018", "artifacts are encrypted",
		func(v view) []string {
			return v.every(project, func(p props) bool { return p.is("artifacts.encryptionDisabled", false) })
		}, ""},
	{"CodeBuild project", "CKV_AWS_147", "artifacts are encrypted with a customer-managed key",
		func(v view) []string {
			return v.every(project, func(p props) bool { return p.text("encryptionKey") != "" })
		}, ownKey},
	{"CodeBuild project", "CodeBuild.4, CKV_AWS_314", "builds are logged",
		func(v view) []string {
			return v.every(project, func(p props) bool { return p.is("logsConfig.cloudwatchLogs.status", "ENABLED") })
		}, ""},
	{"CodeBuild project", "CodeBuild.3, CKV_AWS_311", "no log goes to S3 in the clear",
		func(v view) []string {
			return v.every(project, func(p props) bool { return p.at("logsConfig.s3Logs") == nil })
		}, ""},
	{"CodeBuild project", "CodeBuild.5, CKV_AWS_316", "builds are not privileged",
		func(v view) []string {
			return v.every(project, func(p props) bool { return p.is("environment.privilegedMode", false) })
		}, "Docker needs privileges to build the image (F17). The build's role can push images and bundles, and nothing else"},
	{"CodeBuild project", "CodeBuild.2", "no secret is in the environment: CodeBuild fetches those of buildSecrets",
		func(v view) []string {
			return v.every(project, func(p props) bool {
				variables, _ := p.at("environment.environmentVariables").([]any)
				return !slices.ContainsFunc(variables, func(one any) bool {
					variable := one.(map[string]any)
					return variable["type"] == "PLAINTEXT" && secretName.MatchString(variable["name"].(string))
				})
			})
		}, ""},
	{"CodeBuild project", "CodeBuild.1, CodeBuild.7", "no credentials of a source host, and no report group",
		func(v view) []string {
			return append(v.none("codebuild/sourceCredential:SourceCredential"), v.none("codebuild/reportGroup:ReportGroup")...)
		}, ""},

	{"CodeBuild project", "own", "with deployScripts: stack, the commands, and the sum of the scripts that they run, are in the project, not in the repository",
		func(v view) []string {
			return v.every(project, func(p props) bool {
				variables, _ := json.Marshal(p.at("environment.environmentVariables"))
				fromStack := strings.Contains(string(variables), `"DEPLOY_SCRIPTS_SHA256"`)
				return fromStack == strings.HasPrefix(p.text("source.buildspec"), "version: 0.2\n")
			})
		}, ""},

	{"Pipeline", "CKV_AWS_219", "artifacts are encrypted with a customer-managed key",
		func(v view) []string {
			return v.every("codepipeline/pipeline:Pipeline", func(p props) bool { return p.at("artifactStores.0.encryptionKey") != nil })
		}, ownKey},
	{"Pipeline", "own", "only a commit's id reaches an action, none of its other metadata",
		func(v view) []string {
			return v.every("codepipeline/pipeline:Pipeline", func(p props) bool {
				text, _ := json.Marshal(p.at("stages"))
				for _, m := range regexp.MustCompile(`#\{[^}]*\}`).FindAllString(string(text), -1) {
					if m != commitID {
						return false
					}
				}
				return true
			})
		}, ""},
	{"Deployment", "own", "deployments are in place and roll back automatically",
		func(v view) []string {
			v.asked["codedeploy/application:Application"] = true
			return v.every("codedeploy/deploymentGroup:DeploymentGroup", func(p props) bool { return p.is("autoRollbackConfiguration.enabled", true) })
		}, ""},

	{"ECR repository", "ECR.1, CKV_AWS_163, AWS-0030", "images are scanned when pushed",
		func(v view) []string {
			return v.every(repository, func(p props) bool { return isCache(p) || p.is("imageScanningConfiguration.scanOnPush", true) })
		}, ""},
	{"ECR repository", "ECR.2, CKV_AWS_51, AWS-0031", "no tag is ever overwritten",
		func(v view) []string {
			return v.every(repository, func(p props) bool { return isCache(p) || p.is("imageTagMutability", "IMMUTABLE") })
		}, ""},
	{"Layer cache", "ECR.1, CKV_AWS_163, AWS-0030", "what is pushed is scanned",
		func(v view) []string {
			return v.every(repository, func(p props) bool { return !isCache(p) || p.is("imageScanningConfiguration.scanOnPush", true) })
		}, "It has layers, and of the images that are made of them, those that are released are scanned"},
	{"Layer cache", "ECR.2, CKV_AWS_51, AWS-0031", "no tag is ever overwritten",
		func(v view) []string {
			return v.every(repository, func(p props) bool { return !isCache(p) || p.is("imageTagMutability", "IMMUTABLE") })
		}, "Each build overwrites what the one before has left. BuildKit finds layers by what they are made of, not by a tag"},
	{"Layer cache", "own", "only builds reach it, so nothing in it is run without having been built, pushed and scanned",
		func(v view) []string {
			return v.every(rolePolicy, func(p props) bool {
				return strings.HasSuffix(p.text("role"), "-build") || !strings.Contains(p.text("policy"), "-cache")
			})
		}, ""},
	{"ECR repository", "ECR.3", "a lifecycle policy removes old images",
		func(v view) []string {
			return v.every(repository, v.has(repository, "ecr/lifecyclePolicy:LifecyclePolicy"))
		}, ""},
	{"ECR repository", "ECR.5, CKV_AWS_136, AWS-0033", "images are encrypted with a KMS key",
		func(v view) []string {
			return v.every(repository, func(p props) bool { return p.is("encryptionConfigurations.0.encryptionType", "KMS") })
		}, ownKey},
	{"ECR repository", "CKV_AWS_32, AWS-0032", "no policy opens it to others",
		func(v view) []string { return v.none("ecr/repositoryPolicy:RepositoryPolicy") }, ""},
}
