package iam

import (
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"cicd/rehearsal/aws/account"
)

const (
	roleARN    = "arn:aws:iam::123456789012:role/service/cicd-dev-build"
	roleURN    = "urn:pulumi:dev::cicd::cicd:index:Build$aws:iam/role:Role::build-role"
	repoARN    = "arn:aws:ecr:eu-west-1:123456789012:repository/cicd-dev"
	project    = "arn:aws:codebuild:eu-west-1:123456789012:project/cicd-dev-build"
	objectARN  = "arn:aws:s3:::cicd-dev-artifacts/key"
	builder    = "codebuild.amazonaws.com"
	sessionARN = "arn:aws:sts::123456789012:assumed-role/cicd-dev-build/AWSCodeBuild-1"
)

// trusting returns a trust policy with the condition, if any.
func trusting(condition string) string {
	if condition != "" {
		condition = `,"Condition":` + condition
	}
	return one(`{"Effect":"Allow","Principal":{"Service":"` + builder + `"},"Action":"sts:AssumeRole"` + condition + `}`)
}

// declare returns an authority over a role with the trust policy and, unless "", the inline and bucket policies.
func declare(trust, inline, bucket string) (*Authority, *account.Account) {
	acct := account.New("123456789012")
	acct.SetRegion("eu-west-1")
	put := func(urn, token, name, id string, properties map[string]any) {
		acct.Put(account.Resource{URN: urn, Type: token, Name: name, ID: id, Properties: properties})
	}
	put(roleURN, account.Role, "build-role", "cicd-dev-build",
		map[string]any{"name": "cicd-dev-build", "arn": roleARN, "assumeRolePolicy": trust, "managedPolicyArns": []any{}})
	if inline != "" {
		put("urn:inline", account.RolePolicy, "build-policy", "p", map[string]any{"role": "cicd-dev-build", "policy": inline})
	}
	if bucket != "" {
		put("urn:pulumi:dev::cicd::cicd:index:Pipeline$aws:s3/bucketPolicy:BucketPolicy::artifacts", account.BucketPolicy,
			"artifacts", "b", map[string]any{"bucket": "cicd-dev-artifacts", "policy": bucket})
	}
	return NewAuthority(acct), acct
}

// assume returns a session of the declared role.
func assume(t *testing.T, a *Authority) Session {
	t.Helper()
	s, err := a.AssumeRole(roleARN, builder, "AWSCodeBuild-1", project)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestAssumeRoleTrust(t *testing.T) {
	byARN := `{"ArnEquals":{"aws:SourceArn":"` + project + `"}}`
	byAccount := `{"StringEquals":{"aws:SourceAccount":"123456789012"}}`
	tests := []struct {
		name, trust, service, source string
		want                         string // part of the error, "" for none
	}{
		{"no condition", trusting(""), builder, project, ""},
		{"service without source", trusting(""), builder, "", ""},
		{"another service", trusting(""), "ec2.amazonaws.com", "", "because no role trust policy allows the sts:AssumeRole action"},
		{"source", trusting(byARN), builder, project, ""},
		{"another source", trusting(byARN), builder, project + "2", "wants [\"" + project + "\"], but the request has [\"" + project + "2\"]"},
		{"source demanded, none sent", trusting(byARN), builder, "", "but the request does not have it"},
		{"source if there is one", trusting(`{"ArnEqualsIfExists":{"aws:SourceArn":"` + project + `"}}`), builder, "", ""},
		{"account", trusting(byAccount), builder, project, ""},
		{"another account", trusting(byAccount), builder, strings.Replace(project, "123456789012", "999999999999", 1), "no role trust policy"},
		{"account demanded, ARN without one", trusting(byAccount), builder, "arn:aws:s3:::b", "does not have it"},
		{"another action", one(`{"Effect":"Allow","Principal":{"Service":"` + builder + `"},"Action":"sts:TagSession"}`), builder, project, "no role trust policy"},
		{"deny", one(`[{"Effect":"Allow","Principal":{"Service":"` + builder + `"},"Action":"sts:*"},
			{"Sid":"Stop","Effect":"Deny","Principal":{"AWS":"*"},"Action":"sts:AssumeRole"}]`), builder, project, "with an explicit deny in the role trust policy; statement \"Stop\""},
		{"unknown key", trusting(`{"StringEquals":{"aws:PrincipalArn":"x"}}`), builder, project, `condition key "aws:PrincipalArn"`},
		{"malformed", "{}", builder, project, `aws:iam/role:Role "build-role", property assumeRolePolicy, as role trust policy: Missing required field Statement`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			a, _ := declare(tt.trust, "", "")
			s, err := a.AssumeRole(roleARN, tt.service, "n", tt.source)
			checkError(t, err, tt.want)
			if _, known := a.SessionFor(s.Credentials.AccessKeyID); known != (tt.want == "") {
				t.Errorf("session known: %t", known)
			}
		})
	}
}

