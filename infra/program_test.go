package infra

import (
	"errors"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// pendingStack is what a stack has before its connection is authorized.
var pendingStack = map[string]int{
	"pulumi:providers:aws":     1,
	"cicd:index:Source":        1,
	"cicd:index:Registry":      1,
	"cicd:index:ArtifactStore": 1,
	"cicd:index:Environment":   1,
	"cicd:index:Build":         1,
	"cicd:index:Target":        1,
	"cicd:index:Pipeline":      1,

	"aws:codeconnections/connection:Connection": 1,
	"aws:ecr/repository:Repository":             2,
	"aws:ecr/lifecyclePolicy:LifecyclePolicy":   2,
	"aws:codebuild/project:Project":             1,
	"aws:cloudwatch/logGroup:LogGroup":          2,
	"aws:iam/role:Role":                         4,
	"aws:iam/rolePolicy:RolePolicy":             4,
	"aws:iam/instanceProfile:InstanceProfile":   1,

	"aws:s3/bucketV2:BucketV2":                                                                   1,
	"aws:s3/bucketObjectv2:BucketObjectv2":                                                       1,
	"aws:s3/bucketPolicy:BucketPolicy":                                                           1,
	"aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock":                                     1,
	"aws:s3/bucketVersioningV2:BucketVersioningV2":                                               1,
	"aws:s3/bucketLifecycleConfigurationV2:BucketLifecycleConfigurationV2":                       1,
	"aws:s3/bucketServerSideEncryptionConfigurationV2:BucketServerSideEncryptionConfigurationV2": 1,
	"aws:s3/bucketOwnershipControls:BucketOwnershipControls":                                     1,

	"aws:ec2/vpc:Vpc":                                           1,
	"aws:ec2/subnet:Subnet":                                     2,
	"aws:ec2/internetGateway:InternetGateway":                   1,
	"aws:ec2/routeTable:RouteTable":                             1,
	"aws:ec2/route:Route":                                       1,
	"aws:ec2/routeTableAssociation:RouteTableAssociation":       2,
	"aws:ec2/defaultSecurityGroup:DefaultSecurityGroup":         1,
	"aws:ec2/securityGroup:SecurityGroup":                       1,
	"aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule": 1,
	"aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule":   1,
	"aws:ec2/instance:Instance":                                 1,
	"aws:ec2/eip:Eip":                                           1,
	"aws:ec2/eipAssociation:EipAssociation":                     1,
	"aws:codedeploy/application:Application":                    1,
	"aws:codedeploy/deploymentGroup:DeploymentGroup":            1,
}

// TestProgramDeclares checks what each part of the configuration adds to or removes from a stack.
func TestProgramDeclares(t *testing.T) {
	pipeline := map[string]int{"aws:codepipeline/pipeline:Pipeline": 1}
	type declares struct {
		name   string
		config map[string]string
		change map[string]int
	}
	tests := []declares{
		{"connection pending", with(), nil},
		{"connection authorized", with("connectionAuthorized", "true"), pipeline},
		{"connection given", with("connectionArn", testConnection), plus(pipeline, "aws:codeconnections/connection:Connection", -1)},
		{"approval", with("approval", "true", "connectionAuthorized", "true"), pipeline},
		{"operator", with("operatorIp", "198.51.100.7"), map[string]int{"aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule": 1}},
		{"key", with("sshPublicKey", testKey), map[string]int{"aws:ec2/keyPair:KeyPair": 1}},
		{"arm", with("instanceType", "t4g.small"), nil},
		{"protect", with("protect", "true"), nil},
		{"repository", with("manageRepository", "true"), map[string]int{
			"pulumi:providers:github":                                  1,
			"github:index/repositoryRuleset:RepositoryRuleset":         1,
			"github:index/actionsVariable:ActionsVariable":             2,
			"github:index/repositoryEnvironment:RepositoryEnvironment": 1,
		}},
	}
	own := map[string]int{
		"aws:ec2/vpc:Vpc": -1, "aws:ec2/subnet:Subnet": -2, "aws:ec2/internetGateway:InternetGateway": -1, "aws:ec2/routeTable:RouteTable": -1,
		"aws:ec2/route:Route": -1, "aws:ec2/routeTableAssociation:RouteTableAssociation": -2, "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup": -1,
	}
	https := map[string]int{"aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule": 2}
	for name, keys := range map[string][]string{
		"image":    {"appPath", "apps/shop", "dockerfile", "D", "buildTarget", "t", "buildArgs", `{"A":"1"}`, "buildSecrets", `{"B":""}`},
		"settings": {"environment", `{"A":"1"}`, "secrets", `{"B":"","C":"` + testSecret + `"}`, "healthSeconds", "300", "stopSeconds", "60"},
		"commands": {"releaseCommand", "bin/migrate", "processes", `{"worker":"bin/worker"}`},
	} {
		tests = append(tests, declares{name, with(keys...), nil})
	}
	tests = append(tests,
		declares{"policies", with("appPolicyArns", `["`+testPolicy+`","arn:aws:iam::aws:policy/uploads"]`),
			map[string]int{"aws:iam/rolePolicyAttachment:RolePolicyAttachment": 2}},
		declares{"scripts", with("deployScripts", "stack"), map[string]int{"aws:s3/bucketObjectv2:BucketObjectv2": 1}},
		declares{"egress", with("egressPorts", `[5432,587]`), map[string]int{"aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule": 2}},
		declares{"domain", with("domain", "shop.example.com"), https},
		declares{"zone", with("domain", "shop.example.com", "hostedZoneId", testZone), plus(plus(https, "cicd:index:Domain", 1), "aws:route53/record:Record", 1)},
		declares{"network", with("vpcId", testVpc, "subnetIds", `["`+testSubnet+`"]`), own})
	t.Setenv("GITHUB_TOKEN", "test")
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			want := maps.Clone(pendingStack)
			for token, n := range tt.change {
				want[token] += n
			}
			wantSameCounts(t, run(t, tt.config).counts(), want)
		})
	}
}

