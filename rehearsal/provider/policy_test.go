package provider

import (
	"strings"
	"testing"

	"cicd/rehearsal/aws/account"
)

// Package iam's TestParse… covers what is wrong with a policy; these check the service's error.
func TestPolicyRefuses(t *testing.T) {
	const aws = `"Principal":{"AWS":"123456789012"},`
	tests := []struct {
		name   string
		kind   policyKind
		policy string // a whole document, or one statement of it
		want   string
	}{
		{"above U+00FF", identityPolicy, `{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::b/–"}`, "MalformedPolicyDocument: Member must satisfy regular expression pattern"},
		{"S3 in a region", identityPolicy, `{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:us-east-1::b/*"}`, "can not contain region information"},
		{"IAM in a region", identityPolicy, `{"Effect":"Allow","Action":"iam:PassRole","Resource":"arn:aws:iam:us-east-1:123456789012:role/r"}`, "cannot contain region information"},
		{"IAM's path", identityPolicy, `{"Effect":"Allow","Action":"iam:PassRole","Resource":"arn:aws:iam::123456789012:roles/r"}`, `IAM resource path must either be "*" or start with`},
		{"unknown service", trustPolicy, `{"Effect":"Allow","Principal":{"Service":"codebuilder.amazonaws.com"},"Action":"sts:AssumeRole"}`, `Invalid principal in policy: "SERVICE":"codebuilder.amazonaws.com"`},
		{"unknown service of a topic", topicPolicy, `{"Effect":"Allow","Principal":{"Service":"nobody.amazonaws.com"},"Action":"sns:Publish","Resource":"*"}`, "Invalid principal in policy"},
		{"bucket's action on objects", bucketPolicy, `{"Effect":"Deny","Principal":"*","Action":["s3:GetObject","s3:ListBucket"],"Resource":"arn:aws:s3:::b/*"}`, `Action does not apply to any resource(s) in statement: "s3:ListBucket"`},
		{"objects' action on the bucket", bucketPolicy, `{"Effect":"Deny","Principal":"*","Action":"s3:PutObject*","Resource":"arn:aws:s3:::b"}`, "Action does not apply to any resource(s) in statement"},
		{"no action of S3", bucketPolicy, `{"Effect":"Deny","Principal":"*","Action":"s3:GetObjects","Resource":"arn:aws:s3:::b/*"}`, "Policy has invalid action"},
		{"no JSON", identityPolicy, `{"Version":`, "policy: MalformedPolicyDocument: contains an invalid JSON policy"},
		{"identity", identityPolicy, `{"Effect":"Allow","Action":"GetObject","Resource":"*"}`, "policy: MalformedPolicyDocument: statement 1: Actions/Conditions must be prefaced by a vendor"},
		{"trust", trustPolicy, `{"Effect":"Allow","Action":"sts:AssumeRole"}`, "MalformedPolicyDocument: statement 1: Missing required field Principal"},
		{"bucket", bucketPolicy, `{"Effect":"Deny","Action":"s3:*","Resource":"*"}`, "policy: MalformedPolicy: statement 1: Missing required field Principal"},
		{"repository", repositoryPolicy, `{"Effect":"Deny",` + aws + `"Action":"ecr:*","Resource":"*"}`, "'Invalid repository policy provided': statement 1: Has prohibited field Resource"},
		{"key", keyPolicy, `{"Effect":"allow",` + aws + `"Action":"kms:*","Resource":"*"}`, "MalformedPolicyDocumentException: statement 1: Effect must be Allow or Deny"},
		{"topic", topicPolicy, `{"Effect":"Allow",` + aws + `"Action":"sns:Publish"}`, "Policy Error: statement 1: Policy statement must contain resources"},
		{"second statement by its Sid", identityPolicy, `{"Effect":"Deny","Action":"*","Resource":"*"},{"Sid":"Two","Effect":"Deny","Action":"*","Resource":"x"}`, `statement "Two": Resource x must be in ARN format`},
		{"size", identityPolicy, `{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::` + strings.Repeat("b", 10240) + `"}`, "LimitExceeded"},
		{"trust of another action", trustPolicy, `{"Effect":"Allow",` + aws + `"Action":"s3:GetObject"}`, "MalformedPolicyDocument: statement 1: AssumeRole policy may only specify STS AssumeRole actions"},
		{"bucket policy of another service", bucketPolicy, `{"Effect":"Deny",` + aws + `"Action":"ec2:RunInstances","Resource":"*"}`, "MalformedPolicy: statement 1: Policy has invalid action"},
		{"what AWS takes", identityPolicy, `{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"BinaryEquals":{"x:y":"QQ=="}}}`, "policy: AWS accepts this, but it cannot be rehearsed: statement 1: "},
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
	const aws = `"Principal":{"AWS":"123456789012"},`
	tests := []struct {
		name   string
		kind   policyKind
		policy string
	}{
		{"one statement", identityPolicy, `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}`},
		{"everything", identityPolicy, `{"Sid":"Read1","Effect":"Allow","NotAction":["iam:*"],"NotResource":["arn:aws:s3:::a/*"],"Condition":{"ForAnyValue:StringLikeIfExists":{"aws:TagKeys":["a"]},"Bool":{"aws:SecureTransport":true}}}`},
		{"every partition", identityPolicy, `{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:*:s3:::bucket/*"}`},
		{"confused deputy", trustPolicy, `{"Effect":"Allow","Principal":{"Service":"codebuild.amazonaws.com"},"Action":"sts:AssumeRole","Condition":{"ArnEquals":{"aws:SourceArn":"arn:aws:codebuild:us-east-1:123456789012:project/web"}}}`},
		{"federated", trustPolicy, `{"Effect":"Allow","Principal":{"Federated":"arn:aws:iam::123456789012:oidc-provider/x"},"Action":"sts:AssumeRoleWithWebIdentity"}`},
		{"TLS only", bucketPolicy, `{"Sid":"TLS only","Effect":"Deny","Principal":{"AWS":"*"},"Action":"s3:*","Resource":["arn:aws:s3:::a","arn:aws:s3:::a/*"],"Condition":{"Bool":{"aws:SecureTransport":"false"}}}`},
		{"services of a region", trustPolicy, `{"Effect":"Allow","Principal":{"Service":["codedeploy.us-east-1.amazonaws.com","ecs-tasks.amazonaws.com","ec2.amazonaws.com.cn"]},"Action":"sts:AssumeRole"}`},
		{"access points", identityPolicy, `{"Effect":"Allow","Action":"s3:GetObject","Resource":["arn:aws:s3:us-east-1:123456789012:accesspoint/a/object/*","arn:aws:iam::123456789012:*"]}`},
		{"all that reads a bucket", bucketPolicy, `{"Effect":"Deny","Principal":"*","Action":["s3:Get*","s3:List*"],"Resource":"arn:aws:s3:::b"}`},
		{"either kind of action", bucketPolicy, `{"Effect":"Deny","Principal":"*","Action":["s3:GetObject","s3:ListBucket"],"Resource":["arn:aws:s3:::b","arn:aws:s3:::b/*"]}`},
		{"action of a role in capitals", trustPolicy, `{"Effect":"Allow",` + aws + `"Action":"STS:AssumeRole"}`},
		{"action of a bucket in capitals", bucketPolicy, `{"Effect":"Deny",` + aws + `"Action":"S3:*","Resource":"*"}`},
		{"action of a repository in capitals", repositoryPolicy, `{"Effect":"Deny",` + aws + `"Action":"ECR:PutImage"}`},
		{"action of a key in capitals", keyPolicy, `{"Effect":"Deny",` + aws + `"Action":"KMS:Decrypt","Resource":"*"}`},
		{"action of a topic in capitals", topicPolicy, `{"Effect":"Deny",` + aws + `"Action":"SNS:Publish","Resource":"*"}`},
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

// document2012 wraps a statement in a document, and leaves documents alone.
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
