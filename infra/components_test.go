package infra

import (
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

func TestRegistry(t *testing.T) {
	rec := run(t, with("keepImages", "7"))
	wantInputs(t, rec.named(t, repository, "cicd-dev-repository"), `{
		"name": "cicd-dev", "imageTagMutability": "IMMUTABLE", "imageScanningConfiguration": {"scanOnPush": true}, "forceDelete": true
	}`)
	wantInputs(t, rec.named(t, repository, "cicd-dev-cache"), `{"name": "cicd-dev-cache", "imageTagMutability": "MUTABLE", "forceDelete": true}`)
	policy := rec.named(t, "ecr/lifecyclePolicy:LifecyclePolicy", "cicd-dev-cache-layers").Inputs["policy"].StringValue()
	if want := `{"rules": [
		{"rulePriority": 1, "description": "Untagged images", "action": {"type": "expire"},
		 "selection": {"tagStatus": "untagged", "countType": "sinceImagePushed", "countUnit": "days", "countNumber": 1}},
		{"rulePriority": 2, "description": "What no build has renewed for 30 days", "action": {"type": "expire"},
		 "selection": {"tagStatus": "any", "countType": "sinceImagePushed", "countUnit": "days", "countNumber": 30}}
	]}`; !sameJSON(t, policy, want) {
		t.Errorf("lifecycle policy of the cache %s, want %s", policy, want)
	}
	policy = rec.named(t, "ecr/lifecyclePolicy:LifecyclePolicy", "cicd-dev-images").Inputs["policy"].StringValue()
	if want := `{"rules": [
		{"rulePriority": 1, "description": "Untagged images", "action": {"type": "expire"},
		 "selection": {"tagStatus": "untagged", "countType": "sinceImagePushed", "countUnit": "days", "countNumber": 1}},
		{"rulePriority": 2, "description": "All but the newest 7", "action": {"type": "expire"},
		 "selection": {"tagStatus": "any", "countType": "imageCountMoreThan", "countNumber": 7}}
	]}`; !sameJSON(t, policy, want) {
		t.Errorf("lifecycle policy %s, want %s", policy, want)
	}
}

func TestArtifactStore(t *testing.T) {
	const name = "cicd-dev-artifacts-123456789012-eu-central-1"
	rec := run(t, with())
	wantInputs(t, rec.one(t, "s3/bucketV2:BucketV2"), `{"bucket": "`+name+`", "forceDestroy": true}`)
	wantInputs(t, rec.one(t, "s3/bucketPublicAccessBlock:BucketPublicAccessBlock"), `{
		"bucket": "`+name+`", "blockPublicAcls": true, "blockPublicPolicy": true, "ignorePublicAcls": true, "restrictPublicBuckets": true
	}`)
	wantInputs(t, rec.one(t, "s3/bucketOwnershipControls:BucketOwnershipControls"), `{
		"bucket": "`+name+`", "rule": {"objectOwnership": "BucketOwnerEnforced"}
	}`)
	wantInputs(t, rec.one(t, "s3/bucketVersioningV2:BucketVersioningV2"), `{
		"bucket": "`+name+`", "versioningConfiguration": {"status": "Enabled"}
	}`)
	wantInputs(t, rec.one(t, "s3/bucketServerSideEncryptionConfigurationV2:BucketServerSideEncryptionConfigurationV2"), `{
		"bucket": "`+name+`", "rules": [{"applyServerSideEncryptionByDefault": {"sseAlgorithm": "aws:kms"}, "bucketKeyEnabled": true}]
	}`)
	wantInputs(t, rec.one(t, "s3/bucketLifecycleConfigurationV2:BucketLifecycleConfigurationV2"), `{
		"bucket": "`+name+`", "rules": [{"id": "expire", "status": "Enabled", "filter": {"prefix": "cicd-dev"}, "expiration": {"days": 365}},
			{"id": "superseded", "status": "Enabled", "filter": {"prefix": ""},
			"noncurrentVersionExpiration": {"noncurrentDays": 30}, "abortIncompleteMultipartUpload": {"daysAfterInitiation": 7}}]
	}`)
	policy := rec.one(t, "s3/bucketPolicy:BucketPolicy").Inputs["policy"].StringValue()
	if want := `{"Version": "2012-10-17", "Statement": [{
		"Sid": "RefuseWithoutTLS", "Effect": "Deny", "Principal": {"AWS": "*"}, "Action": ["s3:*"],
		"Resource": ["arn:of:cicd-dev-artifacts", "arn:of:cicd-dev-artifacts/*"],
		"Condition": {"Bool": {"aws:SecureTransport": "false"}}
	}]}`; !sameJSON(t, policy, want) {
		t.Errorf("bucket policy %s, want %s", policy, want)
	}
}

// TestBucketIsConfiguredInTurn: S3 refuses concurrent changes to one bucket.
func TestBucketIsConfiguredInTurn(t *testing.T) {
	rec := run(t, with())
	chain := []string{
		"s3/bucketOwnershipControls:BucketOwnershipControls",
		"s3/bucketPublicAccessBlock:BucketPublicAccessBlock",
		"s3/bucketVersioningV2:BucketVersioningV2",
		"s3/bucketServerSideEncryptionConfigurationV2:BucketServerSideEncryptionConfigurationV2",
		"s3/bucketLifecycleConfigurationV2:BucketLifecycleConfigurationV2",
		"s3/bucketPolicy:BucketPolicy",
	}
	for i := 1; i < len(chain); i++ {
		wantDependencies(t, rec.one(t, chain[i]), rec.one(t, chain[i-1]).Name)
	}
}

func TestBuild(t *testing.T) {
	tests := []struct{ instanceType, kind, image, goarch string }{
		{"t3.micro", "LINUX_CONTAINER", "aws/codebuild/amazonlinux-x86_64-standard:5.0", "amd64"},
		{"t4g.small", "ARM_CONTAINER", "aws/codebuild/amazonlinux-aarch64-standard:3.0", "arm64"},
	}
	for _, tt := range tests {
		rec := run(t, with("instanceType", tt.instanceType, "containerPort", "3000", "healthPath", "/up"))
		project := rec.one(t, "codebuild/project:Project")
		wantInputs(t, project, `{
			"name": "cicd-dev-build", "description": "Tests and builds cicd-dev", "serviceRole": "arn:of:cicd-dev-build-role", "buildTimeout": 30,
			"source": {"type": "CODEPIPELINE", "buildspec": "deploy-scripts/buildspec.yml"},
			"artifacts": {"type": "CODEPIPELINE", "encryptionDisabled": false},
			"cache": {"type": "LOCAL", "modes": ["LOCAL_CUSTOM_CACHE", "LOCAL_DOCKER_LAYER_CACHE"]},
			"environment": {
				"computeType": "BUILD_GENERAL1_SMALL", "type": "`+tt.kind+`", "image": "`+tt.image+`", "imagePullCredentialsType": "CODEBUILD",
				"privilegedMode": true,
				"environmentVariables": [
					{"name": "REPOSITORY_URL", "type": "PLAINTEXT", "value": "123456789012.dkr.ecr.eu-central-1.amazonaws.com/cicd-dev"},
					{"name": "CACHE_URL", "type": "PLAINTEXT", "value": "123456789012.dkr.ecr.eu-central-1.amazonaws.com/cicd-dev-cache"},
					{"name": "CONTAINER_PORT", "type": "PLAINTEXT", "value": "3000"},
					{"name": "HEALTH_PATH", "type": "PLAINTEXT", "value": "/up"},
					{"name": "HEALTH_HOST", "type": "PLAINTEXT", "value": "198.51.100.80"},
					{"name": "GOARCH", "type": "PLAINTEXT", "value": "`+tt.goarch+`"},
					{"name": "SETTINGS", "type": "PLAINTEXT", "value": "cicd-dev-artifacts-123456789012-eu-central-1/_stack/settings.env"},
					{"name": "APP_PATH", "type": "PLAINTEXT", "value": "webapp"},
					{"name": "DOCKERFILE", "type": "PLAINTEXT", "value": "Dockerfile"},
					{"name": "BUILD_TARGET", "type": "PLAINTEXT", "value": ""},
					{"name": "IMAGE_VARIANT", "type": "PLAINTEXT", "value": ""}
				]
			},
			"logsConfig": {"cloudwatchLogs": {"status": "ENABLED", "groupName": "/aws/codebuild/cicd-dev-build"}}
		}`)
		wantDependencies(t, project, "::cicd-dev-build-policy")
	}
	wantInputs(t, run(t, with("logRetentionDays", "90")).named(t, "cloudwatch/logGroup:LogGroup", "cicd-dev-build-logs"),
		`{"name": "/aws/codebuild/cicd-dev-build", "retentionInDays": 90}`)
}

// TestBuildVariables: what shapes the image, and secrets that CodeBuild itself fetches.
func TestBuildVariables(t *testing.T) {
	project := run(t, everyKey()).one(t, "codebuild/project:Project")
	got := map[string][2]string{}
	for _, one := range project.Inputs["environment"].ObjectValue()["environmentVariables"].ArrayValue() {
		variable := one.ObjectValue()
		got[variable["name"].StringValue()] = [2]string{variable["type"].StringValue(), variable["value"].StringValue()}
	}
	variant, err := Image{"apps/shop", "docker/Dockerfile.prod", "production", map[string]string{"VERSION": "1.2", "DEBUG": "false"}, true}.variant()
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string][2]string{
		"APP_PATH":               {"PLAINTEXT", "apps/shop"},
		"DOCKERFILE":             {"PLAINTEXT", "docker/Dockerfile.prod"},
		"BUILD_TARGET":           {"PLAINTEXT", "production"},
		"IMAGE_VARIANT":          {"PLAINTEXT", variant},
		"BUILD_SECRET_NPM_TOKEN": {"PARAMETER_STORE", "/cicd/dev/NPM_TOKEN"},
		"BUILD_SECRET_PIP":       {"PARAMETER_STORE", "/shared/token"},
		"BUILD_SECRET_GEM":       {"SECRETS_MANAGER", testSecret + ":gem"},
	} {
		if got[name] != want {
			t.Errorf("%s is %q, want %q", name, got[name], want)
		}
	}
	if len(got) != 17 {
		t.Errorf("%d variables, want 17: %v", len(got), got)
	}
}

