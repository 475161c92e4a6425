package permissions

import (
	"fmt"
	"strings"
)

// need is a call that AWS makes with one of the stack's roles, and the permissions that it needs.
type need struct {
	// role is the role's purpose, as in exemption.
	role string
	// call is what happens, and asked the file in which the rehearsal asks for the permission.
	call, asked string
	actions     []string
	// on says which resource the actions need.
	on string
	// source is where AWS, or the source code of its client, documents that.
	source string
}

// Sources of several rows.
const (
	pipelineGuide = "CodePipeline User Guide, \"Manage the CodePipeline service role\""
	buildGuide    = "CodeBuild User Guide, \"Allow CodeBuild to interact with other AWS services\""
	deployGuide   = "CodeDeploy User Guide, \"Create a service role for CodeDeploy\"; managed policy AWSCodeDeployRole"
	deputyGuide   = "IAM User Guide, \"The confused deputy problem\""
	tokenGuide    = "ECR API Reference, GetAuthorizationToken; the action has no resource type"
	logsGuide     = "CloudWatch Logs User Guide, \"CloudWatch Logs permissions reference\""
	ssmGuide      = "Systems Manager User Guide, \"Restricting access to Parameter Store parameters using IAM policies\""
	buildEnvGuide = "CodeBuild User Guide, \"Build specification reference\", env/parameter-store and env/secrets-manager"
	keyGuide      = "S3 User Guide, \"Using server-side encryption with AWS KMS keys\"; IAM User Guide, \"Forward access sessions\""
)

// needs are all calls of a release, in the order in which they occur. A test compares them with those that a rehearsal
// makes, and docs/permissions.md is generated from them.
var needs = []need{
	{"pipeline", "An action begins", "aws/codepipeline/execution.go", []string{"sts:AssumeRole"},
		"the role, by codepipeline.amazonaws.com for the pipeline", deputyGuide},
	{"pipeline", "Source reads the repository through the connection", "aws/codepipeline/actions.go", []string{"codeconnections:UseConnection"},
		"the connection; the prefix is that of its ARN, so codestar-connections for an older one",
		"CodePipeline User Guide, \"CodeStarSourceConnection\" action reference; Developer Tools console User Guide, \"Connections rename\""},
	{"pipeline", "Source looks at the artifact store", "aws/codepipeline/artifact.go", []string{"s3:GetBucketAcl", "s3:GetBucketLocation", "s3:GetBucketVersioning"},
		"the bucket", pipelineGuide},
	{"pipeline", "Source stores the commit", "aws/codepipeline/artifact.go", []string{"s3:PutObject", "s3:PutObjectAcl"},
		"the object", pipelineGuide + "; aws/aws-cdk issue 13557"},
	{"pipeline", "Build and Deploy take their input artifact", "aws/codepipeline/artifact.go", []string{"s3:GetObject", "s3:GetObjectVersion"},
		"the object", pipelineGuide},
	{"pipeline", "Build starts a build and waits for it", "aws/codepipeline/actions.go", []string{"codebuild:StartBuild", "codebuild:BatchGetBuilds"},
		"the project", "CodePipeline User Guide, \"AWS CodeBuild\" action reference"},
	{"pipeline", "Deploy registers the bundle", "aws/codepipeline/actions.go",
		[]string{"codedeploy:GetApplication", "codedeploy:GetApplicationRevision", "codedeploy:RegisterApplicationRevision"},
		"the application", "CodePipeline User Guide, \"AWS CodeDeploy\" action reference"},
	{"pipeline", "Deploy reads how many hosts at a time", "aws/codepipeline/actions.go", []string{"codedeploy:GetDeploymentConfig"},
		"the deployment configuration", "CodePipeline User Guide, \"AWS CodeDeploy\" action reference"},
	{"pipeline", "Deploy starts a deployment and waits for it", "aws/codepipeline/actions.go", []string{"codedeploy:CreateDeployment", "codedeploy:GetDeployment"},
		"the deployment group", "CodePipeline User Guide, \"AWS CodeDeploy\" action reference"},

	{"build", "A build begins", "aws/codebuild/steps.go", []string{"sts:AssumeRole"},
		"the role, by codebuild.amazonaws.com for the project", deputyGuide},
	{"build", "It opens its log", "aws/codebuild/steps.go", []string{"logs:CreateLogStream", "logs:PutLogEvents"},
		"the log stream; the group exists already, so no logs:CreateLogGroup", buildGuide},
	{"build", "It downloads the commit", "world/build.go", []string{"s3:GetObject", "s3:GetObjectVersion"}, "the object", buildGuide},
	{"build", "It fetches the stack's settings", "aws/s3/store.go", []string{"s3:GetObject"}, "the object", "S3 API Reference, GetObject"},
	{"build", "registry.sh looks the image up", "aws/api/actions.go", []string{"ecr:DescribeImages"}, "the repository", "ECR API Reference, DescribeImages"},
	{"build", "registry.sh logs in", "aws/api/actions.go", []string{"ecr:GetAuthorizationToken"}, "*", tokenGuide},
	{"build", "docker push, layer by layer", "aws/ecr/registry.go",
		[]string{"ecr:BatchCheckLayerAvailability", "ecr:InitiateLayerUpload", "ecr:UploadLayerPart", "ecr:CompleteLayerUpload"},
		"the repository", "ECR User Guide, \"IAM permissions for pushing an image\""},
	{"build", "docker push, the manifest", "aws/ecr/registry.go", []string{"ecr:BatchGetImage", "ecr:PutImage"},
		"the repository", "ECR User Guide, \"IAM permissions for pushing an image\""},
	{"build", "It looks at the artifact store", "world/build.go", []string{"s3:GetBucketAcl", "s3:GetBucketLocation"}, "the bucket", buildGuide},
	{"build", "It stores the bundle", "aws/s3/store.go", []string{"s3:PutObject"}, "the object", buildGuide},

	{"deploy", "A deployment begins", "aws/codedeploy/group.go", []string{"sts:AssumeRole"},
		"the role, by codedeploy.amazonaws.com for a group of the application", deputyGuide},
	{"deploy", "CodeDeploy finds the hosts and watches them", "aws/codedeploy/group.go",
		[]string{"tag:GetResources", "ec2:DescribeInstances", "ec2:DescribeInstanceStatus"}, "*; the actions have no resource type", deployGuide},

	{"host", "The instance gets its credentials", "aws/api/imds.go", []string{"sts:AssumeRole"},
		"the role, by ec2.amazonaws.com, which names no source", "EC2 User Guide, \"IAM roles for Amazon EC2\""},
	{"host", "The agent downloads the bundle", "aws/s3/store.go", []string{"s3:GetObject", "s3:GetObjectVersion"},
		"the object; which of the two depends on whether the revision names a version",
		"AWS CodeDeploy agent, command_executor.rb, download_from_s3; S3 API Reference, GetObject"},
	{"host", "prepare.sh logs in", "aws/api/actions.go", []string{"ecr:GetAuthorizationToken"}, "*", tokenGuide},
	{"host", "docker pull", "aws/ecr/registry.go", []string{"ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"},
		"the repository", "managed policy AmazonEC2ContainerRegistryPullOnly"},
	{"host", "start.sh makes the log streams of a release", "aws/cloudwatchlogs/service.go", []string{"logs:CreateLogStream"},
		"the log stream", logsGuide},
	{"host", "Docker sends what the containers print", "aws/cloudwatchlogs/service.go", []string{"logs:PutLogEvents"},
		"the log stream", "Docker manual, \"Amazon CloudWatch Logs logging driver\"; " + logsGuide},
	{"host", "A person opens a session", "aws/sessionmanager/service.go", []string{
		"ssm:UpdateInstanceInformation", "ssmmessages:CreateControlChannel", "ssmmessages:CreateDataChannel",
		"ssmmessages:OpenControlChannel", "ssmmessages:OpenDataChannel",
	}, "*, as AWS grants them", "Systems Manager User Guide, \"Verify or add instance permissions for Session Manager\""},
}

