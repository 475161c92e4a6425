package provider

import (
	"strings"
	"testing"

	"cicd/rehearsal/aws/account"
)

// refusal changes one thing in a valid example, see TestCompleteStack.
type refusal struct {
	example, path string
	value         any
	want          string // a part of the error
}

func refuses(t *testing.T, tests []refusal) {
	t.Helper()
	for _, tt := range tests {
		t.Run(tt.example+"/"+tt.path, func(t *testing.T) {
			w := newWorld(t)
			w.declareUntil(tt.example)
			e := exampleNamed(t, tt.example)
			_, err := w.declare(e.token, e.name, with(t, w.inputs(e), tt.path, tt.value))
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error = %v, want one containing %q", err, tt.want)
			}
		})
	}
}

func TestRefusesNames(t *testing.T) {
	refuses(t, []refusal{
		{"connection", "name", strings.Repeat("c", 33), "33 characters, want 1 to 32"},
		{"repository", "name", "Web", "does not match"},
		{"repository", "name", "w", "want 2 to 256"},
		{"build-role", "name", "a role", "does not match"},
		{"build-role", "name", strings.Repeat("r", 65), "want 1 to 64"},
		{"project", "name", strings.Repeat("p", 151), "does not match"},
		{"logs", "name", "log group", "does not match"},
		{"group", "name", "sg-web", "cannot begin with sg-"},
		{"group", "description", "port 80 über alles", "does not match"},
		{"topic", "name", "approvals.fifo", "does not match"},
		{"topic", "name", strings.Repeat("t", 257), "does not match"},
		{"bucket", "bucket", "Web", "lowercase"},
		{"bucket", "bucket", "ab", "want 3 to 63"},
		{"bucket", "bucket", "10.0.0.1", "IP address"},
		{"bucket", "bucket", "web..artifacts", "adjacent dots"},
		{"bucket", "bucket", "-web", "begin and end"},
		{"bucket", "bucket", "web-s3alias", "reserved"},
		{"pipeline", "name", "my pipeline", "does not match"},
		{"pipeline", "stages.0.name", "my stage", "does not match"},
		{"deployment-group", "deploymentGroupName", strings.Repeat("g", 101), "want 1 to 100"},
		{"vpc", "tags", map[string]any{"aws:name": "x"}, "not starting with aws:"},
		{"vpc", "tags", map[string]any{strings.Repeat("k", 129): "x"}, "129 characters, want 1 to 128"},
		{"project", "tags", map[string]any{strings.Repeat("k", 128): "x"}, "128 characters, want 1 to 127"},
		{"project", "tags", map[string]any{"k": strings.Repeat("v", 256)}, "256 characters, want 0 to 255"},
		{"project", "tags", map[string]any{"k?": "x"}, "does not match"},
		{"build-role", "tags", map[string]any{"k": "a*"}, "does not match"},
		{"logs", "name", "aws/web", "cannot start with 'aws/'"},
		{"group", "name", "default", "Cannot use reserved security group name"},
		{"ruleset", "name", strings.Repeat("r", 101), "want 1 to 100"},
		{"build-role", "description", "builds – all of them", "does not match"},
	})
}