// TestBuildSecretWithoutPath: the ARN of a parameter without a path does not tell whether its name begins with a slash.
func TestBuildSecretWithoutPath(t *testing.T) {
	const parameter = "arn:aws:ssm:eu-central-1:123456789012:parameter/token"
	variables := run(t, with("buildSecrets", `{"A":"`+parameter+`"}`)).one(t, "codebuild/project:Project").
		Inputs["environment"].ObjectValue()["environmentVariables"].ArrayValue()
	if last := variables[len(variables)-1].ObjectValue(); last["value"].StringValue() != parameter {
		t.Errorf("the secret is %v, want the ARN for its name", last)
	}
}

func TestArchitectureOf(t *testing.T) {
	for instanceType, want := range map[string]Architecture{
		"t2.micro": X86, "t3.micro": X86, "t3a.small": X86, "g4dn.xlarge": X86, "g6.xlarge": X86, "u-6tb1.metal": X86, "x2iedn.xlarge": X86,
		"t4g.small": ARM64, "m7gd.large": ARM64, "c8gn.large": ARM64, "g5g.xlarge": ARM64, "im4gn.large": ARM64, "x2gd.medium": ARM64, "p6e-gb200.36xlarge": ARM64,
	} {
		if got := architectureOf(instanceType); got != want {
			t.Errorf("architecture of %s is %s, want %s", instanceType, got, want)
		}
	}
}

