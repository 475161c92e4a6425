package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"cicd/automation"
	"cicd/internal/parameterstest"
	"cicd/rehearsal/aws/sessionmanager/plugin"
)

// beCICD makes this test binary act as the command itself, with a program that never ends and keeps printing.
const beCICD = "CICD_TEST_BE_CICD"

func TestMain(m *testing.M) {
	if name := filepath.Base(os.Args[0]); os.Getenv(beCICD) != "" || name == "aws" || name == plugin.Name {
		os.Exit(start(cli{check: anything, program: always(func(ctx *pulumi.Context) error {
			for {
				select {
				case <-ctx.Context().Done():
					return ctx.Context().Err()
				case <-time.After(20 * time.Millisecond):
					if err := ctx.Log.Info("running", nil); err != nil {
						return err
					}
				}
			}
		})}))
	}
	os.Exit(m.Run())
}

// project makes a project with the stacks dev and prod and a backend of its own, and changes to a folder inside it. It
// puts the engine, which only this module's tools know how to build, on PATH.
func project(t *testing.T) {
	t.Helper()
	engine, err := automation.FindEngine(t.Context(), filepath.Join("..", ".."), os.Stderr)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for name, text := range map[string]string{
		"Pulumi.yaml":      "name: cicd\nruntime: go\n",
		"Pulumi.dev.yaml":  "config: {aws:region: eu-central-1}\n",
		"Pulumi.prod.yaml": "config: {aws:region: eu-central-1}\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	inside := filepath.Join(dir, "docs", "pictures")
	if err := os.MkdirAll(inside, 0o755); err != nil {
		t.Fatal(err)
	}
	t.Chdir(inside)
	t.Setenv("PATH", filepath.Dir(engine.Path)+string(os.PathListSeparator)+os.Getenv("PATH"))
	t.Setenv("PULUMI_BACKEND_URL", "file://"+t.TempDir())
	t.Setenv("PULUMI_HOME", t.TempDir())
	t.Setenv("PULUMI_CONFIG_PASSPHRASE", "test")
}

// good exports outputs of every kind, a secret among them.
func good(ctx *pulumi.Context) error {
	ctx.Export("appUrl", pulumi.String("http://localhost/?a=1&b=2"))
	ctx.Export("ids", pulumi.ToStringArray([]string{"i-1", "i-2"}))
	ctx.Export("token", pulumi.ToSecret(pulumi.String("hunter2")))
	return nil
}

func bad(*pulumi.Context) error { return errors.New("keepImages 0: wanted 1 or more") }

// always is the program of every configuration.
func always(p pulumi.RunFunc) program { return func([]string) pulumi.RunFunc { return p } }

// anything accepts every configuration.
func anything(string, string, map[string]string, []string) error { return nil }

// TestConfigurationIsCheckedFirst: every command rejects what the program would, before it needs an engine.
func TestConfigurationIsCheckedFirst(t *testing.T) {
	project(t)
	t.Setenv("PATH", "")
	for _, command := range []string{"preview", "up", "outputs", "destroy --yes", "secrets list", "secrets set A", "secrets rm A --yes"} {
		var stderr strings.Builder
		c := cli{program: always(good), stdout: io.Discard, stderr: &stderr, check: func(project, stack string, _ map[string]string, _ []string) error {
			return fmt.Errorf("%s/%s: refused", project, stack)
		}}
		if code := c.run(t.Context(), strings.Fields(command+" --stack prod")); code != exitFailure || stderr.String() != "cicd: cicd/prod: refused\n" {
			t.Errorf("%s: exit code %d, %q, want %d and the check's error", command, code, &stderr, exitFailure)
		}
	}
}

// TestErrorsArePlain: an error may quote the output of a program, which the terminal must not obey.
func TestErrorsArePlain(t *testing.T) {
	project(t)
	var stderr strings.Builder
	c := cli{program: always(good), stdout: io.Discard, stderr: &stderr, check: func(string, string, map[string]string, []string) error {
		return errors.New("refused\n    10%\r100%\r\n    \x1b[31mred\x1b[0m \x1b]0;title\x07bell\x07")
	}}
	if want := "cicd: refused\n100%\n    red bell\ufffd\n"; c.run(t.Context(), []string{"preview", "--stack", "prod"}) != exitFailure || stderr.String() != want {
		t.Errorf("the error is shown as\n%q, want\n%q", &stderr, want)
	}
}

// TestStackOfAnOrganization: a stack may be named with its organization and project, as for pulumi. The program and its
// settings know the last part.
func TestStackOfAnOrganization(t *testing.T) {
	project(t)
	var checked []string
	c := cli{program: always(good), stdout: io.Discard, stderr: io.Discard, check: func(_, stack string, _ map[string]string, _ []string) error {
		checked = append(checked, stack)
		return nil
	}}
	for _, args := range []string{"up --stack organization/cicd/dev", "outputs --stack dev"} {
		if code := c.run(t.Context(), strings.Fields(args)); code != exitOK {
			t.Errorf("cicd %s: exit code %d", args, code)
		}
	}
	if strings.Join(checked, " ") != "dev dev" {
		t.Errorf("checked the names of the stacks %q, want dev twice", checked)
	}
}

// TestCommands is the life of a stack, command by command.
func TestCommands(t *testing.T) {
	project(t)
	parameterstest.Start(t)
	tests := []struct {
		args    string
		program pulumi.RunFunc
		typed   string // by the person at the terminal; "" if it is no terminal
		code    int
		stdout  string
		stderr  string // a part of it
	}{
		{args: "outputs", code: exitFailure, stderr: "never been up"},
		{args: "preview", code: exitOK, stdout: "Stack dev: 1 to create.\n"},
		{args: "preview", program: bad, code: exitFailure, stderr: "cicd: preview of stack \"dev\":\n  keepImages 0: wanted 1 or more\n"},
		{args: "up", code: exitOK, stdout: "Stack dev: 1 created.\n" +
			"appUrl  http://localhost/?a=1&b=2\nids     [\"i-1\",\"i-2\"]\ntoken   [secret]\n"},
		{args: "up --json", code: exitOK, stdout: `{
  "stack": "dev",
  "changes": {
    "same": 1
  },
  "outputs": {
    "appUrl": "http://localhost/?a=1&b=2",
    "ids": [
      "i-1",
      "i-2"
    ],
    "token": "[secret]"
  }
}
`},
		{args: "outputs --stack=dev", code: exitOK, stdout: "appUrl  http://localhost/?a=1&b=2\nids     [\"i-1\",\"i-2\"]\ntoken   [secret]\n"},
		{args: "destroy", code: exitUsage, stderr: "add --yes"},
		{args: "destroy", typed: "prod\n", code: exitFailure, stderr: `stack "dev" is unchanged: you typed "prod"`},
		{args: "destroy", typed: "dev\n", code: exitOK, stdout: "Stack dev: 1 deleted.\n" + nothingLeft, stderr: "Type the stack's name"},
		{args: "destroy --yes", code: exitOK, stdout: "Stack dev: nothing to do.\n" + nothingLeft},
	}
	for _, tt := range tests {
		program := tt.program
		if program == nil {
			program = good
		}
		var stdout, stderr bytes.Buffer
		c := cli{program: always(program), check: anything, stdin: strings.NewReader(tt.typed), interactive: tt.typed != "", stdout: &stdout, stderr: &stderr}
		if code := c.run(t.Context(), strings.Fields(tt.args)); code != tt.code {
			t.Errorf("cicd %s: exit code %d, want %d; stderr:\n%s", tt.args, code, tt.code, stderr.String())
		}
		if strings.Contains(tt.args, "--json") {
			wantAnswer(t, strings.Fields(tt.args), stdout.String())
		}
		if stdout.String() != tt.stdout {
			t.Errorf("cicd %s: printed\n%swant\n%s", tt.args, stdout.String(), tt.stdout)
		}
		if !strings.Contains(stderr.String(), tt.stderr) {
			t.Errorf("cicd %s: said\n%swant %q in it", tt.args, stderr.String(), tt.stderr)
		}
	}
}

// TestProtected has a program that replaces a protected resource, as a change of the architecture replaces a protected
// host.
func TestProtected(t *testing.T) {
	project(t)
	declares := func(name string) pulumi.RunFunc {
		return func(ctx *pulumi.Context) error {
			return ctx.RegisterComponentResource("test:index:Host", name, &pulumi.ResourceState{}, pulumi.Protect(true))
		}
	}
	var stdout, stderr bytes.Buffer
	run := func(host string, command string) int {
		stdout.Reset()
		stderr.Reset()
		return cli{program: always(declares(host)), check: anything, stdout: &stdout, stderr: &stderr}.run(t.Context(), []string{command})
	}
	if code := run("x86", "up"); code != exitOK {
		t.Fatalf("up: exit code %d\n%s", code, &stderr)
	}
	if code := run("arm", "up"); code != exitFailure || !strings.Contains(stderr.String(), "protect") {
		t.Errorf("up in place of a protected resource: exit code %d, want %d and the reason\n%s", code, exitFailure, &stderr)
	}
	if code := run("x86", "preview"); code != exitOK || stdout.String() != "Stack dev: 2 unchanged.\n" {
		t.Errorf("afterwards: exit code %d, %q, want nothing changed\n%s", code, &stdout, &stderr)
	}
}

func TestWrongUse(t *testing.T) {
	project(t)
	elsewhere := t.TempDir()
	tests := []struct {
		args   string
		dir    string
		code   int
		stderr string
	}{
		{"bogus", ".", exitUsage, `unknown command "bogus"`},
		{"up --bogus", ".", exitUsage, "For usage: cicd up --help"},
		{"up now", ".", exitUsage, `unknown command "now" for "cicd up"`},
		{"rehearse --port=http", ".", exitUsage, `invalid argument "http"`},
		{"rehearse --port=70000", ".", exitUsage, "--port 70000: want 1 to 65535"},
		{"rehearse --port=-1", ".", exitUsage, "--port -1: want 1 to 65535"},
		{"rehearse --json", ".", exitUsage, "add one of them"},
		{"rehearse --json --load=false", ".", exitUsage, "add one of them"},
		{"rehearse --drill list --json", ".", exitUsage, "add one of them"},
		{"rehearse --drill list --serve", ".", exitUsage, "choose one of --serve, --drill"},
		{"rehearse --drill=", ".", exitUsage, "--drill needs a name"},
		{"rehearse --load --serve", ".", exitUsage, "choose one of --serve, --load"},
		{"rehearse --permissions --serve", ".", exitUsage, "choose one of --serve, --permissions"},
		{"rehearse --drill=no-such", ".", exitUsage, `drill "no-such" does not exist`},
		{"rehearse --drill=all --serve", ".", exitUsage, "choose one of --serve, --drill"},
		{"up --stack=staging", ".", exitFailure, `stack "staging" does not exist; there is dev, prod`},
		{"up", elsewhere, exitFailure, "no Pulumi.yaml in " + elsewhere},
	}
	for _, tt := range tests {
		t.Run(tt.args, func(t *testing.T) {
			t.Chdir(tt.dir)
			var stderr bytes.Buffer
			code := cli{program: always(good), check: anything, stdout: io.Discard, stderr: &stderr}.run(t.Context(), strings.Fields(tt.args))
			if code != tt.code || !strings.Contains(stderr.String(), tt.stderr) {
				t.Errorf("exit code %d, stderr %q; want %d and %q", code, stderr.String(), tt.code, tt.stderr)
			}
		})
	}
}

// TestLocked has another machine's lock in the backend.
func TestLocked(t *testing.T) {
	project(t)
	c := cli{program: always(good), check: anything, stdout: io.Discard, stderr: io.Discard}
	if code := c.run(t.Context(), []string{"up"}); code != exitOK {
		t.Fatalf("up: exit code %d", code)
	}
	dir := filepath.Join(strings.TrimPrefix(os.Getenv("PULUMI_BACKEND_URL"), "file://"), ".pulumi", "locks", "organization", "cicd", "dev")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	lock := `{"pid": 7, "username": "ci", "hostname": "runner", "timestamp": "2026-01-02T03:04:05Z"}`
	if err := os.WriteFile(filepath.Join(dir, "other.json"), []byte(lock), 0o644); err != nil {
		t.Fatal(err)
	}
	var stderr bytes.Buffer
	c.stderr = &stderr
	if code := c.run(t.Context(), []string{"up"}); code != exitLocked || !strings.Contains(stderr.String(), "ci@runner (pid 7)") {
		t.Errorf("up: exit code %d, stderr\n%swant %d and the lock's owner", code, stderr.String(), exitLocked)
	}
}

// TestCalledAWS calls the command by the name of the AWS CLI, whose exit code for usage is 252.
func TestCalledAWS(t *testing.T) {
	aws := filepath.Join(t.TempDir(), "aws")
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(self, aws); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(aws, "--bogus").CombinedOutput()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != 252 || !strings.Contains(string(out), "aws: error:") {
		t.Errorf("aws --bogus: %v, %q; want exit code 252 from the AWS CLI", err, out)
	}
}

func TestEngine(t *testing.T) {
	project(t)
	var stdout bytes.Buffer
	if code := (cli{stdout: &stdout, stderr: io.Discard}).run(t.Context(), []string{"engine"}); code != exitOK {
		t.Fatalf("exit code %d", code)
	}
	out, err := exec.Command(strings.TrimSpace(stdout.String()), "version").Output()
	if err != nil || !strings.HasPrefix(string(out), "v3.") {
		t.Errorf("%s version: %q, %v; want v3", stdout.String(), out, err)
	}
}