// checkError wants an error containing want, or none for "".
func checkError(t *testing.T, err error, want string) {
	t.Helper()
	if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
		t.Errorf("error = %v, want %q in it", err, want)
	}
}

func TestAuthorize(t *testing.T) {
	push := one(`{"Sid":"Push","Effect":"Allow","Action":["ecr:PutImage","s3:GetObject"],"Resource":["` + repoARN + `","arn:aws:s3:::other/*"]}`)
	tlsOnly := one(`{"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":["arn:aws:s3:::cicd-dev-artifacts","arn:aws:s3:::cicd-dev-artifacts/*"],
		"Condition":{"Bool":{"aws:SecureTransport":"false"}}}`)
	oldTLS := strings.Replace(tlsOnly, `"Bool":{"aws:SecureTransport":"false"}`, `"NumericLessThan":{"s3:TlsVersion":"1.2"}`, 1)
	newTLS := strings.Replace(oldTLS, "1.2", "1.3", 1)
	grant := func(p string) string {
		return one(`{"Effect":"Allow","Principal":` + p + `,"Action":"s3:GetObject","Resource":"arn:aws:s3:::cicd-dev-artifacts/*"}`)
	}
	deny := func(p string) string { return strings.Replace(grant(p), "Allow", "Deny", 1) }
	grantBut := func(p string) string {
		return strings.Replace(grant(`{"AWS":`+p+`}`), `"Principal"`, `"NotPrincipal"`, 1)
	}
	denyBut := func(p string) string { return strings.Replace(grantBut(p), "Allow", "Deny", 1) }
	read := one(`{"Effect":"Allow","Action":"s3:*","Resource":"*"}`)
	const none, byResource = "because no identity-based policy allows the s3:GetObject action", "with an explicit deny in a resource-based policy"
	tests := []struct {
		name, inline, bucket, action, resource string
		want                                   string
	}{
		{"granted", push, "", "ecr:PutImage", repoARN, ""},
		{"another resource", push, "", "ecr:PutImage", repoARN + "2", "because no identity-based policy allows the ecr:PutImage action"},
		{"another action", push, "", "ecr:BatchGetImage", repoARN, "because no identity-based policy allows the ecr:BatchGetImage action"},
		{"no policy", "", "", "s3:GetObject", objectARN, none},
		{"TLS only", read, tlsOnly, "s3:GetObject", objectARN, ""},
		{"TLS 1.2", read, oldTLS, "s3:GetObject", objectARN, ""},
		{"TLS 1.3", read, newTLS, "s3:GetObject", objectARN, byResource},
		{"bucket allows the role", "", grant(`{"AWS":"` + roleARN + `"}`), "s3:GetObject", objectARN, ""},
		{"bucket allows the session", "", grant(`{"AWS":"` + sessionARN + `"}`), "s3:GetObject", objectARN, ""},
		{"bucket allows everyone", "", grant(`"*"`), "s3:GetObject", objectARN, ""},
		{"bucket allows everyone's AWS", "", grant(`{"AWS":"*"}`), "s3:GetObject", objectARN, ""},
		{"bucket allows another role", "", grant(`{"AWS":"` + roleARN + `2"}`), "s3:GetObject", objectARN, none},
		{"bucket allows the service", "", grant(`{"Service":"` + builder + `"}`), "s3:GetObject", objectARN, none},
		{"bucket leaves it to the account", "", grant(`{"AWS":"arn:aws:iam::123456789012:root"}`), "s3:GetObject", objectARN, none},
		{"and the account allows", read, grant(`{"AWS":"123456789012"}`), "s3:GetObject", objectARN, ""},
		{"bucket denies the account", read, deny(`{"AWS":"123456789012"}`), "s3:GetObject", objectARN, byResource},
		{"bucket denies the account by ARN", read, deny(`{"AWS":"arn:aws:iam::123456789012:root"}`), "s3:GetObject", objectARN, byResource},
		{"bucket denies another account", read, deny(`{"AWS":"999999999999"}`), "s3:GetObject", objectARN, ""},
		{"bucket denies the role", read, deny(`{"AWS":"` + roleARN + `"}`), "s3:GetObject", objectARN, byResource},
		{"policy of another bucket", read, one(`{"Effect":"Deny","Principal":"*","Action":"*","Resource":"*"}`), "s3:GetObject", "arn:aws:s3:::cicd-dev-artifacts2/key", ""},
		{"bucket allows all but another", "", grantBut(`"999999999999"`), "s3:GetObject", objectARN, ""},
		{"bucket allows all but the role", "", grantBut(`"` + roleARN + `"`), "s3:GetObject", objectARN, none},
		{"bucket denies all but session, role, account", read, denyBut(`["` + sessionARN + `","` + roleARN + `","123456789012"]`), "s3:GetObject", objectARN, ""},
		{"bucket denies all but session and role", read, denyBut(`["` + sessionARN + `","` + roleARN + `"]`), "s3:GetObject", objectARN, byResource},
		{"bucket denies all but session and account", read, denyBut(`["` + sessionARN + `","123456789012"]`), "s3:GetObject", objectARN, byResource},
		{"bucket denies all but role and account", read, denyBut(`["` + roleARN + `","123456789012"]`), "s3:GetObject", objectARN, byResource},
		{"identity denies", one(`[{"Effect":"Allow","Action":"*","Resource":"*"},{"Effect":"Deny","Action":"s3:Get*","Resource":"*"}]`), "", "s3:GetObject", objectARN,
			"with an explicit deny in an identity-based policy; statement 2 of \"build-policy\" denies it"},
		{"malformed", `{"Statement":{}}`, "", "s3:GetObject", objectARN, `aws:iam/rolePolicy:RolePolicy "build-policy", property policy, as identity-based policy: statement 1: Effect`},
		{"malformed bucket policy", read, `{}`, "s3:GetObject", objectARN, `aws:s3/bucketPolicy:BucketPolicy "artifacts", property policy, as bucket policy: Missing required field Statement`},
		{"unknown key", one(`{"Sid":"Org","Effect":"Allow","Action":"*","Resource":"*","Condition":{"StringEquals":{"aws:PrincipalOrgID":"o-1"}}}`), "", "s3:GetObject", objectARN,
			`identity-based policy "build-policy": statement "Org": condition key "aws:PrincipalOrgID"`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			a, _ := declare(trusting(""), tt.inline, tt.bucket)
			checkError(t, a.Authorize(assume(t, a), tt.action, tt.resource), tt.want)
		})
	}
}

