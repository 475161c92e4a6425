package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"cicd/internal/parameterstest"
)

// foreign is the ARN of a secret that is not the stack's own.
const foreign = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:shared-AbCdEf#password"

// secretProject is a project whose stack dev names secrets of each kind, and its parameters. It needs no engine.
func secretProject(t *testing.T) (dir string, store *parameterstest.Store) {
	t.Helper()
	dir = t.TempDir()
	for name, text := range map[string]string{
		"Pulumi.yaml": "name: cicd\nruntime: go\n",
		"Pulumi.dev.yaml": "config:\n  aws:region: eu-central-1\n  cicd:secrets: {DATABASE_URL: '', API_KEY: '', SHARED: '" + foreign + "'}\n" +
			"  cicd:buildSecrets: {NPM_TOKEN: ''}\n",
		"Pulumi.prod.yaml": "config: {aws:region: eu-central-1}\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	t.Chdir(dir)
	return dir, parameterstest.Start(t)
}

// runSecrets runs a command with piped input.
func runSecrets(t *testing.T, stdin string, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errOut bytes.Buffer
	c := cli{program: always(good), check: anything, stdin: strings.NewReader(stdin), stdout: &out, stderr: &errOut}
	code = c.run(t.Context(), append([]string{"secrets"}, args...))
	return code, out.String(), errOut.String()
}

// TestSecretsSet: what is piped in is stored, and nothing else has it.
func TestSecretsSet(t *testing.T) {
	dir, store := secretProject(t)
	long := strings.Repeat("x", 4095)
	tests := []struct {
		args, stdin, value string
		code               int
		stderr             string
	}{
		{"set DATABASE_URL", "postgres://canary", "postgres://canary", exitOK, "cicd release --stack dev"},
		{"set DATABASE_URL", "canary\n", "canary", exitOK, "next release"},
		{"set DATABASE_URL", "canary\r\n", "canary", exitOK, "next release"},
		{"set DATABASE_URL", "\n canary 'a' \"b\"\n\n", "\n canary 'a' \"b\"\n", exitOK, "next release"},
		{"set DATABASE_URL", long + "y\r\n", long + "y", exitOK, "next release"},
		{"set NPM_TOKEN", "canary", "canary", exitOK, "next build"},
		{"set DATABASE_URI", "canary", "canary", exitOK, "Did you mean DATABASE_URL?"},
		{"set UNLIKE_THE_OTHERS", "canary", "canary", exitOK, "pulumi config set --path 'secrets.UNLIKE_THE_OTHERS' '' --stack dev\n"},
		{"set TOKEN --stack organization/cicd/prod", "canary", "canary", exitOK, "--stack organization/cicd/prod"},
		{"set SHARED", "canary", "", exitFailure, "comes from " + foreign},
		{"set EMPTY", "\n", "", exitFailure, "EMPTY is unchanged: the value is empty"},
		{"set LONG", long + "canary", "", exitFailure, "longer than 4096 bytes"},
		{"set BINARY", "canary\x00", "", exitFailure, "NUL"},
		{"set BINARY", "canary\xff", "", exitFailure, "not UTF-8"},
		{"set PORT", "canary", "", exitUsage, "PORT"},
		{"set ca-na-ry", "canary", "", exitUsage, "letters, digits and _"},
		{"set", "canary", "", exitUsage, "set needs the secret's NAME"},
		{"set A canary", "", "", exitUsage, "The value is no argument"},
		{"set A=canary", "", "", exitUsage, "The value is no argument"},
		{"set A -----canary", "", "", exitUsage, "The value is no argument"},
		{"set A -canary", "", "", exitUsage, "The value is no argument"},
	}
	for _, tt := range tests {
		code, stdout, stderr := runSecrets(t, tt.stdin, strings.Fields(tt.args)...)
		if code != tt.code || !strings.Contains(stderr, tt.stderr) {
			t.Errorf("secrets %s: exit code %d, stderr\n%swant %d and %q", tt.args, code, stderr, tt.code, tt.stderr)
		}
		if strings.Contains(stdout+stderr, "canary") {
			t.Errorf("secrets %s shows the value:\n%s%s", tt.args, stdout, stderr)
		}
		name, _, _ := strings.Cut(strings.TrimPrefix(tt.args, "set "), " ")
		parameter := "/cicd/dev/" + name
		if strings.HasSuffix(tt.args, "prod") {
			parameter = "/cicd/prod/" + name
		}
		if p, there := store.Lookup(parameter); there != (tt.value != "") || p.Value != tt.value {
			t.Errorf("secrets %s stored %q as %s, want %q", tt.args, p.Value, parameter, tt.value)
		}
		if want := fmt.Sprintf(" of %s, as %s in ", name, parameter); tt.code == exitOK && !strings.Contains(stdout, want) {
			t.Errorf("secrets %s printed %q, want %q", tt.args, stdout, want)
		}
	}
	noFileHas(t, dir, "canary")
}

// noFileHas looks for a text in the project.
func noFileHas(t *testing.T, dir, text string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		if bytes.Contains(content, []byte(text)) {
			t.Errorf("%s has the value", path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestSecretsList(t *testing.T) {
	_, store := secretProject(t)
	long := "A_" + strings.Repeat("LONG_", 12) + "NAME"
	for _, name := range []string{"DATABASE_URL", "DATABASE_URL", "NPM_TOKEN", "OLD", long} {
		store.Put("/cicd/dev/"+name, "SecureString", "canary")
	}
	store.Put("/cicd/dev/running-release", "String", `{"commit":"`+strings.Repeat("7", 40)+`","secrets":{"DATABASE_URL":1}}`)
	code, stdout, stderr := runSecrets(t, "", "list")
	today := store.Changed("/cicd/dev/OLD").UTC().Format("2006-01-02 15:04")
	want := strings.ReplaceAll(`NAME          VERSION  CHANGED (UTC)     RUNNING
API_KEY             -  -                       -  no value
`+long+`
                    1  TODAY                   -  not configured
DATABASE_URL        2  TODAY                   1  not running yet
NPM_TOKEN           1  TODAY                   -  for builds
OLD                 1  TODAY                   -  not configured
SHARED              -  -                       -  from its ARN
`, "TODAY           ", today)
	if code != exitOK || stdout != want {
		t.Errorf("exit code %d, printed\n%swant\n%s", code, stdout, want)
	}
	for _, todo := range []string{"    cicd secrets set API_KEY --stack dev\n", "    pulumi config set --path 'secrets.OLD' '' --stack dev\n    cicd secrets rm OLD --stack dev\n",
		"    cicd release --stack dev\n"} {
		if !strings.Contains(stderr, todo) {
			t.Errorf("said\n%swant\n%s", stderr, todo)
		}
	}
	if strings.Contains(stdout+stderr, "canary") {
		t.Errorf("shows a value:\n%s%s", stdout, stderr)
	}
	for line := range strings.Lines(stdout) {
		if len(line) > 81 {
			t.Errorf("wider than 80 columns: %q", line)
		}
	}
	code, stdout, _ = runSecrets(t, "", "list", "--json")
	wantAnswer(t, []string{"secrets", "list"}, stdout)
	for _, part := range []string{`"runningCommit": "7777`, `"source": "` + foreign + `",` + "\n" + `      "state": "external"`, `"version": 2,`, `"running": 1,`, `"state": "missing"`} {
		if code != exitOK || !strings.Contains(stdout, part) {
			t.Errorf("--json: exit code %d, %s\nwant %s", code, stdout, part)
		}
	}
	if code, stdout, stderr := runSecrets(t, "", "list", "--stack", "prod"); code != exitOK || stdout != "" || !strings.Contains(stderr, "Stack prod has no secrets") {
		t.Errorf("of no secrets: exit code %d, %s%s", code, stdout, stderr)
	}
}

func TestSecretsRm(t *testing.T) {
	_, store := secretProject(t)
	store.Put("/cicd/dev/running-release", "String", `{"secrets":{"DATABASE_URL":1}}`)
	tests := []struct {
		args, typed string
		code        int
		there       bool
		stderr      string
	}{
		{"rm DATABASE_URL", "", exitUsage, true, "add --yes"},
		{"rm DATABASE_URL", "n\n", exitFailure, true, `secret DATABASE_URL of stack "dev" is unchanged: you typed "n"`},
		{"rm DATABASE_URL", "\n", exitFailure, true, "is unchanged"},
		{"rm DATABASE_URL", "y\n", exitOK, false, "pulumi config rm --path 'secrets.DATABASE_URL' --stack dev"},
		{"rm DATABASE_URL --yes", "", exitOK, false, "The running release has DATABASE_URL"},
		{"rm DATABASE_UR --yes", "", exitFailure, true, "did you mean DATABASE_URL?"},
		{"rm running-release --yes", "", exitFailure, true, "no value of running-release"},
		{"rm SHARED --yes", "", exitFailure, true, "which comes from " + foreign},
		{"rm", "", exitUsage, true, "accepts 1 arg(s)"},
	}
	for _, tt := range tests {
		store.Put("/cicd/dev/DATABASE_URL", "SecureString", "canary")
		var stdout, stderr bytes.Buffer
		c := cli{program: always(good), check: anything, stdin: strings.NewReader(tt.typed), interactive: tt.typed != "", stdout: &stdout, stderr: &stderr}
		code := c.run(t.Context(), append([]string{"secrets"}, strings.Fields(tt.args)...))
		if code != tt.code || !strings.Contains(stderr.String(), tt.stderr) {
			t.Errorf("secrets %s: exit code %d, stderr\n%swant %d and %q", tt.args, code, &stderr, tt.code, tt.stderr)
		}
		if _, there := store.Lookup("/cicd/dev/DATABASE_URL"); there != tt.there {
			t.Errorf("secrets %s: it is there: %t, want %t", tt.args, there, tt.there)
		}
		if want := "Deleted DATABASE_URL, which was /cicd/dev/DATABASE_URL in eu-central-1.\n"; tt.code == exitOK && stdout.String() != want {
			t.Errorf("secrets %s printed %q, want %q", tt.args, &stdout, want)
		}
	}
	if _, there := store.Lookup("/cicd/dev/running-release"); !there {
		t.Error("what the host noted is gone")
	}
}

// TestDestroyDeletesSecrets: they go once the stack is gone, and not before.
func TestDestroyDeletesSecrets(t *testing.T) {
	project(t)
	store := parameterstest.Start(t)
	for _, name := range []string{"/cicd/dev/A", "/cicd/dev/running-release", "/cicd/prod/A"} {
		store.Put(name, "SecureString", "canary")
	}
	run := func(args string) (int, string, string) {
		var stdout, stderr bytes.Buffer
		code := cli{program: always(good), check: anything, stdout: &stdout, stderr: &stderr}.run(t.Context(), strings.Fields(args))
		return code, stdout.String(), stderr.String()
	}
	there := func(name string) bool { _, there := store.Lookup(name); return there }
	if code, _, stderr := run("up"); code != exitOK {
		t.Fatal(stderr)
	}
	lock := filepath.Join(strings.TrimPrefix(os.Getenv("PULUMI_BACKEND_URL"), "file://"), ".pulumi", "locks", "organization", "cicd", "dev", "other.json")
	if err := errors.Join(os.MkdirAll(filepath.Dir(lock), 0o755), os.WriteFile(lock, []byte(`{"pid": 7}`), 0o644)); err != nil {
		t.Fatal(err)
	}
	if code, _, stderr := run("destroy --yes"); code != exitLocked || !there("/cicd/dev/A") {
		t.Errorf("destroy that fails: exit code %d, secrets there: %t, want them left\n%s", code, there("/cicd/dev/A"), stderr)
	}
	if err := os.Remove(lock); err != nil {
		t.Fatal(err)
	}

	endpoint := os.Getenv("AWS_ENDPOINT_URL")
	refusing := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusBadRequest)
		fmt.Fprint(w, `{"__type":"AccessDeniedException","message":"not authorized to perform: ssm:GetParametersByPath"}`)
	}))
	t.Cleanup(refusing.Close)
	t.Setenv("AWS_ENDPOINT_URL", refusing.URL)
	if code, stdout, stderr := run("destroy --yes"); code != exitOK || stdout != "Stack dev: 1 deleted.\n" ||
		!strings.Contains(stderr, "warning: parameters may be left under /cicd/dev: ") ||
		strings.Count(stderr, "warning: it is not checked what is left: ") != 7 {
		t.Errorf("without access, of a stack that names no secrets: exit code %d\n%s%s", code, stdout, stderr)
	}
	file := filepath.Join("..", "..", "Pulumi.dev.yaml")
	if err := os.WriteFile(file, []byte("config: {aws:region: eu-central-1, cicd:secrets: {A: ''}}\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if code, stdout, stderr := run("destroy --yes"); code != exitFailure || !strings.HasPrefix(stdout, "Stack dev: ") ||
		!strings.Contains(stderr, "secrets may be left under /cicd/dev: ") || !strings.Contains(stderr, "run this again: cicd destroy --stack dev") {
		t.Errorf("without access: exit code %d\n%s%s", code, stdout, stderr)
	}
	t.Setenv("AWS_ENDPOINT_URL", endpoint)
	if code, stdout, stderr := run("destroy --yes"); code != exitOK || !strings.HasSuffix(stdout, "Deleted its secrets: 2 parameters.\n"+nothingLeft) ||
		there("/cicd/dev/A") || !there("/cicd/prod/A") {
		t.Errorf("again: exit code %d\n%s%s", code, stdout, stderr)
	}
	if code, stdout, stderr := run("destroy --yes --json"); code != exitOK || !strings.Contains(stdout, `"parametersDeleted": 0`) || !strings.Contains(stdout, `"left": []`) {
		t.Errorf("as JSON: exit code %d\n%s%s", code, stdout, stderr)
	}
}

// TestSecretNamesAreOffered to the shell, from the configuration alone.
func TestSecretNamesAreOffered(t *testing.T) {
	secretProject(t)
	for _, command := range []string{"set", "rm"} {
		var stdout bytes.Buffer
		c := cli{program: always(good), check: anything, stdout: &stdout, stderr: io.Discard}
		if c.run(t.Context(), []string{"__complete", "secrets", command, ""}); stdout.String() != "API_KEY\nDATABASE_URL\nNPM_TOKEN\nSHARED\n:4\n" {
			t.Errorf("secrets %s: offers %q", command, &stdout)
		}
	}
}

// TestStackWithoutRegion: the environment's region is none of the stack's.
func TestStackWithoutRegion(t *testing.T) {
	dir, _ := secretProject(t)
	t.Setenv("AWS_REGION", "us-east-1")
	if err := os.WriteFile(filepath.Join(dir, "Pulumi.prod.yaml"), []byte("config: {}\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if code, _, stderr := runSecrets(t, "", "list", "--stack", "prod"); code != exitFailure || !strings.Contains(stderr, "aws:region in Pulumi.prod.yaml is missing") {
		t.Errorf("exit code %d, %s", code, stderr)
	}
}

// TestConfigurationIsWrong: the check's error comes first, before anything that the secrets' own code says.
func TestConfigurationIsWrong(t *testing.T) {
	secretProject(t)
	var stderr bytes.Buffer
	c := cli{stdin: strings.NewReader("canary"), stdout: io.Discard, stderr: &stderr,
		check: func(string, string, map[string]string, []string) error { return errors.New("secrets.A: refused") }}
	if code := c.run(t.Context(), []string{"secrets", "set", "A"}); code != exitFailure || stderr.String() != "cicd: secrets.A: refused\n" {
		t.Errorf("exit code %d, %s", code, &stderr)
	}
}
