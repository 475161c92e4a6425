package iam

import (
	"strings"
	"testing"

	"cicd/rehearsal/aws/account"
)

// A person may do what no policy of the account denies, and asks for nobody's permissions.
func TestAdministrator(t *testing.T) {
	const onlyTLS = `{"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"*","Condition":{"Bool":{"aws:SecureTransport":"false"}}}`
	a, _ := declare(trusting(""), "", one(onlyTLS))
	s := a.Administrator("jane")
	if found, ok := a.SessionFor(s.Credentials.AccessKeyID); !ok || found.Name != "jane" {
		t.Errorf("SessionFor() = %+v, %t", found, ok)
	}
	checkError(t, a.Authorize(s, "ssm:PutParameter", "arn:aws:ssm:eu-west-1:123456789012:parameter/x"), "")
	checkError(t, a.Authorize(s, "s3:GetObject", objectARN), "")
	s.PlainHTTP = true
	checkError(t, a.Authorize(s, "s3:GetObject", objectARN),
		"User: arn:aws:sts::123456789012:assumed-role/AWSReservedSSO_AdministratorAccess_0123456789abcdef/jane is not authorized to perform: "+
			"s3:GetObject on resource: "+objectARN+" with an explicit deny in a resource-based policy")
	for _, use := range a.Uses() {
		if !use.Administrator {
			t.Errorf("use %+v is not said to be a person's", use)
		}
	}
	checkError(t, a.Recheck(a.Uses()[0]), "")
	if granted, err := a.Granted(); err != nil || len(granted) > 0 {
		t.Errorf("Granted() = %+v, %v, want what the stack declares, which is nothing", granted, err)
	}
	role := assume(t, a)
	if err := a.Authorize(role, "s3:PutObject", objectARN); err == nil || a.Uses()[len(a.Uses())-1].Administrator {
		t.Errorf("a role's use counts as a person's, or is allowed: %v", err)
	}
}

// What a managed policy says is not known: it allows nothing, and the denial says so.
func TestManagedPolicyAttached(t *testing.T) {
	a, acct := declare(trusting(""), one(`{"Effect":"Allow","Action":"s3:GetObject","Resource":"*"}`), "")
	s := assume(t, a)
	attach := func(role, policy string) {
		acct.Put(account.Resource{URN: "urn:" + role + policy, Type: account.RolePolicyAttachment, ID: policy,
			Properties: map[string]any{"role": role, "policyArn": "arn:aws:iam::aws:policy/" + policy}})
	}
	attach("another", "AdministratorAccess")
	const note = "; a rehearsal does not know what is in the managed policies attached to the role, and does not evaluate them: "
	checkError(t, a.Authorize(s, "s3:PutObject", objectARN), `needs the statement {"Effect":"Allow","Action":"s3:PutObject","Resource":"arn:aws:s3:::cicd-dev-artifacts/*"}`)
	if err := a.Authorize(s, "s3:PutObject", objectARN).Error(); len(err) == 0 || strings.Contains(err, note) {
		t.Errorf("%s, but nothing is attached to this role", err)
	}
	attach("cicd-dev-build", "AmazonS3FullAccess")
	attach("cicd-dev-build", "AmazonSQSFullAccess")
	checkError(t, a.Authorize(s, "s3:PutObject", objectARN),
		note+"arn:aws:iam::aws:policy/AmazonS3FullAccess, arn:aws:iam::aws:policy/AmazonSQSFullAccess")
	checkError(t, a.Authorize(s, "s3:GetObject", objectARN), "")
}
