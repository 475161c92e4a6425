package ssm

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"cicd/rehearsal/aws/awstest"
	"cicd/rehearsal/aws/iam"
)

const (
	ownARN  = "arn:aws:ssm:eu-central-1:123456789012:parameter/cicd/dev/"
	foreign = "arn:aws:ssm:eu-central-1:123456789012:parameter/shared/database/url"
)

// newStore returns a store, and the session of a role that has the statements.
func newStore(t *testing.T, statements string) (*Store, iam.Session) {
	t.Helper()
	acct, authority, session := awstest.Account(t, statements)
	return New(acct, authority), session
}

func allow(action, resource string) string {
	return fmt.Sprintf(`{"Effect":"Allow","Action":%q,"Resource":%q}`, action, resource)
}

const everything = `{"Effect":"Allow","Action":"ssm:*","Resource":"*"}`

// must puts a parameter.
func (s *Store) must(t *testing.T, session iam.Session, in PutParameterInput) PutParameterOutput {
	t.Helper()
	out, err := s.PutParameter(session, in)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestVersions(t *testing.T) {
	s, session := newStore(t, everything)
	for n := range int64(versionsKept + 2) {
		out := s.must(t, session, PutParameterInput{Name: "/cicd/dev/A", Value: fmt.Sprintf("value %d", n+1), Type: typeSecure, Overwrite: true})
		if out.Version != n+1 || out.Tier != tierStandard {
			t.Fatalf("put %d made %+v", n+1, out)
		}
	}
	got, err := s.GetParameter(session, GetParameterInput{Name: "/cicd/dev/A", WithDecryption: true})
	if p := got.Parameter; err != nil || p.Value != "value 102" || p.Version != 102 || p.ARN != ownARN+"A" || p.LastModifiedDate < 1e9 || p.Type != typeSecure {
		t.Errorf("got %+v, %v", p, err)
	}
	got, err = s.GetParameter(session, GetParameterInput{Name: "/cicd/dev/A:3", WithDecryption: true})
	if p := got.Parameter; err != nil || p.Value != "value 3" || p.Version != 3 || p.Selector != ":3" {
		t.Errorf("version 3 is %+v, %v", p, err)
	}
	_, err = s.GetParameter(session, GetParameterInput{Name: "/cicd/dev/A:2"})
	awstest.WantError(t, err, "ParameterVersionNotFound: Systems Manager could not find version 2 of /cicd/dev/A. Verify the version and try again.")
	_, err = s.GetParameter(session, GetParameterInput{Name: "/cicd/dev/B"})
	awstest.WantError(t, err, "ParameterNotFound: ")
}

func TestSecureString(t *testing.T) {
	s, session := newStore(t, everything)
	s.must(t, session, PutParameterInput{Name: "A", Value: "canary", Type: typeSecure})
	s.must(t, session, PutParameterInput{Name: "B", Value: "plain", Type: typeString})
	for _, decrypt := range []bool{false, true} {
		out, err := s.GetParameters(session, GetParametersInput{Names: []string{"B", "A"}, WithDecryption: decrypt})
		if err != nil || len(out.Parameters) != 2 {
			t.Fatalf("got %+v, %v", out, err)
		}
		if a := out.Parameters[0].Value; (a == "canary") != decrypt || strings.Contains(a, "canary") != decrypt || a == "" {
			t.Errorf("with decryption %t, A is %q", decrypt, a)
		}
		if b := out.Parameters[1].Value; b != "plain" {
			t.Errorf("B is %q", b)
		}
	}
}

func TestGetParameters(t *testing.T) {
	s, session := newStore(t, allow("ssm:GetParameters", ownARN+"*"))
	for _, name := range []string{"B", "A", "C"} {
		if err := s.Set("/cicd/dev/"+name, "value of "+name); err != nil {
			t.Fatal(err)
		}
	}
	out, err := s.GetParameters(session, GetParametersInput{
		Names:          []string{"/cicd/dev/C", "/cicd/dev/none", ownARN + "A", "/cicd/dev/C", "/cicd/dev/none", ownARN + "nothing"},
		WithDecryption: true})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, p := range out.Parameters {
		got = append(got, p.Name+"="+p.Value)
	}
	if want := []string{"/cicd/dev/A=value of A", "/cicd/dev/C=value of C"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if want := []string{"/cicd/dev/none", ownARN + "nothing"}; !slices.Equal(out.InvalidParameters, want) {
		t.Errorf("invalid are %q, want %q", out.InvalidParameters, want)
	}
	tests := []struct {
		names []string
		want  string
	}{
		{nil, "ValidationException: 1 validation error detected: Value '[]' at 'names' failed to satisfy constraint: Member must have length greater than or equal to 1"},
		{strings.Split(strings.Repeat("x", 11), ""), "ValidationException: 1 validation error detected: Value '[x, x, "},
		{[]string{"/cicd/dev/A", "/cicd/prod/A"}, "AccessDeniedException: User: arn:aws:sts::123456789012:assumed-role/host/i-1 is not authorized to perform: " +
			"ssm:GetParameters on resource: arn:aws:ssm:eu-central-1:123456789012:parameter/cicd/prod/A because no identity-based policy allows"},
		{[]string{strings.Replace(ownARN, "123456789012", "999999999999", 1) + "A"}, "AccessDeniedException: "},
		{[]string{strings.Replace(ownARN, "eu-central-1", "eu-west-1", 1) + "A"}, "AccessDeniedException: "},
		{[]string{"arn:aws:s3:::bucket"}, "ValidationException: "},
		{[]string{"a name"}, "ValidationException: Parameter name: "},
		{[]string{"/aws/service/ami-amazon-linux-latest/x"}, "ValidationException: a rehearsal has no public parameters"},
	}
	for _, tt := range tests {
		_, err := s.GetParameters(session, GetParametersInput{Names: tt.names})
		awstest.WantError(t, err, tt.want)
	}
}

// What somebody else encrypted needs the permission for its key, and only when it is decrypted.
func TestForeignParameters(t *testing.T) {
	kms := func(parameter string) string {
		return `{"Effect":"Allow","Action":"kms:Decrypt","Resource":"arn:aws:kms:eu-central-1:123456789012:key/*","Condition":{"StringEquals":{
			"kms:ViaService":"ssm.eu-central-1.amazonaws.com","kms:EncryptionContext:PARAMETER_ARN":"` + parameter + `"}}}`
	}
	read := allow("ssm:GetParameters", foreign)
	for name, tt := range map[string]struct{ statements, want string }{
		"allowed":              {read + "," + kms(foreign), ""},
		"no kms":               {read, "AccessDeniedException: User: arn:aws:sts::123456789012:assumed-role/host/i-1 is not authorized to perform: kms:Decrypt"},
		"for another one":      {read + "," + kms(ownARN+"A"), "AccessDeniedException: "},
		"kms alone":            {kms(foreign), "AccessDeniedException: User: arn:aws:sts::123456789012:assumed-role/host/i-1 is not authorized to perform: ssm:GetParameters"},
		"kms, not via service": {read + "," + strings.Replace(kms(foreign), "ssm.eu", "s3.eu", 1), "AccessDeniedException: "},
	} {
		t.Run(name, func(t *testing.T) {
			s, session := newStore(t, tt.statements)
			if err := s.SetForeign(foreign, "postgres://"); err != nil {
				t.Fatal(err)
			}
			out, err := s.GetParameters(session, GetParametersInput{Names: []string{foreign}, WithDecryption: true})
			awstest.WantError(t, err, tt.want)
			if tt.want == "" && (len(out.Parameters) != 1 || out.Parameters[0].Name != "/shared/database/url" || out.Parameters[0].Value != "postgres://") {
				t.Errorf("got %+v", out)
			}
			if strings.Contains(tt.want, "ssm:GetParameters") {
				return
			}
			_, err = s.GetParameters(session, GetParametersInput{Names: []string{foreign}})
			awstest.WantError(t, err, "")
		})
	}
}

// The last part of an ARN is a name with or without a slash.
func TestARNOfASingleName(t *testing.T) {
	s, session := newStore(t, everything)
	const arn = "arn:aws:ssm:eu-central-1:123456789012:parameter/"
	for _, name := range []string{"plain", "/slash"} {
		if err := s.Set(name, "x"); err != nil {
			t.Fatal(err)
		}
		out, err := s.GetParameter(session, GetParameterInput{Name: arn + strings.TrimPrefix(name, "/") + ":1"})
		if err != nil || out.Parameter.Name != name {
			t.Errorf("by ARN, %s is %+v, %v", name, out, err)
		}
	}
}

func TestPutParameterRefused(t *testing.T) {
	s, session := newStore(t, everything+`,{"Effect":"Deny","Action":"ssm:PutParameter","Resource":"*","Condition":{"StringEquals":{"ssm:Overwrite":"true"}}},
		{"Effect":"Deny","Action":"ssm:PutParameter","Resource":"arn:aws:ssm:*:*:parameter/forbidden"},
		{"Effect":"Deny","Action":"ssm:AddTagsToResource","Resource":"arn:aws:ssm:*:*:parameter/tagged"}`)
	s.must(t, session, PutParameterInput{Name: "/a/string", Value: "x", Type: typeString})
	s.must(t, session, PutParameterInput{Name: "/a/b/c/d/e/f/g/h/i/j/k/l/m/n/o", Value: "x", Type: typeString})
	s.must(t, session, PutParameterInput{Name: " /a/long ", Value: strings.Repeat("x", 4096), Type: typeString})
	s.must(t, session, PutParameterInput{Name: "/a/longer", Value: strings.Repeat("x", 8192), Type: typeString, Tier: tierAdvanced})
	if out := s.must(t, session, PutParameterInput{Name: "/a/clever", Value: strings.Repeat("x", 4097), Type: typeString, Tier: tierChosen}); out.Tier != tierAdvanced {
		t.Errorf("tier %s, want the one that has room", out.Tier)
	}
	tests := []struct {
		in   PutParameterInput
		want string
	}{
		{PutParameterInput{Name: "/a/string", Value: "y", Type: typeString}, "ParameterAlreadyExists: The parameter already exists. To overwrite"},
		{PutParameterInput{Name: "/a/string", Value: "y", Overwrite: true}, "AccessDeniedException: "},
		{PutParameterInput{Name: "/forbidden", Value: "y", Type: typeString}, "AccessDeniedException: "},
		{PutParameterInput{Name: "/a/new", Value: "y"}, "ValidationException: A parameter type is required when you create a parameter."},
		{PutParameterInput{Name: "/a/new", Value: "", Type: typeString}, "ValidationException: 1 validation error detected: Value '' at 'value'"},
		{PutParameterInput{Name: "/a/new", Value: "y", Type: "Secret"}, "ValidationException: 1 validation error detected: Value 'Secret' at 'type'"},
		{PutParameterInput{Name: "/a/new", Value: "y", Type: typeString, Tier: "Gold"}, "ValidationException: 1 validation error detected: Value 'Gold' at 'tier'"},
		{PutParameterInput{Name: "/a/new", Value: "y", Type: typeString, DataType: "aws:ec2:image"}, "ValidationException: The following data type is not supported"},
		{PutParameterInput{Name: "/a/new", Value: "y", Type: typeString, Description: strings.Repeat("x", 1025)}, "ValidationException: 1 validation error"},
		{PutParameterInput{Name: "/tagged", Value: "y", Type: typeString, Tags: []Tag{{"Stack", "dev"}}}, "AccessDeniedException: User: arn:aws:sts::123456789012:assumed-role/host/i-1 is not authorized to perform: ssm:AddTagsToResource"},
		{PutParameterInput{Name: "/a/new", Value: "a {{b}}", Type: typeString}, "ValidationException: Parameter value can't nest another parameter."},
		{PutParameterInput{Name: "/a/new", Value: strings.Repeat("ü", 2049), Type: typeString}, "ValidationException: Standard tier parameters support a maximum"},
		{PutParameterInput{Name: "/a/new", Value: strings.Repeat("x", 8193), Type: typeString, Tier: tierChosen}, "ValidationException: Advanced tier"},
		{PutParameterInput{Name: "/a/b/c/d/e/f/g/h/i/j/k/l/m/n/o/p", Value: "x", Type: typeString}, "HierarchyLevelLimitExceededException: "},
		{PutParameterInput{Name: "/" + strings.Repeat("x", 1000), Value: "x", Type: typeString}, "ValidationException: "},
		{PutParameterInput{Name: "a/b", Value: "x", Type: typeString}, "ValidationException: Parameter name must be a fully qualified name."},
		{PutParameterInput{Name: "/a//b", Value: "x", Type: typeString}, "ValidationException: Parameter name: "},
		{PutParameterInput{Name: "/a/b/", Value: "x", Type: typeString}, "ValidationException: Parameter name: "},
		{PutParameterInput{Name: "/a/b:1", Value: "x", Type: typeString}, "ValidationException: Parameter name: "},
		{PutParameterInput{Name: "/a/ü", Value: "x", Type: typeString}, "ValidationException: Parameter name: "},
		{PutParameterInput{Name: ownARN + "A", Value: "x", Type: typeString}, "ValidationException: Parameter name: "},
		{PutParameterInput{Name: "AWSome", Value: "x", Type: typeString}, `ValidationException: Parameter name: can't be prefixed with "aws" or "ssm"`},
		{PutParameterInput{Name: "/ssm/x", Value: "x", Type: typeString}, `ValidationException: Parameter name: can't be prefixed with "ssm"`},
		{PutParameterInput{Name: "/aws/x", Value: "x", Type: typeString}, "AccessDeniedException: No access to reserved parameter name: /aws/x."},
	}
	for _, tt := range tests {
		_, err := s.PutParameter(session, tt.in)
		awstest.WantError(t, err, tt.want)
	}
	s, session = newStore(t, everything)
	s.must(t, session, PutParameterInput{Name: "a", Value: "x", Type: typeString, Tier: tierAdvanced, Tags: []Tag{{"Stack", "dev"}}})
	_, err := s.PutParameter(session, PutParameterInput{Name: "a", Value: "y", Overwrite: true, Tags: []Tag{{"Stack", "dev"}}})
	awstest.WantError(t, err, "ValidationException: Invalid request: tags and overwrite can't be used together.")
	_, err = s.PutParameter(session, PutParameterInput{Name: "a", Value: "y", Type: typeSecure, Overwrite: true})
	awstest.WantError(t, err, "HierarchyTypeMismatchException: ")
	_, err = s.PutParameter(session, PutParameterInput{Name: "a", Value: "y", Tier: tierStandard, Overwrite: true})
	awstest.WantError(t, err, "ValidationException: This parameter uses the advanced-parameter tier.")
	if out := s.must(t, session, PutParameterInput{Name: "a", Value: "y", Overwrite: true}); out.Version != 2 || out.Tier != tierAdvanced {
		t.Errorf("put %+v, want version 2 in the same tier", out)
	}
}

func TestDelete(t *testing.T) {
	s, session := newStore(t, allow("ssm:DeleteParameter", ownARN+"*")+","+allow("ssm:DeleteParameters", ownARN+"*"))
	for _, name := range []string{"/cicd/dev/A", "/cicd/dev/B", "/cicd/dev/C", "/other"} {
		if err := s.Set(name, "x"); err != nil {
			t.Fatal(err)
		}
	}
	awstest.WantError(t, s.DeleteParameter(session, DeleteParameterInput{Name: "/cicd/dev/A"}), "")
	awstest.WantError(t, s.DeleteParameter(session, DeleteParameterInput{Name: "/cicd/dev/A"}), "ParameterNotFound: ")
	awstest.WantError(t, s.DeleteParameter(session, DeleteParameterInput{Name: "/other"}), "AccessDeniedException: ")
	awstest.WantError(t, s.DeleteParameter(session, DeleteParameterInput{Name: ownARN + "B"}), "ValidationException: ")
	out, err := s.DeleteParameters(session, DeleteParametersInput{Names: []string{"/cicd/dev/A", "/cicd/dev/B"}})
	if err != nil || !slices.Equal(out.DeletedParameters, []string{"/cicd/dev/B"}) || !slices.Equal(out.InvalidParameters, []string{"/cicd/dev/A"}) {
		t.Errorf("got %+v, %v", out, err)
	}
	_, err = s.DeleteParameters(session, DeleteParametersInput{Names: []string{"/cicd/dev/C", "/other"}})
	awstest.WantError(t, err, "AccessDeniedException: ")
	if _, ok := s.Lookup("/cicd/dev/C"); !ok {
		t.Error("a call that was denied deleted something")
	}
	_, err = s.DeleteParameters(session, DeleteParametersInput{})
	awstest.WantError(t, err, "ValidationException: ")
	if !s.Remove(ownARN+"C") || s.Remove("/cicd/dev/C") {
		t.Error("Remove() does not tell what it removed")
	}
}

func TestPreloading(t *testing.T) {
	s, _ := newStore(t, everything)
	awstest.WantError(t, s.Set("/cicd/dev/A", ""), "parameter /cicd/dev/A: ValidationException: ")
	awstest.WantError(t, s.SetForeign("/cicd/dev/A:1", "x"), "ValidationException: ")
	awstest.WantError(t, s.SetForeign("arn:aws:ssm:eu-central-1:999999999999:parameter/a", "x"), "AccessDeniedException: ")
	if _, ok := s.Lookup(foreign); ok {
		t.Error("there is a parameter before one is set")
	}
	for n := range int64(2) {
		awstest.WantError(t, s.SetForeign(foreign, "x"), "")
		if p, ok := s.Lookup(foreign); !ok || p.Value != "x" || p.Version != n+1 || p.Type != typeSecure || p.ARN != foreign {
			t.Errorf("Lookup() = %+v, %t", p, ok)
		}
	}
}
