package iam

import (
	"errors"
	"strings"
	"testing"
)

// A new role, and a new policy of a role, are unknown until they have spread. Meanwhile AWS denies what they allow.
func TestNewRolesAndPoliciesSpread(t *testing.T) {
	a, acct := declare(trusting(""), one(`{"Effect":"Allow","Action":"ecr:PutImage","Resource":"`+repoARN+`"}`), "")
	a.SetSpread(Spread)
	early := 0
	wantTooEarly := func(name string, err error) {
		t.Helper()
		early++
		var denied *DeniedError
		if !errors.As(err, &denied) || !strings.Contains(err.Error(), "IAM has not spread the new "+name) {
			t.Errorf("%v, want a denial because %s has not spread", err, name)
		}
		if got := a.TooEarly(); len(got) != early || got[early-1] != denied {
			t.Errorf("%d requests came too early, want %d", len(got), early)
		}
	}
	_, err := a.AssumeRole(roleARN, builder, "AWSCodeBuild-1", project)
	wantTooEarly("build-role", err)
	acct.Elapse(Spread)
	s := assume(t, a)
	if err := a.Authorize(s, "ecr:PutImage", repoARN); err != nil {
		t.Error(err)
	}
	policy, _ := acct.Find("aws:iam/rolePolicy:RolePolicy", "id", "p")
	acct.Put(policy) // an update takes effect at once here: until the new version has spread, AWS knows the old one
	if err := a.Authorize(s, "ecr:PutImage", repoARN); err != nil {
		t.Error(err)
	}
	acct.Delete(policy.URN, policy.ID)
	acct.Put(policy)
	wantTooEarly("build-policy", a.Authorize(s, "ecr:PutImage", repoARN))
	if err := a.Authorize(s, "ecr:DeleteRepository", repoARN); err == nil || strings.Contains(err.Error(), "spread") || len(a.TooEarly()) != early {
		t.Errorf("%v, want a denial of what the new policy does not allow either", err)
	}
	if list, err := a.Granted(); err != nil || len(list) != 1 {
		t.Errorf("granted = %v, %v, want what the new policy allows", list, err)
	}
	acct.Elapse(Spread)
	if err := a.Authorize(s, "ecr:PutImage", repoARN); err != nil {
		t.Error(err)
	}
	if err := a.Authorize(s, "ecr:DeleteRepository", repoARN); err == nil || strings.Contains(err.Error(), "spread") {
		t.Errorf("%v, want a denial that time does not end", err)
	}
}
