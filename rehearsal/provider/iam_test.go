package provider

import (
	"strconv"
	"strings"
	"testing"

	"cicd/rehearsal/aws/account"
)

func TestRefusesRolesThatTrustAnotherService(t *testing.T) {
	refuses(t, []refusal{
		{"project", "serviceRole", "arn:aws:iam::123456789012:role/host", "CodeBuild is not authorized to perform: sts:AssumeRole"},
		{"deployment-group", "serviceRoleArn", "arn:aws:iam::123456789012:role/host", "InvalidRoleException"},
		{"pipeline", "roleArn", "arn:aws:iam::123456789012:role/host", "CodePipeline is not authorized to perform AssumeRole"},
	})
}

// IAM's names are the same whatever their case.
func TestNamesThatDifferByCase(t *testing.T) {
	w := newWorld(t)
	w.declareUntil("")
	for _, name := range []string{"build-role", "profile"} {
		e := exampleNamed(t, name)
		inputs := w.inputs(e)
		inputs["name"] = strings.ToUpper(inputs.text("name"))
		if _, err := w.declare(e.token, name+"-again", inputs); err == nil || !strings.Contains(err.Error(), "EntityAlreadyExists") {
			t.Errorf("%s with a name in capitals: error = %v, want EntityAlreadyExists", name, err)
		}
	}
}

// A role has at most ten managed policies, and each once.
func TestManagedPoliciesTogether(t *testing.T) {
	w := newWorld(t)
	w.declareUntil("profile") // one is attached
	attach := func(role, name string) error {
		_, err := w.declare(account.RolePolicyAttachment, role+name, values{"role": role, "policyArn": "arn:aws:iam::123456789012:policy/" + name})
		return err
	}
	for i := range 9 {
		if err := attach("host", strconv.Itoa(i)); err != nil {
			t.Fatal(err)
		}
	}
	if err := attach("host", "9"); err == nil || !strings.Contains(err.Error(), "LimitExceeded: Cannot exceed quota for PoliciesPerRole: 10") {
		t.Errorf("the eleventh: error = %v, want LimitExceeded", err)
	}
	if err := attach("build", "9"); err != nil {
		t.Error(err)
	}
}

// A quota is on all inline policies of a role.
func TestInlinePoliciesTogether(t *testing.T) {
	w := newWorld(t)
	w.declareUntil("profile")
	policy := func(n int) string {
		return `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"arn:aws:s3:::` + strings.Repeat("b", n) + `"}}`
	}
	if _, err := w.declare(account.RolePolicy, "large", values{"name": "large", "role": "build", "policy": policy(9900)}); err != nil {
		t.Fatal(err)
	}
	_, err := w.declare(account.RolePolicy, "small", values{"name": "small", "role": "build", "policy": policy(200)})
	if err == nil || !strings.Contains(err.Error(), "LimitExceeded: Maximum policy size of 10240 bytes exceeded for role build") {
		t.Errorf("error = %v, want LimitExceeded", err)
	}
	if _, err := w.declare(account.RolePolicy, "elsewhere", values{"name": "small", "role": "host", "policy": policy(200)}); err != nil {
		t.Error(err)
	}
}
