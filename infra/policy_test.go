package infra

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// allowed is one line of the table below: an action, and a resource that it is allowed on.
type allowed struct{ sid, action, resource string }

const (
	bucketARN      = "arn:of:cicd-dev-artifacts"
	repositoryARN  = "arn:of:cicd-dev-repository"
	cacheARN       = "arn:of:cicd-dev-cache"
	applicationARN = "arn:of:cicd-dev-application"
)

// mayDo lists everything that any role may do. A new line here is a decision.
var mayDo = map[string][]allowed{
	"pipeline": {
		{"FindArtifactStore", "s3:GetBucketAcl", bucketARN},
		{"FindArtifactStore", "s3:GetBucketLocation", bucketARN},
		{"FindArtifactStore", "s3:GetBucketVersioning", bucketARN},
		{"HandOnArtifacts", "s3:GetObject", bucketARN + "/*"},
		{"HandOnArtifacts", "s3:GetObjectVersion", bucketARN + "/*"},
		{"HandOnArtifacts", "s3:PutObject", bucketARN + "/*"},
		{"HandOnArtifacts", "s3:PutObjectAcl", bucketARN + "/*"},
		{"ReadRepository", "codeconnections:UseConnection", "arn:of:cicd-dev-connection"},
		{"RunBuild", "codebuild:BatchGetBuilds", "arn:of:cicd-dev-build"},
		{"RunBuild", "codebuild:StartBuild", "arn:of:cicd-dev-build"},
		{"Deploy", "codedeploy:CreateDeployment", "arn:of:cicd-dev-hosts"},
		{"Deploy", "codedeploy:GetDeployment", "arn:of:cicd-dev-hosts"},
		{"RegisterBundle", "codedeploy:GetApplication", applicationARN},
		{"RegisterBundle", "codedeploy:GetApplicationRevision", applicationARN},
		{"RegisterBundle", "codedeploy:RegisterApplicationRevision", applicationARN},
		{"ReadDeploymentConfig", "codedeploy:GetDeploymentConfig",
			"arn:aws:codedeploy:eu-central-1:123456789012:deploymentconfig:CodeDeployDefault.OneAtATime"},
	},
	"build": {
		{"WriteBuildLogs", "logs:CreateLogStream", "arn:of:cicd-dev-build-logs:*"},
		{"WriteBuildLogs", "logs:PutLogEvents", "arn:of:cicd-dev-build-logs:*"},
		{"FindArtifactStore", "s3:GetBucketAcl", bucketARN},
		{"FindArtifactStore", "s3:GetBucketLocation", bucketARN},
		{"ReadSourceWriteBundle", "s3:GetObject", bucketARN + "/*"},
		{"ReadSourceWriteBundle", "s3:GetObjectVersion", bucketARN + "/*"},
		{"ReadSourceWriteBundle", "s3:PutObject", bucketARN + "/*"},
		{"LogInToRegistry", "ecr:GetAuthorizationToken", "*"},
		{"PushImage", "ecr:BatchCheckLayerAvailability", repositoryARN},
		{"PushImage", "ecr:BatchGetImage", repositoryARN},
		{"PushImage", "ecr:CompleteLayerUpload", repositoryARN},
		{"PushImage", "ecr:InitiateLayerUpload", repositoryARN},
		{"PushImage", "ecr:PutImage", repositoryARN},
		{"PushImage", "ecr:UploadLayerPart", repositoryARN},
		{"CacheLayers", "ecr:BatchCheckLayerAvailability", cacheARN},
		{"CacheLayers", "ecr:BatchGetImage", cacheARN},
		{"CacheLayers", "ecr:CompleteLayerUpload", cacheARN},
		{"CacheLayers", "ecr:GetDownloadUrlForLayer", cacheARN},
		{"CacheLayers", "ecr:InitiateLayerUpload", cacheARN},
		{"CacheLayers", "ecr:PutImage", cacheARN},
		{"CacheLayers", "ecr:UploadLayerPart", cacheARN},
		{"FindPushedImage", "ecr:DescribeImages", repositoryARN},
	},
	"host": {
		{"ReadBundle", "s3:GetObject", bucketARN + "/*"},
		{"ReadBundle", "s3:GetObjectVersion", bucketARN + "/*"},
		{"LogInToRegistry", "ecr:GetAuthorizationToken", "*"},
		{"PullImage", "ecr:BatchGetImage", repositoryARN},
		{"PullImage", "ecr:GetDownloadUrlForLayer", repositoryARN},
		{"OpenSessions", "ssm:UpdateInstanceInformation", "*"},
		{"OpenSessions", "ssmmessages:CreateControlChannel", "*"},
		{"OpenSessions", "ssmmessages:CreateDataChannel", "*"},
		{"OpenSessions", "ssmmessages:OpenControlChannel", "*"},
		{"OpenSessions", "ssmmessages:OpenDataChannel", "*"},
		{"WriteAppLogs", "logs:CreateLogStream", "arn:of:cicd-dev-logs:*"},
		{"WriteAppLogs", "logs:PutLogEvents", "arn:of:cicd-dev-logs:*"},
	},
	"deploy": {
		{"FindHosts", "ec2:DescribeInstanceStatus", "*"},
		{"FindHosts", "ec2:DescribeInstances", "*"},
		{"FindHosts", "tag:GetResources", "*"},
	},
}

