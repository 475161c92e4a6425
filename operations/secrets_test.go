package operations_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"cicd/internal/parameterstest"
	"cicd/operations"
)

var dev = operations.Stack{Project: "cicd", Name: "dev", Region: "eu-central-1"}

// canary is a value that must be nowhere but in Parameter Store.
const canary = "kanarienvogel\nwith 'quotes' and \"more\""

func open(t *testing.T) *operations.Secrets {
	t.Helper()
	secrets, err := operations.OpenSecrets(t.Context(), dev)
	if err != nil {
		t.Fatal(err)
	}
	return secrets
}

func TestSecrets(t *testing.T) {
	store := parameterstest.Start(t)
	secrets := open(t)
	for want := int64(1); want <= 3; want++ {
		if version, err := secrets.Set(t.Context(), "DATABASE_URL", fmt.Sprint(canary, want)); err != nil || version != want {
			t.Fatalf("Set: version %d, %v, want %d", version, err, want)
		}
	}
	if p, _ := store.Lookup("/cicd/dev/DATABASE_URL"); p.Value != canary+"3" || p.Type != "SecureString" {
		t.Errorf("stored %+v, want the last value, encrypted", p)
	}
	stored, running, err := secrets.List(t.Context())
	if err != nil || len(stored) != 1 || stored[0].Name != "DATABASE_URL" || stored[0].Version != 3 || time.Since(stored[0].Changed) > time.Minute {
		t.Errorf("List: %+v, %v, want version 3 of DATABASE_URL, just now", stored, err)
	}
	if running.Commit != "" || running.Secrets != nil {
		t.Errorf("running release %+v before there is one", running)
	}
	if err := secrets.Remove(t.Context(), "DATABASE_URL"); err != nil {
		t.Fatal(err)
	}
	if err := secrets.Remove(t.Context(), "DATABASE_URL"); !errors.Is(err, operations.ErrNoSecret) {
		t.Errorf("Remove of what is not there: %v, want ErrNoSecret", err)
	}
}

// TestRunningRelease: what a host notes is no secret, and says which versions run.
func TestRunningRelease(t *testing.T) {
	store := parameterstest.Start(t)
	secrets := open(t)
	commit := strings.Repeat("7", 40)
	store.Put("/cicd/dev/running-release", "String", `{"commit":"`+commit+`","secrets":{"A":3}}`)
	store.Put("/cicd/dev/A", "SecureString", "a")
	store.Put("/cicd/dev/deeper/B", "SecureString", "b")
	store.Put("/cicd/develop/C", "SecureString", "c")
	stored, running, err := secrets.List(t.Context())
	if err != nil || len(stored) != 1 || stored[0].Name != "A" || running.Commit != commit || running.Secrets["A"] != 3 {
		t.Errorf("List: %+v, %+v, %v, want A alone, which runs as version 3", stored, running, err)
	}
	store.Put("/cicd/dev/running-release", "String", "3")
	if _, _, err := secrets.List(t.Context()); err == nil || !strings.Contains(err.Error(), "aws ssm delete-parameter --name /cicd/dev/running-release --region eu-central-1") {
		t.Errorf("List of an unreadable note: %v, want what to do", err)
	}
}

// TestRemoveAll: more parameters than a page or a request has, and none of other stacks.
func TestRemoveAll(t *testing.T) {
	store := parameterstest.Start(t)
	for i := range 23 {
		store.Put(fmt.Sprintf("/cicd/dev/SECRET_%d", i), "SecureString", "x")
	}
	others := []string{"/cicd/prod/SECRET_1", "/cicd/dev-2/SECRET_1", "/cicd/dev/of/another/tool"}
	for _, name := range others {
		store.Put(name, "SecureString", "x")
	}
	secrets := open(t)
	if n, err := secrets.RemoveAll(t.Context()); n != 23 || err != nil {
		t.Errorf("RemoveAll: %d, %v, want 23", n, err)
	}
	if stored, _, err := secrets.List(t.Context()); len(stored) > 0 || err != nil {
		t.Errorf("left: %+v, %v", stored, err)
	}
	for _, name := range others {
		if _, there := store.Lookup(name); !there {
			t.Errorf("%s is gone, and belongs to somebody else", name)
		}
	}
	if n, err := secrets.RemoveAll(t.Context()); n != 0 || err != nil {
		t.Errorf("RemoveAll of nothing: %d, %v", n, err)
	}
}

