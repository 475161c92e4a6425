package provider

import (
	"strings"
	"testing"

	"cicd/rehearsal/account"
)

func TestPolicyRefuses(t *testing.T) {
	tests := []struct {
		name   string
		kind   policyKind
		policy string // a whole document, or one statement of it
		want   string
	}{
		{"no JSON", identityPolicy, `{"Version":`, "contains an invalid JSON policy"},
		{"unknown version", identityPolicy, `{"Version":"2020-01-01","Statement":[]}`, "valid version string"},
		{"unknown element", identityPolicy, `{"Version":"2012-10-17","Statements":[]}`, "unknown element Statements"},
		{"no statement", identityPolicy, `{"Version":"2012-10-17","Statement":[]}`, "Missing required field Statement"},
		{"unknown statement element", identityPolicy, `{"Effect":"Allow","Actions":"s3:GetObject","Resource":"*"}`, "unknown element Actions"},
		{"effect", identityPolicy, `{"Effect":"allow","Action":"s3:GetObject","Resource":"*"}`, "Effect must be Allow or Deny"},
		{"no action", identityPolicy, `{"Effect":"Allow","Resource":"*"}`, "must contain actions"},
		{"empty actions", identityPolicy, `{"Effect":"Allow","Action":[],"Resource":"*"}`, "must contain actions"},
		{"action and its inverse", identityPolicy, `{"Effect":"Allow","Action":"s3:GetObject","NotAction":"s3:*","Resource":"*"}`, "must contain actions"},
		{"action without service", identityPolicy, `{"Effect":"Allow","Action":"GetObject","Resource":"*"}`, "prefaced by a vendor"},
		{"no resource", identityPolicy, `{"Effect":"Allow","Action":"s3:GetObject"}`, "must contain resources"},
		{"resource that is no ARN", identityPolicy, `{"Effect":"Allow","Action":"s3:GetObject","Resource":"my-bucket"}`, "must be in ARN format"},
		{"principal of an identity", identityPolicy, `{"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"*"}`, "should not specify a principal"},
		{"sid", identityPolicy, `{"Sid":"read objects","Effect":"Allow","Action":"s3:GetObject","Resource":"*"}`, "alpha-numeric"},
		{"condition operator", identityPolicy, `{"Effect":"Allow","Action":"s3:GetObject","Resource":"*","Condition":{"StringIs":{"aws:a":"b"}}}`, "Invalid Condition type : StringIs"},
		{"condition key", identityPolicy, `{"Effect":"Allow","Action":"s3:GetObject","Resource":"*","Condition":{"StringEquals":{"SourceArn":"b"}}}`, "condition key"},
		{"size", identityPolicy, `{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::` + strings.Repeat("b", 10240) + `"}`, "LimitExceeded"},
		{"trust without principal", trustPolicy, `{"Effect":"Allow","Action":"sts:AssumeRole"}`, "Missing required field Principal"},
		{"trust with resource", trustPolicy, `{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole","Resource":"*"}`, "prohibited field Resource"},
		{"trust of another action", trustPolicy, `{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"s3:GetObject"}`, "may only specify STS AssumeRole actions"},
		{"trust of no service", trustPolicy, `{"Effect":"Allow","Principal":{"Service":"ec2"},"Action":"sts:AssumeRole"}`, `Invalid principal in policy: "Service":"ec2"`},
		{"bucket policy of another service", bucketPolicy, `{"Effect":"Deny","Principal":"*","Action":"ec2:RunInstances","Resource":"*"}`, "invalid action"},
		{"bucket policy without principal", bucketPolicy, `{"Effect":"Deny","Action":"s3:*","Resource":"*"}`, "Missing required field Principal"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := &report{}
			tt.kind.check("policy", document2012(tt.policy), r)
			if err := r.err(); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error = %v, want one containing %q", err, tt.want)
			}
		})
	}
}

