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
	type conditions = map[string]map[string]string
	tests := []struct {
		purpose, service string
		condition        conditions
	}{
		{"pipeline", "codepipeline.amazonaws.com", conditions{
			"StringEqualsIfExists": {"aws:SourceAccount": testAccount},
			"ArnEqualsIfExists":    {"aws:SourceArn": "arn:aws:codepipeline:eu-central-1:123456789012:cicd-dev"},
		}},
		{"build", "codebuild.amazonaws.com", conditions{
			"ArnEquals": {"aws:SourceArn": "arn:aws:codebuild:eu-central-1:123456789012:project/cicd-dev-build"},
		}},
		{"deploy", "codedeploy.amazonaws.com", conditions{
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
