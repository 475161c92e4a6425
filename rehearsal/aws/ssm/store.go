// Package ssm stands in for Parameter Store of AWS Systems Manager: parameters with versions, in memory. Each call is
// decided by the caller's declared policies, and the decryption of a SecureString by those for its key. It has no
// labels, policies and history of parameters, and none that are shared between accounts.
//
// Sources are the service model (2014-11-06) and the Systems Manager User Guide. Where neither has the text of an
// error, it is as users report it.
package ssm

import (
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"cicd/rehearsal/aws/account"
	"cicd/rehearsal/aws/awserror"
	"cicd/rehearsal/aws/awsjson"
	"cicd/rehearsal/aws/iam"
)

// Types of parameters.
const (
	typeString     = "String"
	typeStringList = "StringList"
	typeSecure     = "SecureString"
)

// ownKey is the AWS managed key that encrypts a SecureString unless the caller names another. Its policy lets everybody
// in the account use it through Parameter Store, so that nobody needs permissions for it (KMS Developer Guide, "How AWS
// Systems Manager Parameter Store uses AWS KMS").
const ownKey = "alias/aws/ssm"

// versionsKept is how many versions a parameter has, the most recent ones (service model,
// ParameterMaxVersionLimitExceeded).
const versionsKept = 100

// Store holds the parameters of an account. It is safe for concurrent use.
type Store struct {
	account   *account.Account
	authority *iam.Authority

	mu         sync.Mutex
	parameters map[string][]version // by name, oldest version first
}

// version is one version of a parameter.
type version struct {
	number            int64
	kind, tier, value string // kind is the type
	key               string // of a SecureString: ownKey, or the ARN of a key that the stack does not declare
	ciphertext        string // of a SecureString, what those see who do not ask for decryption
	description       string
	modified          time.Time
	modifiedBy        string // an ARN
}

// Parameter is a version of a parameter.
type Parameter struct {
	Name, Type, Value string
	Version           int64
	// Selector is ":" and the version, if the caller asked for one.
	Selector string `json:",omitempty"`
	// LastModifiedDate is in seconds since 1970.
	LastModifiedDate float64
	ARN, DataType    string
}

// New returns an empty store.
func New(acct *account.Account, authority *iam.Authority) *Store {
	return &Store{account: acct, authority: authority, parameters: map[string][]version{}}
}

// Set gives one of the account's own parameters a value, as a SecureString that is encrypted with the AWS managed key:
// a new version, if the parameter exists. It asks for no permission. Its errors are those of PutParameter.
func (s *Store) Set(name, value string) error { return s.set(name, value, ownKey) }

// SetForeign is Set for a parameter, by ARN, that is encrypted with a customer managed key, so that its readers need
// kms:Decrypt: the strictest that a parameter can be which somebody else has made.
func (s *Store) SetForeign(arn, value string) error {
	name, err := s.nameOf(arn)
	if err != nil {
		return err
	}
	return s.set(name, value, s.authority.OutsideKey())
}

func (s *Store) set(name, value, key string) error {
	in := PutParameterInput{Name: name, Value: value, Type: typeSecure, Overwrite: true}
	if err := s.check(in); err != nil {
		return fmt.Errorf("parameter %s: %w", name, err)
	}
	_, err := s.put(in, key, "arn:"+s.account.Partition()+":iam::"+s.account.ID()+":root")
	return err
}

// Remove deletes a parameter, by name or ARN, and reports whether there was one. It asks for no permission.
func (s *Store) Remove(name string) bool {
	name, err := s.nameOf(name)
	return err == nil && s.remove(name)
}

func (s *Store) remove(name string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, ok := s.parameters[name]
	delete(s.parameters, name)
	return ok
}

// Lookup returns the current version of a parameter, by name or ARN, with its value, and false if there is none. It
// asks for no permission.
func (s *Store) Lookup(name string) (Parameter, bool) {
	found, err := s.find(name)
	if err != nil {
		return Parameter{}, false
	}
	return s.describe(found, true), true
}

// located is a version of a parameter that somebody asked for.
type located struct {
	version
	name     string
	selector string
}

// describe returns what the API says of a version; encrypted, unless decrypt is set.
func (s *Store) describe(v located, decrypt bool) Parameter {
	value := v.value
	if v.kind == typeSecure && !decrypt {
		value = v.ciphertext
	}
	return Parameter{Name: v.name, Type: v.kind, Value: value, Version: v.number, Selector: v.selector,
		LastModifiedDate: awsjson.Seconds(v.modified), ARN: s.arn(v.name), DataType: "text"}
}

// find returns the version that a name or an ARN means, with or without a version behind it. The error is nil,
// ParameterNotFound, ParameterVersionNotFound, or that of a name that cannot be.
func (s *Store) find(reference string) (located, error) {
	name, selector, err := s.split(reference)
	if err != nil {
		return located{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	versions := s.parameters[name]
	if len(versions) == 0 {
		return located{}, errNotFound
	}
	if selector == "" {
		return located{version: versions[len(versions)-1], name: name}, nil
	}
	i := slices.IndexFunc(versions, func(v version) bool { return fmt.Sprint(v.number) == selector })
	if i < 0 {
		return located{}, awserror.New("ParameterVersionNotFound",
			"Systems Manager could not find version %s of %s. Verify the version and try again.", selector, name)
	}
	return located{version: versions[i], name: name, selector: ":" + selector}, nil
}

// names returns the names of all parameters in alphabetical order.
func (s *Store) names() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var names []string
	for name := range s.parameters {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// newCiphertext returns what an encrypted value looks like. It says nothing of the value, not even its length.
func newCiphertext() string {
	blob := make([]byte, 96)
	rand.Read(blob) // never fails, see crypto/rand
	return "AQICAH" + base64.StdEncoding.EncodeToString(blob)
}

// arn returns the ARN of a parameter or a path: the slash at the start of a name is not repeated.
func (s *Store) arn(name string) string {
	return s.account.ARN("ssm", "parameter/"+strings.TrimPrefix(name, "/"))
}