func TestRefusesValues(t *testing.T) {
	refuses(t, []refusal{
		{"connection", "providerType", "Gitea", "expected one of"},
		{"repository", "imageTagMutability", "IMMUTABLE_WITH_EXCLUSION", "expected one of"},
		{"repository", "encryptionConfigurations.0.encryptionType", "kms", "expected one of"},
		{"logs", "retentionInDays", 31.0, "expected one of"},
		{"cmk", "deletionWindowInDays", 6.0, "want 7 to 30"},
		{"cmk", "rotationPeriodInDays", 89.0, "want 90 to 2560"},
		{"cmk", "enableKeyRotation", false, "goes with enableKeyRotation"},
		{"cmk", "description", strings.Repeat("d", 8193), "want 0 to 8192"},
		{"encryption", "rules.0.applyServerSideEncryptionByDefault.sseAlgorithm", "AES256", "a KMS key goes with sseAlgorithm aws:kms"},
		{"pipeline", "artifactStores.0.encryptionKey.type", "AES256", "expected one of"},
		{"build-role", "maxSessionDuration", 60.0, "want 3600 to 43200"},
		{"project", "buildTimeout", 4.0, "want 5 to 2160"},
		{"project", "environment.computeType", "SMALL", "expected one of"},
		{"project", "environment.image", "aws/codebuild/amazonlinux2023:5.0", "no curated image"},
		{"project", "environment.type", "ARM_CONTAINER", "is not for environment type ARM_CONTAINER"},
		{"project", "environment.privilegedMode", false, "LOCAL_DOCKER_LAYER_CACHE needs privilegedMode"},
		{"project", "environment.environmentVariables", []any{map[string]any{"name": "A", "value": "1"}, map[string]any{"name": "A", "value": "2"}}, "Duplicate environment variable A"},
		{"project", "environment.environmentVariables.0.name", "1A", "does not match"},
		{"project", "environment.environmentVariables.0.type", "SECRET", "expected one of"},
		{"object", "key", "//", "has 1 to 1024 bytes, got 0"},
		{"object", "key", strings.Repeat("é", 513), "has 1 to 1024 bytes, got 1026"},
		{"object", "serverSideEncryption", "AES", "expected one of"},
		{"object", "contentBase64", "U1RBQ0s9ZGV2Cg==", `"content": conflicts with content_base64`},
		{"object", "tags", map[string]any{"1": "", "2": "", "3": "", "4": "", "5": "", "6": "", "7": "", "8": "", "9": "", "0": ""}, "Object tags cannot be greater than 10, got 11"},
		{"attachment", "policyArn", "arn:aws:s3:::bucket", "is not an ARN of iam"},
		{"attachment", "policyArn", "arn:aws:iam::123456789012:role/host", "InvalidInput: ARN arn:aws:iam::123456789012:role/host is not valid"},
		{"attachment", "policyArn", "arn:aws:iam::aws:policy/aws-service-role/AutoScalingServiceRolePolicy", "PolicyNotAttachable"},
		{"attachment", "policyArn", "arn:aws:iam::999999999999:policy/theirs", "does not exist or is not attachable"},
		{"attachment", "policyArn", "arn:aws-cn:iam::aws:policy/AmazonS3ReadOnlyAccess", "does not exist or is not attachable"},
		{"host", "metadataOptions.httpTokens", "always", "expected one of"},
		{"host", "metadataOptions.httpPutResponseHopLimit", 0.0, "want 1 to 64"},
		{"host", "rootBlockDevice.volumeType", "st1", "for a boot volume"},
		{"host", "rootBlockDevice.volumeType", "io2", "iops must be specified"},
		{"build-role", "tags", map[string]any{"Team": "a", "team": "b"}, "Duplicate tag keys"},
		{"key", "publicKey", "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKHEChAFsW0a1cJLIMxQX7OFIVTX2tSPJN8CGhxr", "InvalidKey.Format"},
		{"route", "gatewayId", nil, "missing required property"},
		{"host", "metadataOptions.httpPutResponseHopLimit", 65.0, "want 1 to 64"},
		{"host", "userData", strings.Repeat("#", 16385), "limited to 16384 bytes"},
		{"host", "rootBlockDevice.volumeSize", 4.0, "expect size >= 8GB"},
		{"volume", "availabilityZone", "us-east-1z", "InvalidZone.NotFound"},
		{"volume", "size", 16385.0, "must be between 1GiB and 16384GiB"},
		{"volume", "type", "gp4", "expected one of"},
		{"volume", "type", "io2", "'iops' must be set"},
		{"volume", "throughput", 100.0, "want 125 to 1000"},
		{"volume", "size", nil, "missing required property"},
		{"volume-attachment", "deviceName", "sdf", "does not match"},
		{"volume-attachment", "deviceName", "/dev/xvda", "Attachment point /dev/xvda is already in use"},
		{"snapshots", "description", "Daily, of web", "does not match"},
		{"snapshots", "policyDetails.schedules.0.createRule.interval", 5.0, "expected one of 1, 2"},
		{"snapshots", "policyDetails.schedules.0.createRule.times", "3:00", "does not match"},
		{"snapshots", "policyDetails.schedules.0.retainRule.count", 0.0, "want 1 to 1000"},
		{"snapshots", "policyDetails.schedules.0.retainRule.count", nil, "either a count"},
		{"versioning", "versioningConfiguration.status", "On", "expected one of"},
		{"ownership", "rule.objectOwnership", "Owner", "expected one of"},
		{"lifecycle", "rules.0.expiration", nil, "At least one action"},
		{"lifecycle", "rules.0.expiration.days", 0.0, "want 1"},
		{"ruleset", "enforcement", "on", "expected one of"},
		{"ruleset", "conditions.refName.includes.0", "main", "must begin with refs/heads/"},
		{"variable", "variableName", "GITHUB_TOKEN", "must not begin with GITHUB_"},
		{"variable", "variableName", "MY-NAME", "does not match"},
		{"environment", "waitTimer", 43201.0, "want 0 to 43200"},
		{"environment", "reviewers", []any{map[string]any{"users": []any{1.0}}, map[string]any{"teams": []any{2.0}}}, "has 2 items, want 0 to 1"},
		{"environment", "deploymentBranchPolicy", map[string]any{"protectedBranches": true, "customBranchPolicies": true}, "cannot have the same value"},
		{"vpc", "enableDnsSupport", "yes", "expected a boolean"},
		{"deployment-group", "ec2TagFilters", []any{map[string]any{"key": "Name", "type": "KEY_ONLY"}}, "not both"},
		{"deployment-group", "ec2TagSets.0.ec2TagFilters.0.type", "KEY_ONLY", "value must be given exactly when"},
		{"deployment-group", "autoRollbackConfiguration.events", []any{}, "at least one event"},
	})
}