func plus(counts map[string]int, token string, n int) map[string]int {
	sum := maps.Clone(counts)
	sum[token] += n
	return sum
}

func TestProviders(t *testing.T) {
	t.Setenv("GITHUB_TOKEN", "from-environment")
	rec := run(t, with("manageRepository", "true", "github:token", "from-config"))
	wantInputs(t, rec.named(t, "providers:aws", "aws"), `{
		"region": "eu-central-1",
		"defaultTags": {"tags": {"ManagedBy": "Pulumi", "Project": "cicd", "Stack": "dev"}},
		"skipCredentialsValidation": false,
		"skipRegionValidation": true
	}`)
	github := rec.named(t, "providers:github", "github").Inputs
	if got := github["owner"].StringValue(); got != "example" {
		t.Errorf("GitHub owner %q, want the repository's", got)
	}
	if !github["token"].IsSecret() || github["token"].SecretValue().Element.StringValue() != "from-config" {
		t.Errorf("GitHub token %v, want the configured one, as a secret", github["token"])
	}
}

func TestManageRepositoryNeedsToken(t *testing.T) {
	t.Setenv("GITHUB_TOKEN", "")
	rec := &recorder{}
	err := attempt(rec, "cicd", "dev", with("manageRepository", "true"))
	if err == nil || !strings.Contains(err.Error(), "GITHUB_TOKEN") {
		t.Errorf("Program() = %v, want an error that names GITHUB_TOKEN", err)
	}
	if len(rec.seen) > 0 {
		t.Errorf("%d resources registered first", len(rec.seen))
	}
}

func TestProgramStopsBeforeDeclaring(t *testing.T) {
	rec := &recorder{}
	err := attempt(rec, "cicd", "dev", with("branch", "a b", "brunch", "main"))
	var bad *ConfigError
	if !errors.As(err, &bad) || len(bad.Violations) != 2 {
		t.Errorf("Program() = %v, want a ConfigError with two violations", err)
	}
	if len(rec.seen)+len(rec.calls) > 0 {
		t.Errorf("%d resources and %d calls before the error, want none", len(rec.seen), len(rec.calls))
	}
}

// TestProgramRefusesEncryptedMaps: Pulumi gives the program their values in the clear, and says that they were
// encrypted.
func TestProgramRefusesEncryptedMaps(t *testing.T) {
	const value = "hunter2"
	rec := &recorder{}
	err := pulumi.RunErr(Program(nil), pulumi.WithMocks("cicd", "dev", rec), func(info *pulumi.RunInfo) {
		info.Config, info.ConfigSecretKeys = with("environment", `{"PASSWORD":"`+value+`"}`), []string{"cicd:environment"}
	})
	var bad *ConfigError
	if !errors.As(err, &bad) || len(bad.Violations) != 1 || !strings.Contains(err.Error(), "environment: is encrypted") || strings.Contains(err.Error(), value) {
		t.Errorf("Program() = %v, want a ConfigError without the value", err)
	}
	if len(rec.seen) > 0 {
		t.Errorf("%d resources registered first", len(rec.seen))
	}
}