func TestProtect(t *testing.T) {
	rec := run(t, with("protect", "true"))
	images := rec.named(t, repository, "cicd-dev-repository")
	if images.Inputs["forceDelete"].BoolValue() {
		t.Error("a protected repository would be deleted with its images")
	}
	if rec.one(t, "s3/bucketV2:BucketV2").Inputs["forceDestroy"].BoolValue() {
		t.Error("a protected bucket would be deleted with its artifacts")
	}
	if !rec.one(t, "ec2/instance:Instance").Inputs["disableApiTermination"].BoolValue() {
		t.Error("a protected host could be terminated")
	}
	for _, protected := range []pulumi.MockResourceArgs{images, rec.one(t, "s3/bucketV2:BucketV2"), rec.one(t, "ec2/instance:Instance")} {
		if !protected.RegisterRPC.GetProtect() {
			t.Errorf("destroying a protected stack would start, and stop halfway at %s", protected.Name)
		}
	}
}

func TestPipeline(t *testing.T) {
	const approval = `{"name": "Approval", "actions": [{
		"name": "Approval", "category": "Approval", "owner": "AWS", "provider": "Manual", "version": "1",
		"configuration": {
			"CustomData": "Release #{SourceVariables.CommitId} to dev?",
			"ExternalEntityLink": "https://github.com/example/webapp/commit/#{SourceVariables.CommitId}"
		}
	}]},`
	for config, stage := range map[string]string{"false": "", "true": approval} {
		rec := run(t, with("connectionArn", testConnection, "approval", config, "branch", "release", "watchPaths", `["web/**","ops/**"]`))
		pipeline := rec.one(t, "codepipeline/pipeline:Pipeline")
		wantInputs(t, pipeline, `{
			"name": "cicd-dev", "pipelineType": "V2", "executionMode": "SUPERSEDED", "roleArn": "arn:of:cicd-dev-pipeline-role",
			"artifactStores": [{"type": "S3", "location": "cicd-dev-artifacts-123456789012-eu-central-1"}],
			"stages": [
				{"name": "Source", "actions": [{
					"name": "Source", "category": "Source", "owner": "AWS", "provider": "CodeStarSourceConnection", "version": "1",
					"namespace": "SourceVariables", "outputArtifacts": ["Commit"],
					"configuration": {
						"ConnectionArn": "`+testConnection+`", "FullRepositoryId": "example/webapp", "BranchName": "release",
						"OutputArtifactFormat": "CODE_ZIP", "DetectChanges": "false"
					}
				}], "onFailure": {"result": "RETRY", "retryConfiguration": {"retryMode": "FAILED_ACTIONS"}}},
				{"name": "Build", "actions": [{
					"name": "Build", "category": "Build", "owner": "AWS", "provider": "CodeBuild", "version": "1",
					"inputArtifacts": ["Commit"], "outputArtifacts": ["Bundle"],
					"configuration": {
						"ProjectName": "cicd-dev-build",
						"EnvironmentVariables": "[{\"name\":\"COMMIT_ID\",\"type\":\"PLAINTEXT\",\"value\":\"#{SourceVariables.CommitId}\"}]"
					}
				}]},
				`+stage+`
				{"name": "Deploy", "actions": [{
					"name": "Deploy", "category": "Deploy", "owner": "AWS", "provider": "CodeDeploy", "version": "1", "inputArtifacts": ["Bundle"],
					"configuration": {"ApplicationName": "cicd-dev", "DeploymentGroupName": "hosts"}
				}]}
			],
			"triggers": [{"providerType": "CodeStarSourceConnection", "gitConfiguration": {
				"sourceActionName": "Source",
				"pushes": [{"branches": {"includes": ["release"]}, "filePaths": {"includes": ["ops/**", "web/**"]}}]
			}}]
		}`)
		wantDependencies(t, pipeline, "::cicd-dev-pipeline-policy", "::cicd-dev-artifacts-policy", "::cicd-dev-build",
			"::cicd-dev-hosts", "::cicd-dev-address-host", "::cicd-dev-settings", "::cicd-dev-logs")
		wantDependencies(t, rec.one(t, "ec2/eipAssociation:EipAssociation"), "::cicd-dev-host-x86_64")
	}
}

