package codebuild

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"

	"cicd/rehearsal/aws/account"
)

const testSecret = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:demo-a1B2c3"

// grant gives the build's role the statements, beside its log.
func (f *fixture) grant(statements string) {
	f.runner.Account.Put(account.Resource{Type: account.RolePolicy, Name: "policy", URN: "policy", ID: "policy", Properties: map[string]any{"role": "build",
		"policy": `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"logs:*","Resource":"*"},` + statements + `]}`}})
}

const mayReadAll = `{"Effect":"Allow","Action":["ssm:GetParameters","secretsmanager:GetSecretValue","kms:Decrypt"],"Resource":"*"}`

// store puts a parameter of the stack's own, one of somebody else's, and a secret.
func (f *fixture) store(t *testing.T, secret string) {
	t.Helper()
	for _, err := range []error{f.runner.Parameters.Set("/demo/p", "own"), f.runner.Parameters.Set("plain", "short name"),
		f.runner.Parameters.SetForeign("arn:aws:ssm:eu-central-1:123456789012:parameter/shared/q", "foreign"), f.runner.Secrets.Set(testSecret, secret)} {
		if err != nil {
			t.Fatal(err)
		}
	}
}

func TestLookedUpVariables(t *testing.T) {
	parameter := func(value string) []EnvironmentVariable {
		return []EnvironmentVariable{{Name: "V", Value: value, Type: "PARAMETER_STORE"}}
	}
	secret := func(value string) []EnvironmentVariable {
		return []EnvironmentVariable{{Name: "V", Value: value, Type: "SECRETS_MANAGER"}}
	}
	tests := []struct {
		name, header string
		override     []EnvironmentVariable
		want         string // the value, or part of the error
	}{
		{"parameter of the buildspec", "env: {parameter-store: {V: /demo/p}}", nil, "own"},
		{"parameter of the action", "", parameter("plain"), "short name"},
		{"parameter by ARN", "", parameter("arn:aws:ssm:eu-central-1:123456789012:parameter/shared/q"), "foreign"},
		{"no parameter", "env: {parameter-store: {V: /demo/none, W: /demo/p}}", nil,
			"Phase: DOWNLOAD_SOURCE, Code: Decrypted Variables Error, Message: parameter does not exist: /demo/none"},
		{"a value that is none", "", parameter("a b"), "Code: Decrypted Variables Error, Message: ValidationException: Parameter name: "},
		{"overridden parameter is not looked up", "env: {parameter-store: {V: /demo/none}}", []EnvironmentVariable{{Name: "V", Value: "plaintext"}}, "plaintext"},
		{"field of a secret", "env: {secrets-manager: {V: 'demo:user'}}", nil, "jane"},
		{"field by ARN", "", secret(testSecret + ":user"), "jane"},
		{"field of the current version", "", secret(testSecret + ":user:AWSCURRENT"), "jane"},
		{"number", "", secret("demo:port"), "5432"},
		{"truth value", "", secret("demo:on"), "true"},
		{"empty text", "", secret("demo:empty"), ""},
		{"no field", "", secret("demo:password"), "Code: Secrets Manager Error, Message: secret demo: its JSON object has no key password"},
		{"object", "", secret("demo:nested"), "the value of its key nested is an object, a list or null"},
		{"null", "", secret("demo:null"), "the value of its key null is an object, a list or null"},
		{"no secret", "env: {secrets-manager: {V: 'none:user'}}", nil,
			"Code: Secrets Manager Error, Message: ResourceNotFoundException: Secrets Manager can't find the specified secret."},
		{"no version", "", secret("demo:user:AWSPREVIOUS"), "ResourceNotFoundException: Secrets Manager can't find the specified secret value for staging label: AWSPREVIOUS"},
		{"unknown type", "", []EnvironmentVariable{{Name: "V", Value: "p", Type: "SECRET"}}, `type "SECRET": want PLAINTEXT`},
		{"NUL", "", []EnvironmentVariable{{Name: "V", Value: "a\x00b"}}, "V holds a NUL byte"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := newFixture(t, spec(tt.header, `printf %s "$V" > out`)+"artifacts: {files: [out]}\n")
			f.grant(mayReadAll)
			f.store(t, `{"user":"jane","port":5432,"on":true,"empty":"","nested":{"a":"canary"},"null":null}`)
			f.input.EnvironmentVariables = tt.override
			_, err := f.build(t, t.Context())
			switch {
			case err != nil && (!strings.Contains(err.Error(), tt.want) || tt.want == ""):
				t.Errorf("error = %v, want %q", err, tt.want)
			case err != nil && strings.Contains(err.Error(), "canary"):
				t.Errorf("error shows what is in the secret: %v", err)
			case err == nil && f.artifact["out"] != tt.want:
				t.Errorf("the variable is %q, want %q", f.artifact["out"], tt.want)
			}
		})
	}
}

