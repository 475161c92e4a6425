package secretsmanager

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"cicd/rehearsal/aws/awstest"
	"cicd/rehearsal/aws/iam"
)

const (
	secret = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:prod/api-key-a1B2c3"
)

// newStore returns a store, and the session of a role that has the statements.
func newStore(t *testing.T, statements string) (*Store, iam.Session) {
	t.Helper()
	acct, authority, session := awstest.Account(t, statements)
	return New(acct, authority), session
}

const read = `{"Effect":"Allow","Action":"secretsmanager:GetSecretValue","Resource":"` + secret + `"}`

// decrypt is the statement for the key of a secret, for calls through a service.
func decrypt(service, secret string) string {
	return fmt.Sprintf(`,{"Effect":"Allow","Action":"kms:Decrypt","Resource":"arn:aws:kms:eu-central-1:123456789012:key/*",
		"Condition":{"StringEquals":{"kms:ViaService":"%s.eu-central-1.amazonaws.com","kms:EncryptionContext:SecretARN":%q}}}`, service, secret)
}

func TestVersions(t *testing.T) {
	s, session := newStore(t, read+decrypt("secretsmanager", secret))
	get := func(in GetSecretValueInput) (GetSecretValueOutput, error) {
		in.SecretID = secret
		return s.GetSecretValue(session, in)
	}
	_, err := get(GetSecretValueInput{})
	awstest.WantError(t, err, "ResourceNotFoundException: Secrets Manager can't find the specified secret.")
	var ids []string
	for _, value := range []string{"one", "two", "three"} {
		if err := s.Set(secret, value); err != nil {
			t.Fatal(err)
		}
		out, err := get(GetSecretValueInput{})
		if err != nil || out.SecretString != value || !slices.Equal(out.VersionStages, []string{"AWSCURRENT"}) || out.ARN != secret ||
			out.Name != "prod/api-key" || out.CreatedDate < 1e9 || out.SecretBinary != nil {
			t.Fatalf("got %+v, %v", out, err)
		}
		ids = append(ids, out.VersionID)
	}
	out, err := get(GetSecretValueInput{VersionStage: "AWSPREVIOUS"})
	if err != nil || out.SecretString != "two" || out.VersionID != ids[1] {
		t.Errorf("previous is %+v, %v", out, err)
	}
	out, err = get(GetSecretValueInput{VersionID: ids[0]})
	if err != nil || out.SecretString != "one" || len(out.VersionStages) != 0 {
		t.Errorf("first is %+v, %v", out, err)
	}
	out, err = get(GetSecretValueInput{VersionID: ids[2], VersionStage: "AWSCURRENT"})
	if err != nil || out.SecretString != "three" {
		t.Errorf("last is %+v, %v", out, err)
	}
	for want, in := range map[string]GetSecretValueInput{
		"InvalidRequestException: You provided a VersionStage that is not associated":                                      {VersionID: ids[2], VersionStage: "AWSPREVIOUS"},
		"ResourceNotFoundException: Secrets Manager can't find the specified secret value for VersionId: " + fill("x", 32): {VersionID: fill("x", 32)},
		"ResourceNotFoundException: Secrets Manager can't find the specified secret value for staging label: AWSPENDING":   {VersionStage: "AWSPENDING"},
		"InvalidParameterException: VersionId is too short, must be at least 32 characters in length.":                     {VersionID: "x"},
		"InvalidParameterException: VersionId is too long, must be no more than 64 characters in length.":                  {VersionID: fill("x", 65)},
	} {
		_, err := get(in)
		awstest.WantError(t, err, want)
	}
}

func fill(s string, n int) string { return strings.Repeat(s, n) }

func TestNames(t *testing.T) {
	s, session := newStore(t, read+decrypt("secretsmanager", secret))
	if err := s.SetBinary(secret, []byte{0, 0xff}); err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{secret, strings.TrimSuffix(secret, "-a1B2c3"), "prod/api-key"} {
		out, err := s.GetSecretValue(session, GetSecretValueInput{SecretID: id})
		if err != nil || !slices.Equal(out.SecretBinary, []byte{0, 0xff}) || out.SecretString != "" || out.ARN != secret {
			t.Errorf("%s is %+v, %v", id, out, err)
		}
	}
	for id, want := range map[string]string{
		"":                       "ValidationException: ",
		"prod/api-key-a1B2c3":    "ResourceNotFoundException: ",
		"arn:aws:s3:::a-bucket1": "AccessDeniedException: ",
	} {
		_, err := s.GetSecretValue(session, GetSecretValueInput{SecretID: id})
		awstest.WantError(t, err, want)
	}
}

func TestPermissions(t *testing.T) {
	const kms = "AccessDeniedException: Access to KMS is not allowed"
	stage := strings.TrimSuffix(read, "}") + `,"Condition":{"StringEquals":{"secretsmanager:VersionStage":"AWSCURRENT"}}}`
	for name, tt := range map[string]struct{ statements, want string }{
		"allowed":           {read + decrypt("secretsmanager", secret), ""},
		"not at all":        {decrypt("secretsmanager", secret)[1:], "AccessDeniedException: User: arn:aws:sts::123456789012:assumed-role/host/i-1 is not authorized to perform: secretsmanager:GetSecretValue"},
		"not the key":       {read, kms},
		"of another secret": {read + decrypt("secretsmanager", secret+"x"), kms},
		"another service":   {read + decrypt("ssm", secret), kms},
		"a stage, unsaid":   {stage + decrypt("secretsmanager", secret), "AccessDeniedException: User: "},
	} {
		t.Run(name, func(t *testing.T) {
			s, session := newStore(t, tt.statements)
			if err := s.Set(secret, "x"); err != nil {
				t.Fatal(err)
			}
			_, err := s.GetSecretValue(session, GetSecretValueInput{SecretID: secret})
			awstest.WantError(t, err, tt.want)
			var denied *iam.DeniedError
			if tt.want != "" && !errors.As(err, &denied) {
				t.Errorf("error %v does not say what IAM denied", err)
			}
		})
	}
}

func TestPreloading(t *testing.T) {
	s, _ := newStore(t, read)
	for arn, want := range map[string]string{
		"prod/api-key":                                                  "want the complete ARN",
		strings.TrimSuffix(secret, "-a1B2c3"):                           "want the complete ARN",
		strings.Replace(secret, ":secret:", ":parameter/", 1):           "want the complete ARN",
		strings.Replace(secret, "123456789012", "999999999999", 1):      "another account or region",
		strings.Replace(secret, "eu-central-1", "eu-west-1", 1):         "another account or region",
		strings.Replace(secret, "secretsmanager", "secretsmanagers", 1): "want the complete ARN",
	} {
		if err := s.Set(arn, "x"); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Set(%s) = %v, want %s", arn, err, want)
		}
	}
	for _, size := range []int{0, sizeLimit + 1} {
		if err := s.SetBinary(secret, make([]byte, size)); err == nil || !strings.Contains(err.Error(), fmt.Sprintf("%d bytes", size)) {
			t.Errorf("a value of %d bytes: %v", size, err)
		}
	}
	if err := s.Set(secret, fill("x", sizeLimit)); err != nil || !s.Remove(secret) || s.Remove(secret) {
		t.Errorf("Set() = %v, or Remove() does not tell what it removed", err)
	}
}