// The keys that every role session has, with the values that AWS would send.
func TestSessionKeys(t *testing.T) {
	conditions := []string{
		`"ArnEquals":{"aws:PrincipalArn":"` + roleARN + `"}`,
		`"StringEquals":{"aws:PrincipalAccount":"123456789012","aws:PrincipalType":"AssumedRole","aws:RequestedRegion":"eu-west-1"}`,
		`"Bool":{"aws:SecureTransport":"true","aws:ViaAWSService":"false","aws:PrincipalIsAWSService":"false"}`,
		`"Null":{"aws:SourceArn":"true","aws:SourceAccount":"true","aws:username":"true","aws:TokenIssueTime":"false"}`,
		`"NumericGreaterThan":{"aws:EpochTime":1700000000},"DateLessThan":{"aws:CurrentTime":"2100-01-01"}`,
		`"DateGreaterThan":{"aws:TokenIssueTime":"` + time.Now().Add(-time.Minute).Format(time.RFC3339) + `"}`,
	}
	for _, condition := range conditions {
		a, _ := declare(trusting(""), one(`{"Effect":"Allow","Action":"*","Resource":"*","Condition":{`+condition+`}}`), "")
		if err := a.Authorize(assume(t, a), "ecr:GetAuthorizationToken", "*"); err != nil {
			t.Errorf("condition %s: %v", condition, err)
		}
	}
}