// Each variable is read as the build's role, with the key's permissions for what somebody else has encrypted.
func TestLookedUpVariablesNeedPermission(t *testing.T) {
	const foreign = "arn:aws:ssm:eu-central-1:123456789012:parameter/shared/q"
	allow := func(action, resource string) string {
		return fmt.Sprintf(`{"Effect":"Allow","Action":%q,"Resource":%q}`, action, resource)
	}
	tests := []struct{ name, statements, kind, value, want string }{
		{"parameter", allow("ssm:GetParameters", foreign), "PARAMETER_STORE", "/demo/p", "Code: Decrypted Variables Error, Message: AccessDeniedException: " +
			"User: arn:aws:sts::123456789012:assumed-role/build/AWSCodeBuild-"},
		{"the key of a parameter", allow("ssm:GetParameters", foreign), "PARAMETER_STORE", "/shared/q", "is not authorized to perform: kms:Decrypt"},
		{"secret", allow("ssm:GetParameters", "*"), "SECRETS_MANAGER", testSecret, "Code: Secrets Manager Error, Message: AccessDeniedException: User: "},
		{"the key of a secret", allow("secretsmanager:GetSecretValue", testSecret), "SECRETS_MANAGER", testSecret, "AccessDeniedException: Access to KMS is not allowed"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := newFixture(t, spec("", "true"))
			f.grant(tt.statements)
			f.store(t, "x")
			f.input.EnvironmentVariables = []EnvironmentVariable{{Name: "V", Value: tt.value, Type: tt.kind}}
			if _, err := f.build(t, t.Context()); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error = %v, want %q", err, tt.want)
			}
		})
	}
}

// More parameters than a call takes.
func TestManyParameters(t *testing.T) {
	f := newFixture(t, spec("", "env | grep -c '^V[0-9]*=value'"))
	f.grant(mayReadAll)
	for n := range 23 {
		if err := f.runner.Parameters.Set(fmt.Sprintf("/demo/%d", n), "value"); err != nil {
			t.Fatal(err)
		}
		f.input.EnvironmentVariables = append(f.input.EnvironmentVariables, EnvironmentVariable{Name: fmt.Sprintf("V%d", n), Value: fmt.Sprintf("/demo/%d", n), Type: "PARAMETER_STORE"})
	}
	f.mustBuild(t)
	if got := f.printed(); !slices.Equal(got, []string{"23"}) {
		t.Errorf("printed %q, want that all are there", got)
	}
}

// The values are in no log and no error, wherever they were printed.
func TestValuesAreMasked(t *testing.T) {
	f := newFixture(t, spec("", `echo "it is $P$S!"`, `echo canary-own >&2`, `printf %s canary-; printf 'secret\n'`, `echo canary-sec`, `echo "$P"; false`))
	f.grant(mayReadAll)
	for _, err := range []error{f.runner.Parameters.Set("/demo/p", "canary-own"), f.runner.Secrets.Set(testSecret, "canary-secret")} {
		if err != nil {
			t.Fatal(err)
		}
	}
	f.input.EnvironmentVariables = []EnvironmentVariable{{Name: "P", Value: "/demo/p", Type: "PARAMETER_STORE"}, {Name: "S", Value: testSecret, Type: "SECRETS_MANAGER"}}
	_, err := f.build(t, t.Context())
	if err == nil || strings.Contains(err.Error(), "canary-own") || !strings.Contains(err.Error(), "\n    ***") {
		t.Errorf("error %v, want the masked output", err)
	}
	if log := f.log.String(); strings.Contains(log, "canary-own") || strings.Contains(log, "canary-secret") || !strings.Contains(log, "Running command echo *** >&2") {
		t.Errorf("the log shows a value:\n%s", log)
	}
	if got, want := f.printed(), []string{"it is ******!", "***", "***", "canary-sec", "***"}; !slices.Equal(got, want) {
		t.Errorf("printed %q, want %q", got, want)
	}
}

// Masking does not depend on where a text is cut into pieces.
func TestMasking(t *testing.T) {
	const text = "a secret, secretive; ecret, sec secrets and see"
	const want = "a ***, ***; ecret, sec ***s and see"
	for size := 1; size <= len(text); size++ {
		var shown bytes.Buffer
		p, err := newLogPipe(nopCloser{&shown})
		if err != nil {
			t.Fatal(err)
		}
		p.hide([]string{"secret", "secretive", "", "a\nsecret", "see me"})
		for piece := range slices.Chunk([]byte(text), size) {
			p.pipe.Write(piece)
		}
		p.close()
		if shown.String() != want {
			t.Errorf("in pieces of %d: %q, want %q", size, &shown, want)
		}
	}
}
