// Package parameterstest has an account with a Parameter Store, for tests of what uses one, and with what else a destroyed
// stack may leave.
package parameterstest

import (
	"testing"
	"time"

	"cicd/rehearsal/aws/account"
	"cicd/rehearsal/aws/api"
	"cicd/rehearsal/aws/cloudwatchlogs"
	"cicd/rehearsal/aws/ecr"
	"cicd/rehearsal/aws/iam"
	"cicd/rehearsal/aws/s3"
	"cicd/rehearsal/aws/ssm"
	"cicd/rehearsal/aws/tagging"
)

// Region is where the store is.
const Region = "eu-central-1"

// Store is a Parameter Store.
type Store struct {
	// Account is the account, which has nothing but the parameters.
	Account *account.Account
	// Authority decides what sessions may do.
	Authority *iam.Authority

	t      *testing.T
	store  *ssm.Store
	person iam.Session
}

// Start serves a Parameter Store until the test ends. AWS's clients in this process find it, with the credentials of
// a person who may do everything.
func Start(t *testing.T) *Store {
	t.Helper()
	acct := account.New("123456789012")
	acct.SetRegion(Region)
	authority := iam.NewAuthority(acct)
	s := &Store{acct, authority, t, ssm.New(acct, authority), authority.Administrator("me")}
	server, err := api.Serve(api.New(api.Config{
		Account:    acct,
		Sessions:   authority.SessionFor,
		Authorize:  authority.Authorize,
		Parameters: s.store,
		Registry:   ecr.New(ecr.Config{Account: acct, Authorize: authority.Authorize, Dir: t.TempDir()}),
		Logs:       cloudwatchlogs.New(acct, authority),
		Objects:    s3.NewStore(t.TempDir(), acct, authority),
		Tags:       &tagging.Service{Account: acct, Authority: authority},
	}))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { server.Close() })
	t.Setenv("AWS_ENDPOINT_URL", server.URL)
	s.Become(s.person)
	return s
}

// Become makes a session that of AWS's clients in this process.
func (s *Store) Become(session iam.Session) {
	s.t.Helper()
	s.t.Setenv("AWS_ACCESS_KEY_ID", session.Credentials.AccessKeyID)
	s.t.Setenv("AWS_SECRET_ACCESS_KEY", session.Credentials.SecretAccessKey)
	s.t.Setenv("AWS_SESSION_TOKEN", session.Credentials.SessionToken)
}

// Put stores a value by name: a parameter of that type, String or SecureString, or a version of one.
func (s *Store) Put(name, kind, value string) {
	s.t.Helper()
	in := ssm.PutParameterInput{Name: name, Type: kind, Value: value, Overwrite: true}
	if _, err := s.store.PutParameter(s.person, in); err != nil {
		s.t.Fatal(err)
	}
}

// Lookup returns a parameter with its value, and false if there is none.
func (s *Store) Lookup(name string) (ssm.Parameter, bool) { return s.store.Lookup(name) }

// Changed returns when a parameter got its value.
func (s *Store) Changed(name string) time.Time {
	p, _ := s.Lookup(name)
	return time.UnixMilli(int64(p.LastModifiedDate * 1000))
}
