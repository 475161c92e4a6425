// Package awstest has what tests of AWS's stand-ins share: an account with one role, and AWS's errors.
package awstest

import (
	"errors"
	"strings"
	"testing"

	"cicd/rehearsal/aws/account"
	"cicd/rehearsal/aws/awserror"
	"cicd/rehearsal/aws/iam"
)

// AccountID and Region are those of every ARN in such tests. RoleARN is the role's.
const (
	AccountID = "123456789012"
	Region    = "eu-central-1"
	RoleARN   = "arn:aws:iam::" + AccountID + ":role/host"
)

// Account returns an account with a role for EC2 whose policy has the statements, and a session of it.
func Account(t *testing.T, statements string) (*account.Account, *iam.Authority, iam.Session) {
	t.Helper()
	acct := account.New(AccountID)
	acct.SetRegion(Region)
	put := func(token string, properties map[string]any) {
		acct.Put(account.Resource{Type: token, Name: "host", URN: token, ID: "host", Properties: properties})
	}
	put(account.Role, map[string]any{"name": "host", "arn": RoleARN, "assumeRolePolicy": `{"Version":"2012-10-17","Statement":
		{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"}}`})
	put(account.RolePolicy, map[string]any{"role": "host", "policy": `{"Version":"2012-10-17","Statement":[` + statements + `]}`})
	authority := iam.NewAuthority(acct)
	session, err := authority.AssumeRole(RoleARN, "ec2.amazonaws.com", "i-1", "")
	if err != nil {
		t.Fatal(err)
	}
	return acct, authority, session
}

// WantError fails the test unless err is an error of AWS that starts with want; "" for none.
func WantError(t *testing.T, err error, want string) {
	t.Helper()
	var refused *awserror.Error
	switch {
	case want == "" && err != nil:
		t.Errorf("error %v, want none", err)
	case want != "" && (!errors.As(err, &refused) || !strings.HasPrefix(err.Error(), want)):
		t.Errorf("error %v, want %s", err, want)
	}
}
