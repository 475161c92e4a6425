package permissions

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"cicd/rehearsal/aws/account"
	"cicd/rehearsal/aws/iam"
)

// audited returns the audit of a role with the policy, after the role has read two objects below "app/".
func audited(t *testing.T, statements string, exemptions ...exemption) audit {
	t.Helper()
	const role, reader = "arn:aws:iam::123456789012:role/reader", "codebuild.amazonaws.com"
	acct := account.New("123456789012")
	put := func(token, name string, properties map[string]any) {
		urn := "urn:pulumi:dev::cicd::cicd:index:Build$" + token + "::" + name
		acct.Put(account.Resource{Type: token, Name: name, URN: urn, ID: name, Properties: properties})
	}
	put(account.Role, "x-reader-role", map[string]any{"name": "reader", "arn": role, "assumeRolePolicy": `{"Version":"2012-10-17","Statement":{
		"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"Service":"` + reader + `"},
		"Condition":{"ArnEquals":{"aws:SourceArn":"arn:aws:codebuild:eu-central-1:123456789012:project/x"}}}}`})
	put(account.BucketPolicy, "x-bucket", map[string]any{"bucket": "x", "policy": `{"Version":"2012-10-17","Statement":{
		"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"*","Condition":{"Bool":{"aws:SecureTransport":"false"}}}}`})
	allow := func(statements string) {
		put(account.RolePolicy, "x-reader-policy", map[string]any{"role": "reader", "policy": `{"Version":"2012-10-17","Statement":[` + statements + `]}`})
	}
	allow(`{"Effect":"Allow","Action":"s3:GetObject","Resource":"*"}`)
	authority := iam.NewAuthority(acct)
	session, err := authority.AssumeRole(role, reader, "s", "arn:aws:codebuild:eu-central-1:123456789012:project/x")
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{"one", "two"} {
		if err := authority.Authorize(session, "s3:GetObject", "arn:aws:s3:::x/app/"+key); err != nil {
			t.Fatal(err)
		}
	}
	allow(statements)
	a, err := newAudit(acct, authority.Uses(), exemptions)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func TestAudit(t *testing.T) {
	const exact = `{"Sid":"Read","Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::x/app/*"}`
	tests := []struct {
		name, statements string
		exemptions       []exemption
		want             []string // a part of each problem
	}{
		{"in order", exact, nil, nil},
		{"unused", exact + `,{"Sid":"More","Effect":"Allow","Action":"s3:PutObject","Resource":"arn:aws:s3:::x/app/*"}`, nil,
			[]string{`statement "More" of role "x-reader-role" in component Build grants s3:PutObject on arn:aws:s3:::x/app/*, but nothing uses it: remove it`}},
		{"unused and exempt", exact + `,{"Sid":"More","Effect":"Allow","Action":"s3:PutObject","Resource":"arn:aws:s3:::x/app/*"}`,
			[]exemption{{"reader", []string{"s3:PutObject"}, "", "a person does it", "", "", ""}}, nil},
		{"wide resource", `{"Sid":"Read","Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::x/*"}`, nil,
			[]string{"and arn:aws:s3:::x/app/* would be enough: narrow it"}},
		{"wide and exempt", `{"Sid":"Read","Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::x/*"}`,
			[]exemption{{"reader", []string{"s3:GetObject"}, "/*", "keys are made up", "", "", ""}}, nil},
		{"wider than exempted", `{"Sid":"Read","Effect":"Allow","Action":"s3:GetObject","Resource":"*"}`,
			[]exemption{{"reader", []string{"s3:GetObject"}, "/*", "keys are made up", "", "", ""}}, []string{"would be enough", "there is nothing to exempt"}},
		{"wide action", `{"Sid":"Read","Effect":"Allow","Action":"s3:Get*","Resource":"arn:aws:s3:::x/app/*"}`, nil,
			[]string{"s3:GetObject would be enough"}},
		{"not enough", `{"Sid":"Read","Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::x/app/one"}`, nil,
			[]string{"no longer allowed: User: arn:aws:sts::123456789012:assumed-role/reader/again is not authorized to perform: s3:GetObject on resource: arn:aws:s3:::x/app/two"}},
		{"exemption of what only a key grants", exact, []exemption{{"reader", []string{"ssm:GetParameters"}, "/*", "?", "secrets", "", ""}}, nil},
		{"exemption with a key for nothing", exact, []exemption{{"reader", []string{"s3:GetObject"}, "/*", "?", "secrets", "", ""}}, []string{"there is nothing to exempt"}},
		{"exemption of what a key needs whole", exact, []exemption{{"reader", []string{"s3:GetObject"}, "/*", "?", "", "deployScripts", ""}}, nil},
		{"exemption of what a key needs whole, for nothing", exact, []exemption{{"reader", []string{"s3:PutObject"}, "/*", "?", "", "deployScripts", ""}}, []string{"there is nothing to exempt"}},
		{"exemption on another resource", exact + `,{"Sid":"More","Effect":"Allow","Action":"s3:PutObject","Resource":"arn:aws:s3:::x/app/*"}`,
			[]exemption{{"reader", []string{"s3:PutObject"}, "", "?", "", "", "/cache/*"}}, []string{"but nothing uses it", "there is nothing to exempt"}},
		{"exemption of what some machines use", exact, []exemption{{"reader", []string{"s3:GetObject"}, "", "?", "", "", "/app/*"}}, nil},
		{"exemption for nothing", exact, []exemption{{"reader", []string{"s3:GetObject"}, "", "?", "", "", ""}}, []string{"there is nothing to exempt"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			a := audited(t, tt.statements, tt.exemptions...)
			if len(a.problems) != len(tt.want) {
				t.Fatalf("problems %q, want %d", a.problems, len(tt.want))
			}
			for i, want := range tt.want {
				if !strings.Contains(a.problems[i], want) {
					t.Errorf("problem %q, want %q in it", a.problems[i], want)
				}
			}
			if (a.err() == nil) != (len(tt.want) == 0) || a.refused == 0 {
				t.Errorf("error %v after %d refusals", a.err(), a.refused)
			}
		})
	}
}

// TestHiddenUse: Docker does not download an image that it has, so the use of that grant cannot be observed. It is no
// reason to remove it, unless nothing is pulled.
func TestHiddenUse(t *testing.T) {
	const role, repository = "arn:aws:iam::123456789012:role/host", "arn:aws:ecr:eu-central-1:123456789012:repository/web"
	granted := func(resource, action string, uses ...iam.Use) iam.Granted {
		return iam.Granted{Role: role, RoleName: "host-role", Action: action, Resource: resource, Uses: uses}
	}
	used := iam.Use{Role: role, Action: "ecr:BatchGetImage", Resource: repository}
	for name, tt := range map[string]struct {
		granted  []iam.Granted
		problems int
	}{
		"the image is pulled":          {[]iam.Granted{granted(repository, "ecr:BatchGetImage", used), granted(repository, "ecr:GetDownloadUrlForLayer")}, 0},
		"its layers are too":           {[]iam.Granted{granted(repository, "ecr:BatchGetImage", used), granted(repository, "ecr:GetDownloadUrlForLayer", used)}, 0},
		"from another repository":      {[]iam.Granted{granted(repository, "ecr:BatchGetImage", used), granted(repository+"2", "ecr:GetDownloadUrlForLayer")}, 1},
		"nothing is pulled":            {[]iam.Granted{granted(repository, "ecr:BatchGetImage"), granted(repository, "ecr:GetDownloadUrlForLayer")}, 2},
		"the manifest is not observed": {[]iam.Granted{granted(repository, "ecr:BatchGetImage"), granted(repository, "ecr:GetDownloadUrlForLayer", used)}, 1},
	} {
		var a audit
		a.compare(tt.granted, nil)
		if len(a.problems) != tt.problems {
			t.Errorf("%s: problems %q, want %d", name, a.problems, tt.problems)
		}
		if name == "the image is pulled" && (a.grants[1].status() != exempt || !strings.Contains(a.text("dev"), "Not observed here")) {
			t.Errorf("%s: %s", name, a.text("dev"))
		}
	}
}

func TestAuditOutput(t *testing.T) {
	a := audited(t, `{"Sid":"Read","Effect":"Allow","Action":["s3:GetObject","s3:PutObject"],"Resource":"arn:aws:s3:::x/*"}`,
		exemption{"reader", []string{"s3:GetObject"}, "/*", "The keys are made up, and this is a reason of several lines, as reasons tend to be", "", "", ""})
	want := `Permissions of stack dev: what is granted, and how many requests used it

Role reader, component Build
     2 [1]    s3:GetObject                           x/*
     0 UNUSED s3:PutObject                           x/*
       [1]   The keys are made up, and this is a reason of several lines, as
             reasons tend to be

2 grants: 0 used, 1 exempt, 1 unused, 0 wider than their use
4 requests that must be refused are refused
`
	if got := a.text("dev"); got != want {
		t.Errorf("text is\n%s\nwant\n%s", got, want)
	}
	raw, err := json.Marshal(a)
	if err != nil {
		t.Fatal(err)
	}
	var decoded struct {
		Grants []struct {
			Role, Component, Statement, Action, Resource, Status, Reason, Narrower string
			Used                                                                   []string
		}
		Refused  int
		Problems []string
	}
	if err := json.Unmarshal(raw, &decoded); err != nil {
		t.Fatal(err)
	}
	if len(decoded.Grants) != 2 || decoded.Refused != 4 || len(decoded.Problems) != 1 {
		t.Fatalf("JSON is %s", raw)
	}
	first, second := decoded.Grants[0], decoded.Grants[1]
	if first.Status != "exempt" || first.Narrower != "arn:aws:s3:::x/app/*" || !slices.Equal(first.Used, []string{"arn:aws:s3:::x/app/one", "arn:aws:s3:::x/app/two"}) ||
		second.Status != "unused" || second.Used == nil || second.Action != "s3:PutObject" || second.Component != "Build" {
		t.Errorf("grants are %+v", decoded.Grants)
	}
}