// TestActionValuesFit: CodePipeline takes 1000 characters per value, and the provider does not check.
func TestActionValuesFit(t *testing.T) {
	longest := strings.Repeat("o", 39) + "/" + strings.Repeat("r", 100)
	rec := run(t, with("connectionArn", testConnection, "approval", "true", "repository", longest, "branch", strings.Repeat("b", 250)))
	for _, stage := range rec.one(t, "codepipeline/pipeline:Pipeline").Inputs["stages"].ArrayValue() {
		for _, action := range stage.ObjectValue()["actions"].ArrayValue() {
			for key, value := range action.ObjectValue()["configuration"].ObjectValue() {
				if n := len(value.StringValue()); n < 1 || n > 1000 {
					t.Errorf("%s has %d characters, want 1 to 1000", key, n)
				}
			}
		}
	}
}

func TestConnection(t *testing.T) {
	wantInputs(t, run(t, with()).one(t, "codeconnections/connection:Connection"), `{"name": "cicd-dev-eu-central-1", "providerType": "GitHub"}`)
}

func TestManagedRepository(t *testing.T) {
	t.Setenv("GITHUB_TOKEN", "test")
	rec := run(t, with("manageRepository", "true", "branch", "release"))
	wantInputs(t, rec.one(t, "index/repositoryRuleset:RepositoryRuleset"), `{
		"repository": "webapp", "name": "cicd-dev", "target": "branch", "enforcement": "active",
		"conditions": {"refName": {"includes": ["refs/heads/release"], "excludes": []}},
		"rules": {"deletion": true, "nonFastForward": true}
	}`)
	wantInputs(t, rec.one(t, "index/repositoryEnvironment:RepositoryEnvironment"), `{"repository": "webapp", "environment": "cicd-dev"}`)
	const variable = "index/actionsVariable:ActionsVariable"
	wantInputs(t, rec.named(t, variable, "cicd-dev-region"),
		`{"repository": "webapp", "variableName": "AWS_REGION_CICD_DEV", "value": "eu-central-1"}`)
	wantInputs(t, rec.named(t, variable, "cicd-dev-pipeline-name"),
		`{"repository": "webapp", "variableName": "PIPELINE_NAME_CICD_DEV", "value": "cicd-dev"}`)
}