// TestPermissions holds each role's policy against mayDo.
func TestPermissions(t *testing.T) {
	rec := run(t, with("connectionAuthorized", "true"))
	if got := len(rec.ofType("iam/rolePolicy:RolePolicy")); got != len(mayDo) {
		t.Errorf("%d policies, want %d", got, len(mayDo))
	}
	for purpose, lines := range mayDo {
		policy := rec.named(t, "iam/rolePolicy:RolePolicy", "cicd-dev-"+purpose+"-policy")
		if got, want := policy.Inputs["role"].StringValue(), "cicd-dev-eu-central-1-"+purpose; got != want {
			t.Errorf("the %s policy is on role %s, want %s", purpose, got, want)
		}
		if got := lined(t, policy, "policy"); !reflect.DeepEqual(got, lines) {
			t.Errorf("role %s may\n%s\nwant\n%s", purpose, multiline(got), multiline(lines))
		}
	}
}

// TestPermissionsOfSecrets: what the secrets of containers and builds add, with the conditions of keys.
func TestPermissionsOfSecrets(t *testing.T) {
	read := func(sid, action, resource string) statement {
		return statement{Sid: sid, Effect: "Allow", Action: []string{action}, Resource: []string{resource}}
	}
	decrypt := func(sid, service, context, arn string) statement {
		s := read(sid, "kms:Decrypt", "arn:aws:kms:eu-central-1:123456789012:key/*")
		s.Condition = condition{"StringEquals": {"kms:ViaService": service + ".eu-central-1.amazonaws.com", "kms:EncryptionContext:" + context: []any{arn}}}
		return s
	}
	record := read("RecordSecrets", "ssm:PutParameter", ownParameters+"running-release")
	tests := []struct {
		name, purpose, key, secrets string
		want                        []statement
	}{
		{"none", "host", "secrets", `{}`, nil},
		{"own", "host", "secrets", `{"A":"","B":""}`, []statement{read("ReadParameters", "ssm:GetParameters", ownParameters+"*"), record}},
		{"parameter", "host", "secrets", `{"A":"` + testParameter + `"}`, []statement{
			read("ReadParameters", "ssm:GetParameters", testParameter), decrypt("DecryptParameters", "ssm", "PARAMETER_ARN", testParameter)}},
		{"secret, two fields", "host", "secrets", `{"A":"` + testSecret + `#a","B":"` + testSecret + `#b"}`, []statement{
			read("ReadSecrets", "secretsmanager:GetSecretValue", testSecret), decrypt("DecryptSecrets", "secretsmanager", "SecretARN", testSecret)}},
		{"own", "build", "buildSecrets", `{"A":""}`, []statement{read("ReadParameters", "ssm:GetParameters", ownParameters+"A")}},
		{"parameter", "build", "buildSecrets", `{"A":"` + testParameter + `"}`, []statement{
			read("ReadParameters", "ssm:GetParameters", testParameter), decrypt("DecryptParameters", "ssm", "PARAMETER_ARN", testParameter)}},
		{"the container's", "build", "secrets", `{"A":"","B":"` + testSecret + `"}`, nil},
		{"the build's", "host", "buildSecrets", `{"A":"","B":"` + testSecret + `"}`, nil},
	}
	for _, tt := range tests {
		t.Run(tt.purpose+", "+tt.name, func(t *testing.T) {
			rec := run(t, with(tt.key, tt.secrets, "connectionAuthorized", "true"))
			all := statements(t, rec.named(t, "iam/rolePolicy:RolePolicy", "cicd-dev-"+tt.purpose+"-policy"), "policy")
			plain := statements(t, run(t, with()).named(t, "iam/rolePolicy:RolePolicy", "cicd-dev-"+tt.purpose+"-policy"), "policy")
			if got := all[len(plain):]; !reflect.DeepEqual(got, tt.want) && len(got)+len(tt.want) > 0 {
				t.Errorf("secrets add %+v\nwant %+v", got, tt.want)
			}
		})
	}
}