func TestPolicyAccepts(t *testing.T) {
	tests := []struct {
		name   string
		kind   policyKind
		policy string
	}{
		{"one statement", identityPolicy, `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}`},
		{"everything", identityPolicy, `{"Sid":"Read1","Effect":"Allow","NotAction":["iam:*"],"NotResource":["arn:aws:s3:::a/*"],"Condition":{"ForAnyValue:StringLikeIfExists":{"aws:TagKeys":["a"]},"Bool":{"aws:SecureTransport":true}}}`},
		{"confused deputy", trustPolicy, `{"Effect":"Allow","Principal":{"Service":"codebuild.amazonaws.com"},"Action":"sts:AssumeRole","Condition":{"ArnEquals":{"aws:SourceArn":"arn:aws:codebuild:us-east-1:123456789012:project/web"}}}`},
		{"federated", trustPolicy, `{"Effect":"Allow","Principal":{"Federated":"arn:aws:iam::123456789012:oidc-provider/x"},"Action":"sts:AssumeRoleWithWebIdentity"}`},
		{"TLS only", bucketPolicy, `{"Effect":"Deny","Principal":{"AWS":"*"},"Action":"s3:*","Resource":["arn:aws:s3:::a","arn:aws:s3:::a/*"],"Condition":{"Bool":{"aws:SecureTransport":"false"}}}`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := &report{}
			tt.kind.check("policy", document2012(tt.policy), r)
			if err := r.err(); err != nil {
				t.Error(err)
			}
		})
	}
}

// document2012 wraps a statement into a document, and leaves documents alone.
func document2012(policy string) string {
	if strings.Contains(policy, `"Version"`) {
		return policy
	}
	return `{"Version":"2012-10-17","Statement":[` + policy + `]}`
}

func TestBucketPolicyOfThisBucket(t *testing.T) {
	tests := []struct{ name, statement, want string }{
		{"another bucket", `{"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"arn:aws:s3:::other/*"}`, "Policy has invalid resource"},
		{"bucket whose name begins alike", `{"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"arn:aws:s3:::web-artifacts-2"}`, "Policy has invalid resource"},
		{"public", `{"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::web-artifacts/*"}`, "BlockPublicPolicy"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t)
			w.declareUntil("tls")
			_, err := w.declare(account.BucketPolicy, "tls", values{"bucket": "web-artifacts", "policy": document2012(tt.statement)})
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error = %v, want one containing %q", err, tt.want)
			}
		})
	}
}

func TestLifecyclePolicyRefuses(t *testing.T) {
	const rule = `{"rulePriority":2,"description":"padding to the hundred characters that ECR wants","selection":SELECTION,"action":{"type":"expire"}}`
	tests := []struct{ name, selection, want string }{
		{"unknown key", `{"tagStatus":"any","countType":"imageCountMoreThan","countNumber":1,"tags":[]}`, `unknown field "tags"`},
		{"no status", `{"countType":"imageCountMoreThan","countNumber":1}`, "tagStatus must be"},
		{"tagged without tags", `{"tagStatus":"tagged","countType":"imageCountMoreThan","countNumber":1}`, "goes with tagStatus tagged"},
		{"no unit", `{"tagStatus":"any","countType":"sinceImagePushed","countNumber":1}`, "wants countUnit days"},
		{"needless unit", `{"tagStatus":"any","countType":"imageCountMoreThan","countUnit":"days","countNumber":1}`, "takes no countUnit"},
		{"no count", `{"tagStatus":"any","countType":"imageCountMoreThan"}`, "countNumber must be"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := &report{}
			checkExpiry(`{"rules":[`+strings.Replace(rule, "SELECTION", tt.selection, 1)+`]}`, r)
			if err := r.err(); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error = %v, want one containing %q", err, tt.want)
			}
		})
	}
	const anyFirst = `{"rules":[
		{"rulePriority":1,"selection":{"tagStatus":"any","countType":"imageCountMoreThan","countNumber":20},"action":{"type":"expire"}},
		{"rulePriority":2,"selection":{"tagStatus":"untagged","countType":"imageCountMoreThan","countNumber":1},"action":{"type":"expire"}}]}`
	r := &report{}
	checkExpiry(anyFirst, r)
	if err := r.err(); err == nil || !strings.Contains(err.Error(), "highest priority number") {
		t.Errorf("any before untagged: error = %v", err)
	}
}