func TestRefusesReferencesToNothing(t *testing.T) {
	refuses(t, []refusal{
		{"expiry", "repository", "other", "RepositoryNotFoundException"},
		{"build-policy", "role", "other", "NoSuchEntity"},
		{"profile", "role", "other", "NoSuchEntity"},
		{"attachment", "role", "other", "NoSuchEntity"},
		{"object", "bucket", "other-artifacts", "NoSuchBucket"},
		{"object", "kmsKeyId", "arn:aws:kms:us-east-1:123456789012:key/other", "KMS.NotFoundException"},
		{"project", "serviceRole", "arn:aws:iam::123456789012:role/other", "not authorized to perform sts:AssumeRole"},
		{"project", "serviceRole", "build", "is not an ARN of iam"},
		{"project", "logsConfig.cloudwatchLogs.groupName", "/other", "log group /other does not exist"},
		{"subnet", "vpcId", "vpc-1", "InvalidVpcID.NotFound"},
		{"route", "gatewayId", "igw-1", "InvalidInternetGatewayID.NotFound"},
		{"association", "routeTableId", "rtb-1", "InvalidRouteTableID.NotFound"},
		{"http", "securityGroupId", "sg-1", "InvalidGroup.NotFound"},
		{"host", "subnetId", "subnet-1", "InvalidSubnetID.NotFound"},
		{"volume-attachment", "instanceId", "i-1", "InvalidInstanceID.NotFound"},
		{"volume-attachment", "volumeId", "vol-1", "InvalidVolume.NotFound"},
		{"snapshots", "executionRoleArn", "arn:aws:iam::123456789012:role/other", "does not exist"},
		{"host", "vpcSecurityGroupIds.0", "sg-1", "InvalidGroup.NotFound"},
		{"host", "iamInstanceProfile", "other", "Invalid IAM Instance Profile name"},
		{"host", "keyName", "other", "InvalidKeyPair.NotFound"},
		{"host", "ami", "ami-0123456789abcdef0", "InvalidAMIID.NotFound"},
		{"host", "instanceType", "t3.gigantic", "InvalidInstanceType"},
		{"host", "instanceType", "t4g.micro", "The architecture 'arm64' of the specified instance type does not match the architecture 'x86_64'"},
		{"address-association", "instanceId", "i-1", "InvalidInstanceID.NotFound"},
		{"deployment-group", "appName", "other", "ApplicationDoesNotExistException"},
		{"deployment-group", "serviceRoleArn", "arn:aws:iam::123456789012:role/other", "not authorized to perform sts:AssumeRole"},
		{"tls", "bucket", "other-artifacts", "NoSuchBucket"},
		{"block", "bucket", "other-artifacts", "NoSuchBucket"},
		{"pipeline", "artifactStores.0.location", "other-artifacts", "NoSuchBucket"},
		{"pipeline", "roleArn", "arn:aws:iam::123456789012:role/other", "not authorized to perform sts:AssumeRole"},
		{"pipeline", "stages.0.actions.0.configuration.ConnectionArn", "arn:aws:codeconnections:us-east-1:123456789012:connection/other", "not found"},
		{"pipeline", "stages.1.actions.0.configuration.ProjectName", "other", "CodeBuild project other does not exist"},
		{"pipeline", "stages.2.actions.0.configuration.ApplicationName", "other", "CodeDeploy application other does not exist"},
		{"pipeline", "stages.2.actions.0.configuration.DeploymentGroupName", "other", "no deployment group other"},
		{"pipeline", "stages.3.actions.0.configuration.NotificationArn", "arn:aws:sns:us-east-1:123456789012:other", "SNS topic arn:aws:sns:us-east-1:123456789012:other does not exist"},
		{"pipeline", "artifactStores.0.encryptionKey.id", "alias/other", "KMS.NotFoundException: Key 'alias/other' does not exist"},
		{"encryption", "rules.0.applyServerSideEncryptionByDefault.kmsMasterKeyId", "1234abcd", "KMS.NotFoundException"},
		{"repository-policy", "repository", "other", "RepositoryNotFoundException"},
		{"cmk-policy", "keyId", "1234abcd", "NotFoundException: Key '1234abcd' does not exist"},
		{"topic-policy", "arn", "arn:aws:sns:us-east-1:123456789012:other", "NotFound: Topic does not exist"},
	})
}