// TestPoliciesFit: IAM takes 10,240 characters in a role's inline policies, in the region and with the names that take
// most.
func TestPoliciesFit(t *testing.T) {
	const longestARN = 130 // of a bucket's, a repository's or a log group's with the longest names
	secrets := func(from string, n int) string {
		fields := make([]string, n)
		for i := range fields {
			fields[i] = fmt.Sprintf(`"V%03d":"%s"`, i, strings.ReplaceAll(from, "NAME", fmt.Sprintf("n%03d", i)))
		}
		return "{" + strings.Join(fields, ",") + "}"
	}
	const region = "us-gov-west-1"
	tests := map[string]string{
		"own":        "",
		"parameters": "arn:aws-us-gov:ssm:" + region + ":123456789012:parameter/shared/NAME",
		"secrets":    "arn:aws-us-gov:secretsmanager:" + region + ":123456789012:secret:shared/NAME-a1B2c3",
	}
	for name, from := range tests {
		for n := 100; ; n-- { // as many as are accepted
			config := with("aws:region", region, "connectionArn", strings.ReplaceAll(testConnection, "arn:aws:", "arn:aws-us-gov:"),
				"secrets", secrets(from, n), "buildSecrets", secrets(from, min(n, 60)))
			rec, stack := &recorder{}, "a-very-longish-name"
			if CheckConfig("cicd", stack, config, nil) != nil {
				continue
			}
			if err := attempt(rec, "cicd", stack, config); err != nil {
				t.Fatal(err)
			}
			if n < 30 || n < 100 && name == "own" {
				t.Errorf("%s: only %d secrets are accepted", name, n)
			}
			for _, policy := range rec.ofType("iam/rolePolicy:RolePolicy") {
				text := policy.Inputs["policy"].StringValue()
				if size := len(text) + longestARN*strings.Count(text, "arn:of:"); size > 10_240 {
					t.Errorf("%s: %s has %d characters with %d secrets, and IAM takes 10,240", name, policy.Name, size, n)
				}
			}
			break
		}
	}
}

