package iam

import (
	"errors"
	"testing"
)

// Up to the semicolon, the wording is AWS's: IAM User Guide, "Troubleshoot access denied error messages".
func TestDeniedError(t *testing.T) {
	const needs = `; role "build-role" in component Build needs the statement `
	user := "User: " + sessionARN + " is not authorized to perform: "
	because := func(action string) string {
		return " because no identity-based policy allows the " + action + " action"
	}
	tests := []struct {
		name, inline, bucket, action, resource string
		want                                   string
	}{
		{"nothing granted", "", "", "ecr:PutImage", repoARN,
			user + "ecr:PutImage on resource: " + repoARN + because("ecr:PutImage") + needs +
				`{"Effect":"Allow","Action":"ecr:PutImage","Resource":"` + repoARN + `"}`},
		{"no resource type", "", "", "ecr:GetAuthorizationToken", "*",
			user + "ecr:GetAuthorizationToken on resource: *" + because("ecr:GetAuthorizationToken") + needs +
				`{"Effect":"Allow","Action":"ecr:GetAuthorizationToken","Resource":"*"}`},
		{"an object", "", "", "s3:PutObject", "arn:aws:s3:::b/k/l",
			user + "s3:PutObject on resource: arn:aws:s3:::b/k/l" + because("s3:PutObject") + needs +
				`{"Effect":"Allow","Action":"s3:PutObject","Resource":"arn:aws:s3:::b/*"}`},
		{"a bucket", "", "", "s3:ListBucket", "arn:aws:s3:::b",
			user + "s3:ListBucket on resource: arn:aws:s3:::b" + because("s3:ListBucket") + needs +
				`{"Effect":"Allow","Action":"s3:ListBucket","Resource":"arn:aws:s3:::b"}`},
		{"a log stream", "", "", "logs:PutLogEvents", "arn:aws:logs:eu-west-1:123456789012:log-group:g:log-stream:s",
			user + "logs:PutLogEvents on resource: arn:aws:logs:eu-west-1:123456789012:log-group:g:log-stream:s" + because("logs:PutLogEvents") + needs +
				`{"Effect":"Allow","Action":"logs:PutLogEvents","Resource":"arn:aws:logs:eu-west-1:123456789012:log-group:g:*"}`},
		{"nearly", one(`[{"Sid":"Push","Effect":"Allow","Action":"ecr:PutImage","Resource":"` + repoARN + `2"},
				{"Effect":"Allow","Action":"ecr:*","Resource":"*","Condition":{"StringEquals":{"aws:RequestedRegion":["x","y"]}}}]`), "", "ecr:PutImage", repoARN,
			user + "ecr:PutImage on resource: " + repoARN + because("ecr:PutImage") + needs +
				`{"Effect":"Allow","Action":"ecr:PutImage","Resource":"` + repoARN + `"}` +
				` (statement "Push" of "build-policy" allows the action, but not on this resource;` +
				` statement 2 of "build-policy" allows the action, but its condition StringEquals aws:RequestedRegion wants ["x" "y"], but the request has ["eu-west-1"])`},
		{"bucket denies", "", one(`{"Sid":"Closed","Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"*"}`), "s3:GetObject", objectARN,
			user + "s3:GetObject on resource: " + objectARN + " with an explicit deny in a resource-based policy" +
				`; statement "Closed" of "artifacts" in component Pipeline denies it: no other statement can allow it while that one applies`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			a, _ := declare(trusting(""), tt.inline, tt.bucket)
			var denied *DeniedError
			if err := a.Authorize(assume(t, a), tt.action, tt.resource); !errors.As(err, &denied) {
				t.Fatalf("error = %v, want a *DeniedError", err)
			}
			if denied.Error() != tt.want {
				t.Errorf("error:\n%s\nwant:\n%s", denied, tt.want)
			}
			if denied.Role != roleARN || denied.Component != "Build" || denied.Action != tt.action || denied.Resource != tt.resource {
				t.Errorf("fields: %+v", denied)
			}
		})
	}
}

func TestDeniedTrust(t *testing.T) {
	a, _ := declare(trusting(""), "", "")
	_, err := a.AssumeRole(roleARN, "codedeploy.amazonaws.com", "n", project)
	const want = "codedeploy.amazonaws.com is not authorized to perform: sts:AssumeRole on resource: " + roleARN +
		" because no role trust policy allows the sts:AssumeRole action" +
		`; the trust policy of role "build-role" in component Build needs the statement ` +
		`{"Effect":"Allow","Principal":{"Service":"codedeploy.amazonaws.com"},"Action":"sts:AssumeRole","Condition":{"ArnEquals":{"aws:SourceArn":"` + project + `"}}}` +
		` (statement 1 of "build-role" allows the action, but not to this principal)`
	if err == nil || err.Error() != want {
		t.Errorf("error:\n%v\nwant:\n%s", err, want)
	}
}

func TestComponent(t *testing.T) {
	for urn, want := range map[string]string{
		roleURN: "Build",
		"urn:pulumi:dev::cicd::cicd:index:Release$cicd:index:Target$aws:iam/role:Role::r": "Target",
		"urn:pulumi:dev::cicd::aws:iam/role:Role::r":                                      "",
		"r": "",
	} {
		if got := component(urn); got != want {
			t.Errorf("component(%q) = %q, want %q", urn, got, want)
		}
	}
}
