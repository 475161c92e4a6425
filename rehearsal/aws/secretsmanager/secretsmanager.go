// Package secretsmanager stands in for AWS Secrets Manager: secrets with versions, in memory, which a stack only reads.
// Each call is decided by the caller's declared policies. All secrets are encrypted with a customer managed key, so
// that their readers need kms:Decrypt: the strictest that a secret can be which somebody else has made.
//
// Sources are the service model (2017-10-17) and the Secrets Manager User Guide. Where neither has the text of an
// error, it is as users report it.
package secretsmanager

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws/arn"
	"github.com/google/uuid"

	"cicd/rehearsal/aws/account"
	"cicd/rehearsal/aws/awserror"
	"cicd/rehearsal/aws/awsjson"
	"cicd/rehearsal/aws/iam"
)

// Labels of a secret's versions.
const (
	current  = "AWSCURRENT"
	previous = "AWSPREVIOUS"
)

// sizeLimit is the largest value, in bytes (service model, SecretStringType and SecretBinaryType).
const sizeLimit = 65536

// Store holds the secrets of an account. It is safe for concurrent use.
type Store struct {
	account   *account.Account
	authority *iam.Authority

	mu      sync.Mutex
	secrets map[string][]version // by ARN, oldest version first; the last is current, and the one before is previous
}

// version is one version of a secret.
type version struct {
	id      string
	text    string
	binary  []byte // nil if the secret is text
	created time.Time
}

// New returns an empty store.
func New(acct *account.Account, authority *iam.Authority) *Store {
	return &Store{account: acct, authority: authority, secrets: map[string][]version{}}
}

// Set gives a secret a text as its value: a new version, if the secret exists. The ARN is the complete one, with the
// hyphen and the six characters that Secrets Manager adds. It asks for no permission.
func (s *Store) Set(arn, value string) error {
	return s.set(arn, len(value), version{text: value})
}

// SetBinary is Set for a secret that is not text.
func (s *Store) SetBinary(arn string, value []byte) error {
	return s.set(arn, len(value), version{binary: slices.Clone(value)})
}

// completeForm is the resource of a complete ARN (service model, CreateSecret, Name, and its response's ARN).
var completeForm = regexp.MustCompile(`^secret:[A-Za-z0-9/_+=.@-]+-[A-Za-z0-9]{6}$`)

func (s *Store) set(secret string, size int, v version) error {
	a, err := arn.Parse(secret)
	switch {
	case err != nil || a.Service != "secretsmanager" || !completeForm.MatchString(a.Resource):
		return fmt.Errorf("secret %s: want the complete ARN of a secret, which ends with a hyphen and six characters", secret)
	case s.account.ARN("secretsmanager", a.Resource) != secret:
		return fmt.Errorf("secret %s: it is of another account or region", secret)
	case size == 0 || size > sizeLimit:
		return fmt.Errorf("secret %s: its value has %d bytes, and may have 1 to %d", secret, size, sizeLimit)
	}
	v.id, v.created = uuid.NewString(), time.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.secrets[secret] = append(s.secrets[secret], v)
	return nil
}

// Remove deletes a secret, by its complete ARN, and reports whether there was one. It asks for no permission.
func (s *Store) Remove(arn string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, ok := s.secrets[arn]
	delete(s.secrets, arn)
	return ok
}

// nameOf returns the name of a secret, which its ARN has without a hyphen and six characters.
func nameOf(secret string) string {
	_, name, _ := strings.Cut(secret, ":secret:")
	return name[:max(0, len(name)-7)]
}

// find returns the versions of a secret, by its name, its complete ARN, or the ARN without the characters that Secrets
// Manager adds (User Guide, "Find a secret from a partial ARN"); of a secret that there is not, the ARN that it was
// asked for by.
func (s *Store) find(id string) (arn string, versions []version) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if versions, ok := s.secrets[id]; ok {
		return id, slices.Clone(versions)
	}
	partial := id
	if !strings.HasPrefix(id, "arn:") {
		partial = s.account.ARN("secretsmanager", "secret:"+id)
	}
	for arn, versions := range s.secrets {
		if arn[:len(arn)-7] == partial {
			return arn, slices.Clone(versions)
		}
	}
	return partial, nil
}

// GetSecretValueInput asks for the value of a secret, by name or ARN.
type GetSecretValueInput struct {
	SecretID string `json:"SecretId"`
	// VersionID and VersionStage say which version, both the same one; without either it is AWSCURRENT.
	VersionID    string `json:"VersionId"`
	VersionStage string
}