// lined splits a policy into lines of the table.
func lined(t *testing.T, a pulumi.MockResourceArgs, property string) []allowed {
	t.Helper()
	var lines []allowed
	sids := map[string]bool{}
	for _, s := range statements(t, a, property) {
		if s.Sid == "" || sids[s.Sid] || s.Effect != "Allow" || s.Principal != nil || s.Condition != nil {
			t.Errorf("%s: statement %+v: want a Sid of its own, Allow, no principal and no condition", a.Name, s)
		}
		sids[s.Sid] = true
		if !slices.IsSorted(s.Action) {
			t.Errorf("%s: actions of %s are not sorted", a.Name, s.Sid)
		}
		for _, action := range s.Action {
			for _, target := range s.Resource {
				lines = append(lines, allowed{s.Sid, action, target})
			}
		}
	}
	return lines
}

func statements(t *testing.T, a pulumi.MockResourceArgs, property string) []statement {
	t.Helper()
	var doc policyDocument
	if err := json.Unmarshal([]byte(a.Inputs[resource.PropertyKey(property)].StringValue()), &doc); err != nil {
		t.Fatalf("%s: %v", a.Name, err)
	}
	if doc.Version != "2012-10-17" {
		t.Errorf("%s: version %q", a.Name, doc.Version)
	}
	return doc.Statement
}

func multiline(lines []allowed) string {
	var b strings.Builder
	for _, l := range lines {
		fmt.Fprintf(&b, "  %s %s %s\n", l.sid, l.action, l.resource)
	}
	return b.String()
}

// TestTrust checks who may assume each role, and on whose behalf.
func TestTrust(t *testing.T) {
	tests := []struct {
		purpose, service string
		condition        condition
	}{
		{"pipeline", "codepipeline.amazonaws.com", condition{
			"StringEqualsIfExists": {"aws:SourceAccount": testAccount},
			"ArnEqualsIfExists":    {"aws:SourceArn": "arn:aws:codepipeline:eu-central-1:123456789012:cicd-dev"},
		}},
		{"build", "codebuild.amazonaws.com", condition{
			"ArnEquals": {"aws:SourceArn": "arn:aws:codebuild:eu-central-1:123456789012:project/cicd-dev-build"},
		}},
		{"deploy", "codedeploy.amazonaws.com", condition{
			"StringEquals": {"aws:SourceAccount": testAccount},
			"StringLike":   {"aws:SourceArn": "arn:aws:codedeploy:eu-central-1:123456789012:deploymentgroup:cicd-dev/*"},
		}},
		{"host", "ec2.amazonaws.com", nil},
	}
	rec := run(t, with("connectionAuthorized", "true"))
	for _, tt := range tests {
		t.Run(tt.purpose, func(t *testing.T) {
			role := rec.named(t, "iam/role:Role", "cicd-dev-"+tt.purpose+"-role")
			want := []statement{{
				Sid: "AssumedByService", Effect: "Allow", Principal: map[string]string{"Service": tt.service},
				Action: []string{"sts:AssumeRole"}, Condition: tt.condition,
			}}
			if got := statements(t, role, "assumeRolePolicy"); !reflect.DeepEqual(got, want) {
				t.Errorf("trust policy %+v\nwant %+v", got, want)
			}
			if got, want := role.Inputs["name"].StringValue(), "cicd-dev-eu-central-1-"+tt.purpose; got != want {
				t.Errorf("role name %s, want %s", got, want)
			}
		})
	}
}

// TestUseConnection: the action's prefix matches the connection's ARN (F4).
func TestUseConnection(t *testing.T) {
	renamed := strings.Replace(testConnection, "codestar-connections", "codeconnections", 1)
	for arn, action := range map[string]string{
		testConnection: "codestar-connections:UseConnection",
		renamed:        "codeconnections:UseConnection",
	} {
		rec := run(t, with("connectionArn", arn))
		policy := rec.named(t, "iam/rolePolicy:RolePolicy", "cicd-dev-pipeline-policy")
		if want := (allowed{"ReadRepository", action, arn}); !slices.Contains(lined(t, policy, "policy"), want) {
			t.Errorf("the pipeline's policy lacks %+v", want)
		}
	}
}