func TestAllViolationsAtOnce(t *testing.T) {
	w := newWorld(t)
	_, err := w.check(account.Repository, "repository", values{"name": "Web", "imageTagMutability": "NEVER", "colour": "red"})
	for _, want := range []string{"name:", "imageTagMutability:", "colour:"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error = %v, want one containing %q", err, want)
		}
	}
}

// What AWS takes although others do not.
func TestAccepts(t *testing.T) {
	for _, tt := range []struct {
		example, path string
		value         any
	}{
		{"vpc", "tags", map[string]any{"k?*": "v%"}},
		{"pipeline", "tags", map[string]any{"k": "v%"}},
		{"host", "instanceType", "m7i-flex.large"},
		{"host", "metadataOptions.httpPutResponseHopLimit", 64.0},
		{"logs", "name", "/cicd/dev"},
		{"attachment", "policyArn", "arn:aws:iam::123456789012:policy/team/ours"},
		{"object", "content", nil},
		// What a variable of the two types names is looked up by each build, not by CreateProject.
		{"project", "environment.environmentVariables", []any{
			map[string]any{"name": "BUILD_SECRET_A", "type": "PARAMETER_STORE", "value": "/cicd/dev/A"},
			map[string]any{"name": "BUILD_SECRET_B", "type": "SECRETS_MANAGER", "value": "arn:aws:secretsmanager:us-east-1:123456789012:secret:db-AbCdEf:password"},
			map[string]any{"name": "BUILD_TARGET", "value": ""},
		}},
		{"encryption", "rules.0.applyServerSideEncryptionByDefault.kmsMasterKeyId", "alias/aws/s3"},
		{"repository", "encryptionConfigurations.0.encryptionType", "KMS_DSSE"},
		{"vpc", "tags", map[string]any{"Team": "a", "team": "b"}},
		{"ruleset", "bypassActors", []any{map[string]any{"actorType": "DeployKey", "bypassMode": "exempt"}}},
		{"build-policy", "policy", `{"Statement":{"Effect":"Allow","Action":["ECR:GETAUTHORIZATIONTOKEN","S3:getobject"],"Resource":"*"}}`},
		{"tls", "policy", `{"Statement":{"Effect":"Deny","Principal":"*","Action":"S3:GETOBJECT","Resource":"arn:aws:s3:::web-artifacts/*"}}`},
		{"build-role", "assumeRolePolicy", `{"Statement":{"Effect":"Allow","Principal":{"Service":"codebuild.amazonaws.com"},"Action":"STS:ASSUMEROLE"}}`},
	} {
		t.Run(tt.example+"/"+tt.path, func(t *testing.T) {
			w := newWorld(t)
			w.declareUntil(tt.example)
			e := exampleNamed(t, tt.example)
			if _, err := w.declare(e.token, e.name, with(t, w.inputs(e), tt.path, tt.value)); err != nil {
				t.Error(err)
			}
		})
	}
}