// keyUse is what S3's KMS calls on a role's behalf need.
const keyUse = "the key, whose policy must delegate to the account or allow the role; kms:ViaService is S3's"

// Uses of keys for secrets that are not the stack's own.
const (
	parameterKeyUse = "the key, whose policy must allow it too; kms:ViaService is SSM's, and the encryption context names the parameter"
	secretKeyUse    = "the key, whose policy must allow it too; kms:ViaService is Secrets Manager's, and the encryption context names the secret"
	parameterKey    = "Systems Manager User Guide, \"AWS KMS encryption for AWS Systems Manager Parameter Store SecureString parameters\""
	secretKey       = "Secrets Manager User Guide, \"Secret encryption and decryption in AWS Secrets Manager\""
)

// furtherNeeds are calls that a stack causes only with some keys of its configuration, or if it declares more than infra/.
var furtherNeeds = []need{
	{"build", "docker build reads the layer cache, and adds to it", "aws/ecr/registry.go", []string{"ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer",
		"ecr:BatchCheckLayerAvailability", "ecr:InitiateLayerUpload", "ecr:UploadLayerPart", "ecr:CompleteLayerUpload", "ecr:PutImage"},
		"the cache's repository", "ECR User Guide, \"IAM permissions for pushing an image\"; managed policy AmazonEC2ContainerRegistryPullOnly"},
	{"build", "CodeBuild fetches the stack's own parameters, and others that it names, for buildSecrets", "aws/ssm/read.go", []string{"ssm:GetParameters"},
		"the parameters", buildEnvGuide},
	{"build", "It reads a parameter of others", "aws/ssm/read.go", []string{"kms:Decrypt"}, parameterKeyUse, parameterKey},
	{"build", "CodeBuild fetches secrets of Secrets Manager for buildSecrets", "aws/secretsmanager/secretsmanager.go", []string{"secretsmanager:GetSecretValue"},
		"the secrets", buildEnvGuide},
	{"build", "It reads such a secret", "aws/secretsmanager/secretsmanager.go", []string{"kms:Decrypt"}, secretKeyUse, secretKey},
	{"build", "It fetches the deployment scripts, with deployScripts: stack", "aws/s3/store.go", []string{"s3:GetObjectVersion"}, "the object", "S3 API Reference, GetObject"},
	{"host", "start.sh fetches the stack's own parameters, and others that it names, for secrets", "aws/ssm/read.go", []string{"ssm:GetParameters"},
		"the stack's path, and the others' parameters", ssmGuide},
	{"host", "It reads a parameter of others", "aws/ssm/read.go", []string{"kms:Decrypt"}, parameterKeyUse, parameterKey},
	{"host", "start.sh fetches secrets of Secrets Manager for secrets", "aws/secretsmanager/secretsmanager.go", []string{"secretsmanager:GetSecretValue"},
		"the secrets", "Secrets Manager API Reference, GetSecretValue"},
	{"host", "It reads such a secret", "aws/secretsmanager/secretsmanager.go", []string{"kms:Decrypt"}, secretKeyUse, secretKey},
	{"host", "start.sh records which versions of the stack's own parameters a release has", "aws/ssm/write.go", []string{"ssm:PutParameter"},
		"the parameter running-release of the stack's path", ssmGuide},
	{"pipeline", "Source stores the commit in a bucket, or for a pipeline, that has a KMS key", "aws/s3/store.go", []string{"kms:GenerateDataKey"}, keyUse, keyGuide},
	{"pipeline", "Build and Deploy take their input artifact from there", "aws/s3/store.go", []string{"kms:Decrypt"}, keyUse, keyGuide},
	{"pipeline", "An approval notifies its topic (NotificationArn)", "aws/codepipeline/actions.go", []string{"sns:Publish"},
		"the topic, whose policy may allow it as well", "CodePipeline User Guide, \"Add a manual approval action to a stage\""},
	{"build", "It downloads the commit from there", "aws/s3/store.go", []string{"kms:Decrypt"}, keyUse, keyGuide},
	{"build", "It stores the bundle in a bucket that has a KMS key", "aws/s3/store.go", []string{"kms:GenerateDataKey"}, keyUse, keyGuide},
	{"host", "The agent downloads the bundle from there", "aws/s3/store.go", []string{"kms:Decrypt"}, keyUse, keyGuide},
}