func TestWhatIsNotEvaluatedIsAnError(t *testing.T) {
	for property, value := range map[string]any{
		"managedPolicyArns":   []any{"arn:aws:iam::aws:policy/AdministratorAccess"},
		"inlinePolicies":      []any{map[string]any{"name": "n", "policy": "{}"}},
		"permissionsBoundary": "arn:aws:iam::123456789012:policy/boundary",
	} {
		a, acct := declare(trusting(""), one(`{"Effect":"Allow","Action":"*","Resource":"*"}`), "")
		s := assume(t, a)
		role, _ := acct.Find(account.Role, "arn", roleARN)
		role.Properties[property] = value
		checkError(t, a.Authorize(s, "s3:GetObject", objectARN), "its "+property+" is not evaluated")
	}
}

func TestUndeclared(t *testing.T) {
	a, acct := declare(trusting(""), one(`{"Effect":"Allow","Action":"*","Resource":"*"}`), "")
	s := assume(t, a)
	checkError(t, a.Authorize(s, "s3:GetObject"), "no resource to authorize it on")
	acct.Put(account.Resource{Type: account.Role, ID: "without-arn"})
	checkError(t, a.Authorize(Session{}, "s3:GetObject", objectARN), "no such role is declared")
	_, err := a.AssumeRole(roleARN+"2", builder, "n", project)
	checkError(t, err, builder+" is not authorized to perform: sts:AssumeRole on resource: "+roleARN+"2 because no such role is declared")
	acct.Delete(roleURN, "cicd-dev-build")
	checkError(t, a.Authorize(s, "s3:GetObject", objectARN), "no such role is declared")
}

func TestPolicyOfAnotherRole(t *testing.T) {
	a, acct := declare(trusting(""), "", "")
	s := assume(t, a)
	policy := account.Resource{URN: "urn:other", Type: account.RolePolicy, Name: "other-policy", ID: "o",
		Properties: map[string]any{"role": "cicd-dev-build2", "policy": one(`{"Effect":"Allow","Action":"*","Resource":"*"}`)}}
	acct.Put(policy)
	checkError(t, a.Authorize(s, "s3:GetObject", objectARN), "no identity-based policy")
	policy.Properties["role"] = "cicd-dev-build"
	checkError(t, a.Authorize(s, "s3:GetObject", objectARN), "")
}

func TestSessionForExpires(t *testing.T) {
	a, _ := declare(trusting(""), "", "")
	s := assume(t, a)
	if got, ok := a.SessionFor(s.Credentials.AccessKeyID); !ok || !reflect.DeepEqual(got, s) {
		t.Errorf("SessionFor = %v, %t, want the session", got, ok)
	}
	s.Credentials.Expiration = time.Now()
	a.sessions[s.Credentials.AccessKeyID] = s
	if _, ok := a.SessionFor(s.Credentials.AccessKeyID); ok {
		t.Error("the session outlives its credentials")
	}
}

func TestUses(t *testing.T) {
	a, _ := declare(trusting(""), one(`[{"Sid":"Read","Effect":"Allow","Action":"s3:GetObject","Resource":"*"},
		{"Effect":"Allow","Action":"s3:Get*","Resource":"*"}]`), "")
	s := assume(t, a)
	for range 2 {
		if err := a.Authorize(s, "s3:GetObject", objectARN); err != nil {
			t.Fatal(err)
		}
	}
	var denied *DeniedError
	if err := a.Authorize(s, "s3:PutObject", objectARN, objectARN+"2"); !errors.As(err, &denied) || strings.Count(err.Error(), "not authorized") != 2 {
		t.Fatalf("error = %v, want both resources denied", err)
	}
	want := []Use{
		{Role: roleARN, Action: "sts:AssumeRole", Resource: roleARN, Service: builder, Source: project, Grants: []Grant{{Policy: roleURN}}},
		{Role: roleARN, Action: "s3:GetObject", Resource: objectARN, Grants: []Grant{{Policy: "urn:inline", Sid: "Read"}, {Policy: "urn:inline", Statement: 1}}},
		{Role: roleARN, Action: "s3:PutObject", Resource: objectARN},
		{Role: roleARN, Action: "s3:PutObject", Resource: objectARN + "2"},
	}
	a.Uses()[0].Role = "changed by the caller"
	if got := a.Uses(); !reflect.DeepEqual(got, want) {
		t.Errorf("uses:\n%v\nwant:\n%v", got, want)
	}
}