// GetSecretValueOutput is a version of a secret. It has either SecretString or SecretBinary, which is base64 in JSON.
type GetSecretValueOutput struct {
	ARN, Name     string
	VersionID     string `json:"VersionId"`
	SecretString  string `json:",omitempty"`
	SecretBinary  []byte `json:",omitempty"`
	VersionStages []string
	// CreatedDate is in seconds since 1970.
	CreatedDate float64
}

// GetSecretValue returns the value of a secret, with secretsmanager:GetSecretValue and kms:Decrypt.
func (s *Store) GetSecretValue(session iam.Session, in GetSecretValueInput) (GetSecretValueOutput, error) {
	if err := check(in); err != nil {
		return GetSecretValueOutput{}, err
	}
	arn, versions := s.find(in.SecretID)
	asking := session
	asking.Keys = keysOf(in)
	if err := s.authority.Authorize(asking, "secretsmanager:GetSecretValue", arn); err != nil {
		return GetSecretValueOutput{}, awserror.Denied(err)
	}
	if len(versions) == 0 {
		return GetSecretValueOutput{}, awserror.New("ResourceNotFoundException", "Secrets Manager can't find the specified secret.")
	}
	i, err := choose(versions, in)
	if err != nil {
		return GetSecretValueOutput{}, err
	}
	v := versions[i]
	if err := s.decrypt(session, arn, v); err != nil {
		return GetSecretValueOutput{}, err
	}
	return GetSecretValueOutput{ARN: arn, Name: nameOf(arn), VersionID: v.id, SecretString: v.text, SecretBinary: v.binary,
		VersionStages: stages(i, len(versions)), CreatedDate: awsjson.Seconds(v.created)}, nil
}

// check checks what the service model says of a request.
func check(in GetSecretValueInput) error {
	switch n := len(in.VersionID); {
	case in.SecretID == "":
		return awserror.New("ValidationException", "Invalid name. Must be a valid name containing alphanumeric characters, or any of the following: -/_+=.@!")
	case n > 0 && n < 32:
		return awserror.New("InvalidParameterException", "VersionId is too short, must be at least 32 characters in length.")
	case n > 64:
		return awserror.New("InvalidParameterException", "VersionId is too long, must be no more than 64 characters in length.")
	}
	return nil
}

// keysOf returns the condition keys that a request carries.
func keysOf(in GetSecretValueInput) map[string][]string {
	keys := map[string][]string{"secretsmanager:SecretId": {in.SecretID}}
	if in.VersionID != "" {
		keys["secretsmanager:VersionId"] = []string{in.VersionID}
	}
	if in.VersionStage != "" {
		keys["secretsmanager:VersionStage"] = []string{in.VersionStage}
	}
	return keys
}

// choose returns the index of the version that is asked for. Texts: getmoto/moto, moto/secretsmanager/exceptions.py.
func choose(versions []version, in GetSecretValueInput) (int, error) {
	stage := in.VersionStage
	if stage == "" && in.VersionID == "" {
		stage = current
	}
	matches := func(i int) bool {
		return (in.VersionID == "" || versions[i].id == in.VersionID) && (stage == "" || slices.Contains(stages(i, len(versions)), stage))
	}
	for i := range versions {
		if matches(i) {
			return i, nil
		}
	}
	byID := slices.ContainsFunc(versions, func(v version) bool { return v.id == in.VersionID })
	switch {
	case byID:
		return 0, awserror.New("InvalidRequestException", "You provided a VersionStage that is not associated to the provided VersionId.")
	case in.VersionID != "":
		return 0, awserror.New("ResourceNotFoundException", "Secrets Manager can't find the specified secret value for VersionId: %s", in.VersionID)
	}
	return 0, awserror.New("ResourceNotFoundException", "Secrets Manager can't find the specified secret value for staging label: %s", stage)
}

// stages returns the labels of the version with this index of several.
func stages(i, count int) []string {
	switch i {
	case count - 1:
		return []string{current}
	case count - 2:
		return []string{previous}
	}
	return nil
}

// decrypt authorizes the decryption: Secrets Manager calls KMS with the caller's permissions, and with the secret's ARN
// and the version's id as the encryption context (User Guide, "Secret encryption and decryption in AWS Secrets
// Manager"). The text is all that callers learn (aws-samples/aws-secrets-manager-rotation-lambdas issue 53); what
// follows it is the rehearsal's.
func (s *Store) decrypt(session iam.Session, arn string, v version) error {
	session.Via = "secretsmanager"
	session.Keys = iam.EncryptionContext(map[string]string{"SecretARN": arn, "SecretVersionId": v.id})
	err := s.authority.Authorize(session, "kms:Decrypt", s.authority.OutsideKey())
	if err == nil {
		return nil
	}
	denied := awserror.Denied(err)
	denied.Message = "Access to KMS is not allowed (" + denied.Message + ")"
	return denied
}