func TestCheckValue(t *testing.T) {
	for value, want := range map[string]string{
		"x":                             "",
		" ":                             "",
		canary:                          "",
		strings.Repeat("é", 2048):       "",
		"":                              "is empty",
		strings.Repeat("é", 2048) + ".": "longer than 4096 bytes",
		"a\x00b":                        "NUL",
		"a\xffb":                        "not UTF-8",
	} {
		err := operations.CheckValue(value)
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("CheckValue(%.20q): %v, want %q", value, err, want)
		}
	}
}

func TestCompare(t *testing.T) {
	noon := time.Date(2026, 11, 29, 13, 0, 0, 0, time.FixedZone("CET", 3600))
	arn := "arn:aws:ssm:eu-central-1:123456789012:parameter/shared"
	declared := operations.Declared{
		Container: map[string]string{"CURRENT": "", "PENDING": "", "NEW": "", "RESET": "", "MISSING": "", "FOREIGN": arn, "BOTH": arn},
		Build:     map[string]string{"TOKEN": "", "TOKEN_MISSING": "", "BUILD_FOREIGN": arn, "BOTH": ""},
	}
	var stored []operations.Stored
	for name, version := range map[string]int64{"CURRENT": 2, "PENDING": 3, "NEW": 1, "RESET": 1, "TOKEN": 1, "BOTH": 1, "LEFT": 4} {
		stored = append(stored, operations.Stored{Name: name, Version: version, Changed: noon})
	}
	running := operations.Release{Secrets: map[string]int64{"CURRENT": 2, "PENDING": 2, "RESET": 5, "LEFT": 4}}
	var got []string
	for _, s := range operations.Compare(declared, stored, running) {
		got = append(got, fmt.Sprintf("%s %d %d %s", s.Name, s.Version, s.Running, s.State))
		if s.Version > 0 && s.Changed.String() != "2026-11-29 12:00:00 +0000 UTC" || s.Version == 0 && !s.Changed.IsZero() {
			t.Errorf("%s changed %s, want noon in UTC", s.Name, s.Changed)
		}
		if (s.Source == arn) != (s.State == operations.External) {
			t.Errorf("%s is %s and comes from %q", s.Name, s.State, s.Source)
		}
	}
	want := []string{"BOTH 1 0 build", "BUILD_FOREIGN 0 0 external", "CURRENT 2 2 current", "FOREIGN 0 0 external", "LEFT 4 4 undeclared", "MISSING 0 0 missing",
		"NEW 1 0 pending", "PENDING 3 2 pending", "RESET 1 5 pending", "TOKEN 1 0 build", "TOKEN_MISSING 0 0 missing"}
	if !slices.Equal(got, want) {
		t.Errorf("Compare:\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// TestParameterStoreRefuses what only it knows.
func TestParameterStoreRefuses(t *testing.T) {
	store := parameterstest.Start(t)
	store.Put("/cicd/dev/PLAIN", "String", "x")
	for name, tt := range map[string]struct{ value, want string }{
		"NESTED": {"Hello {{ kanarienvogel }}", "secret NESTED: ValidationException\nParameter Store accepts no value that has {{ and }}"},
		"PLAIN":  {canary, "secret PLAIN: HierarchyTypeMismatchException\nThere is a parameter of this name that is no SecureString."},
	} {
		if _, err := open(t).Set(t.Context(), name, tt.value); err == nil || !strings.HasPrefix(err.Error(), tt.want) || strings.Contains(err.Error(), "kanarienvogel") {
			t.Errorf("Set: %v, want %q", err, tt.want)
		}
	}
	elsewhere, err := operations.OpenSecrets(t.Context(), operations.Stack{Project: "cicd", Name: "dev", Region: "us-east-1"})
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := elsewhere.List(t.Context()); err == nil || !strings.Contains(err.Error(), "InvalidSignatureException") || !strings.Contains(err.Error(), "is for us-east-1") {
		t.Errorf("List in another region: %v, want what to do", err)
	}
}

// refuse points AWS's clients at an endpoint that refuses everything.
func refuse(t *testing.T, status int, code, message string) {
	t.Helper()
	parameterstest.Start(t) // credentials
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(status)
		fmt.Fprintf(w, `{"__type":%q,"message":%q}`, code, message)
	}))
	t.Cleanup(server.Close)
	t.Setenv("AWS_ENDPOINT_URL", server.URL)
	t.Setenv("AWS_MAX_ATTEMPTS", "1")
}