// permissionsDocument is docs/permissions.md.
func permissionsDocument() string {
	var b strings.Builder
	b.WriteString(`# Permissions

Written by ` + "`go test ./rehearsal/permissions -run TestPermissionsDocument -update`" + ` from rehearsal/permissions/needs_test.go and
rehearsal/permissions/exempt.go. Edit those instead.

` + "`cicd rehearse --permissions`" + ` decides every call of two releases by the declared policies, and compares what is granted
with what was used. It fails for an unused grant, and for a wildcard wider than its use.

## Which call needs what

No role needs a permission on a KMS key for what is the stack's own: the artifacts are encrypted with the account's key for S3,
and its parameters with that for Parameter Store, whose policies admit whoever may use the object or the parameter (KMS Developer
Guide, "AWS managed keys"), and ECR encrypts images by itself.
`)
	titles := map[string]string{"pipeline": "CodePipeline", "build": "CodeBuild", "deploy": "CodeDeploy", "host": "The host"}
	role := ""
	for _, n := range needs {
		if n.role != role {
			role = n.role
			fmt.Fprintf(&b, "\n### %s, role `…-%s`\n\n| Call | Needs | On | Source | Asked in `rehearsal/` |\n|---|---|---|---|---|\n", titles[role], role)
		}
		b.WriteString(n.row())
	}
	b.WriteString("\n## What a stack with secrets, scripts of its own, a KMS key or a topic needs in addition\n\n| Role | Call | Needs | On | Source | Asked in `rehearsal/` |\n|---|---|---|---|---|---|\n")
	for _, n := range furtherNeeds {
		b.WriteString("| " + n.role + " " + n.row())
	}
	b.WriteString("\n## Granted, but not or not fully used in a rehearsal\n\n| Role | Grant | Why it stays |\n|---|---|---|\n")
	for _, e := range exemptions {
		kind := ""
		if e.wide != "" {
			kind = fmt.Sprintf("<br>on everything that ends in `%s`", e.wide)
		}
		fmt.Fprintf(&b, "| %s | `%s`%s | %s |\n", e.role, strings.Join(e.actions, "`<br>`"), kind, e.reason)
	}
	return b.String()
}

// row is the need's line in a table, without the role.
func (n need) row() string {
	return fmt.Sprintf("| %s | `%s` | %s | %s | %s |\n", n.call, strings.Join(n.actions, "`<br>`"), strings.ReplaceAll(n.on, "*", `\*`), n.source, n.asked)
}