// TestComponentsReject: invalid arguments register nothing.
func TestComponentsReject(t *testing.T) {
	tests := []struct {
		name, want string
		make       func(ctx *pulumi.Context) error
	}{
		{"registry", "KeepImages is 1", func(ctx *pulumi.Context) error {
			_, err := NewRegistry(ctx, "x", &RegistryArgs{KeepImages: 1})
			return err
		}},
		{"source's repository", `repository "webapp"`, func(ctx *pulumi.Context) error {
			_, err := NewSource(ctx, "x", &SourceArgs{Repository: "webapp", Branch: "main"})
			return err
		}},
		{"source's branch", `branch ""`, func(ctx *pulumi.Context) error {
			_, err := NewSource(ctx, "x", &SourceArgs{Repository: "example/webapp"})
			return err
		}},
		{"environment", "a Store is required", func(ctx *pulumi.Context) error {
			_, err := NewEnvironment(ctx, "x", &EnvironmentArgs{})
			return err
		}},
		{"build", "a Registry, a Store, an Environment and an Address", func(ctx *pulumi.Context) error {
			_, err := NewBuild(ctx, "x", &BuildArgs{})
			return err
		}},
		{"target", "a Registry, a Store and an Environment", func(ctx *pulumi.Context) error {
			_, err := NewTarget(ctx, "x", &TargetArgs{InstanceType: "t3.micro"})
			return err
		}},
		{"target's type", `InstanceType is "x"`, func(ctx *pulumi.Context) error {
			_, err := NewTarget(ctx, "x", &TargetArgs{Registry: &Registry{}, Store: &ArtifactStore{}, Environment: &Environment{}, InstanceType: "x", AgentVersion: 1})
			return err
		}},
		{"target's ports", "EgressPorts: port 443 is open anyway", func(ctx *pulumi.Context) error {
			_, err := NewTarget(ctx, "x", &TargetArgs{Registry: &Registry{}, Store: &ArtifactStore{}, Environment: &Environment{},
				InstanceType: "t3.micro", AgentVersion: 1, EgressPorts: []int{443}})
			return err
		}},
		{"target's policies", `PolicyArns: "uploads": want the ARN`, func(ctx *pulumi.Context) error {
			_, err := NewTarget(ctx, "x", &TargetArgs{Registry: &Registry{}, Store: &ArtifactStore{}, Environment: &Environment{},
				InstanceType: "t3.micro", AgentVersion: 1, PolicyArns: []string{"uploads"}})
			return err
		}},
		{"pipeline", "a Source, a Store", func(ctx *pulumi.Context) error {
			_, err := NewPipeline(ctx, "x", &PipelineArgs{})
			return err
		}},
		{"pipeline's paths", "WatchPaths: want at least one", func(ctx *pulumi.Context) error {
			_, err := NewPipeline(ctx, "x", &PipelineArgs{Source: &Source{}, Store: &ArtifactStore{}, Build: &Build{}, Target: &Target{}})
			return err
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			rec := &recorder{}
			err := pulumi.RunErr(tt.make, pulumi.WithMocks("cicd", "dev", rec))
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want one with %q", err, tt.want)
			}
			if len(rec.seen) > 0 {
				t.Errorf("%d resources registered first", len(rec.seen))
			}
		})
	}
}