// TestProgramReadsWhatIsSetLater: known keys need not be listed, so a key set after the listing counts too.
func TestProgramReadsWhatIsSetLater(t *testing.T) {
	rec := &recorder{}
	err := pulumi.RunErr(Program(nil), pulumi.WithMocks("cicd", "dev", rec), func(info *pulumi.RunInfo) { info.Config = with("instanceType", "t4g.small") })
	if err != nil {
		t.Fatal(err)
	}
	instance := slices.IndexFunc(rec.seen, func(r pulumi.MockResourceArgs) bool { return r.TypeToken == "aws:ec2/instance:Instance" })
	if instance < 0 || rec.seen[instance].Inputs["instanceType"].StringValue() != "t4g.small" {
		t.Errorf("the instance is not of the configured type: %v", rec.seen)
	}
}

func TestOutputs(t *testing.T) {
	const (
		session  = "aws ssm start-session --target cicd-dev-host-x86_64-id --region eu-central-1"
		pipeline = "https://eu-central-1.console.aws.amazon.com/codesuite/codepipeline/pipelines/cicd-dev/view?region=eu-central-1"
	)
	pending := map[string]any{
		"appUrl":         "http://" + testAddress,
		"publicIp":       testAddress,
		"instanceIds":    []string{"cicd-dev-host-x86_64-id"},
		"sshCommand":     "",
		"sessionCommand": session,
		"logGroup":       "/cicd/dev",
		"repositoryUrl":  testAccount + ".dkr.ecr.eu-central-1.amazonaws.com/cicd-dev",
		"connectionArn":  "arn:of:cicd-dev-connection",
		"pipelineName":   "",
		"pipelineUrl":    "",
		"nextStep": "Open https://eu-central-1.console.aws.amazon.com/codesuite/settings/connections?region=eu-central-1 as somebody who may install GitHub Apps " +
			"for the repository's owner, choose the connection cicd-dev-eu-central-1 and \"Update pending connection\". When it is \"Available\", run " +
			"`pulumi config set connectionAuthorized true --stack dev` and `pulumi up --stack dev`: that creates the pipeline.",
	}
	tests := []struct {
		name   string
		config map[string]string
		change map[string]any
	}{
		{"pending", with(), nil},
		{"authorized", with("connectionAuthorized", "true", "branch", "release"), map[string]any{
			"pipelineName": "cicd-dev",
			"pipelineUrl":  pipeline,
			"nextStep": "Push to branch release of example/webapp to release it, and watch the release at " + pipeline +
				". The first release, of the branch's current commit, has started by itself. A change of environment, secrets, releaseCommand, processes, volumes or domain " +
				"takes effect with the next release: `aws codepipeline start-pipeline-execution --name cicd-dev --region eu-central-1` releases the " +
				"current commit again, without a push, and builds no image anew.",
		}},
		{"scripts of the stack", with("connectionAuthorized", "true", "deployScripts", "stack"), map[string]any{
			"pipelineName": "cicd-dev",
			"pipelineUrl":  pipeline,
			"nextStep": "Push to branch main of example/webapp to release it, and watch the release at " + pipeline +
				". The first release, of the branch's current commit, has started by itself. A change of environment, secrets, releaseCommand, processes, volumes or domain, " +
				"or of the deployment scripts, which come with this program, takes effect with the next release: `aws codepipeline start-pipeline-execution " +
				"--name cicd-dev --region eu-central-1` releases the current commit again, without a push, and builds no image anew.",
		}},
		{"operator with key", with("operatorIp", "198.51.100.7", "sshPublicKey", testKey), map[string]any{
			"sshCommand": "ssh ec2-user@" + testAddress,
		}},
		{"operator without key", with("operatorIp", "198.51.100.7"), map[string]any{
			"sshCommand": "aws ec2-instance-connect ssh --os-user ec2-user --instance-id cicd-dev-host-x86_64-id --region eu-central-1",
		}},
		{"key without operator", with("sshPublicKey", testKey), nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			want := maps.Clone(pending)
			maps.Copy(want, tt.change)
			got := run(t, tt.config).outputs
			for name := range want {
				if !reflect.DeepEqual(got[name], want[name]) && !sameStrings(got[name], want[name]) {
					t.Errorf("output %s = %v\nwant %v", name, got[name], want[name])
				}
			}
			if len(got) != len(want) {
				t.Errorf("%d outputs, want %d: %v", len(got), len(want), got)
			}
		})
	}
}

// sameStrings compares lists whose element types differ (IDs are strings of their own type).
func sameStrings(a, b any) bool {
	x, y := reflect.ValueOf(a), reflect.ValueOf(b)
	if x.Kind() != reflect.Slice || y.Kind() != reflect.Slice || x.Len() != y.Len() {
		return false
	}
	for i := range x.Len() {
		if x.Index(i).String() != y.Index(i).String() {
			return false
		}
	}
	return true
}