// TestRefusals: each error says what AWS refused, about what, and what to do, and none has the value.
func TestRefusals(t *testing.T) {
	denied := "User: arn:aws:sts::123456789012:assumed-role/reader/me is not authorized to perform: ssm:PutParameter"
	tests := []struct {
		code, message, want string
	}{
		{"AccessDeniedException", denied, denied + "\nTo do: allow that"},
		{"ExpiredTokenException", "The security token included in the request is expired", "aws sso login"},
		{"UnrecognizedClientException", "The security token included in the request is invalid.", "not enabled eu-central-1"},
		{"InvalidSignatureException", "Signature expired: ...", "this machine's clock"},
		{"ThrottlingException", "Rate exceeded", "wait a minute"},
		{"TooManyUpdates", "", "Somebody else is changing it"},
		{"ParameterMaxVersionLimitExceeded", "Version 1 ... has a label", "aws ssm label-parameter-version --region eu-central-1"},
		{"HierarchyTypeMismatchException", "", "no SecureString"},
		{"ValidationException", "Value '" + canary + "' at 'value' failed", "no value that has {{ and }}"},
		{"NeverHeardOfException", "Value '" + canary + "' failed", "NeverHeardOfException"},
	}
	for _, tt := range tests {
		t.Run(tt.code, func(t *testing.T) {
			refuse(t, http.StatusBadRequest, tt.code, tt.message)
			_, err := open(t).Set(t.Context(), "TOKEN", canary)
			if err == nil || !strings.HasPrefix(err.Error(), "secret TOKEN: "+tt.code) || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("Set: %v, want %q", err, tt.want)
			}
			if err != nil && strings.Contains(err.Error(), "kanarienvogel") {
				t.Errorf("Set: %v, which has the value", err)
			}
			_, _, err = open(t).List(t.Context())
			if err == nil || !strings.HasPrefix(err.Error(), "parameters of /cicd/dev: "+tt.code+": "+tt.message) && tt.message != "" {
				t.Errorf("List: %v, want AWS's own words", err)
			}
		})
	}
}

func TestNoCredentials(t *testing.T) {
	for _, name := range []string{"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE",
		"AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_CONTAINER_CREDENTIALS_FULL_URI"} {
		t.Setenv(name, "")
	}
	t.Setenv("AWS_CONFIG_FILE", "/dev/null")
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
	t.Setenv("AWS_EC2_METADATA_DISABLED", "true")
	check := func(want string) {
		t.Helper()
		_, err := operations.OpenSecrets(t.Context(), dev)
		if err == nil || !strings.HasPrefix(err.Error(), "AWS credentials: ") || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "aws sso login") {
			t.Errorf("OpenSecrets: %v, want %q and what to do", err, want)
		}
	}
	check("")
	t.Setenv("AWS_PROFILE", "no-such")
	check("no-such")
}

func TestUnreachable(t *testing.T) {
	server := httptest.NewServer(http.NotFoundHandler())
	server.Close()
	parameterstest.Start(t)
	t.Setenv("AWS_ENDPOINT_URL", server.URL)
	t.Setenv("AWS_MAX_ATTEMPTS", "1")
	if _, _, err := open(t).List(t.Context()); err == nil || !strings.Contains(err.Error(), "To do: check aws:region (eu-central-1)") {
		t.Errorf("List: %v, want what to do", err)
	}
	ctx, interrupt := context.WithCancel(t.Context())
	interrupt()
	if _, err := open(t).Set(ctx, "TOKEN", canary); !errors.Is(err, context.Canceled) {
		t.Errorf("Set: %v, want context.Canceled", err)
	}
}
