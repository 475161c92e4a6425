package main

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"
	"unicode/utf8"

	"cicd/doctor"
	"cicd/internal/testproject"
	"cicd/rehearsal/console"
)

// addressed answers for the service that tells a machine its address, and for no other.
type addressed string

func (a addressed) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.Host != "checkip.amazonaws.com" {
		return http.DefaultTransport.RoundTrip(r)
	}
	return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(strings.NewReader(string(a) + "\n")), Request: r}, nil
}

// away makes this machine one with an address, but without AWS, GitHub and a Pulumi.
func away(t *testing.T) {
	t.Helper()
	for name, value := range map[string]string{"AWS_ENDPOINT_URL": "http://127.0.0.1:1", "AWS_MAX_ATTEMPTS": "1", "AWS_ACCESS_KEY_ID": "AKIAEXAMPLE",
		"AWS_SECRET_ACCESS_KEY": "x", "AWS_SESSION_TOKEN": "", "GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "url.http://127.0.0.1:1/.insteadOf", "GIT_CONFIG_VALUE_0": "https://github.com/"} {
		t.Setenv(name, value)
	}
	before := http.DefaultClient.Transport
	http.DefaultClient.Transport = addressed("203.0.113.7")
	t.Cleanup(func() { http.DefaultClient.Transport = before })
}

// settings writes the settings of a stack.
func settings(t *testing.T, stack, text string) {
	t.Helper()
	if err := os.WriteFile("Pulumi."+stack+".yaml", []byte("config:\n  aws:region: eu-central-1\n"+text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// careful runs a command as people do, and returns what it prints.
func careful(t *testing.T, wantCode int, args ...string) (stdout, stderr string) {
	t.Helper()
	var out, errOut bytes.Buffer
	c := cli{program: always(good), check: anything, careful: true, stdin: strings.NewReader(""), stdout: &out, stderr: &errOut}
	if code := c.run(t.Context(), args); code != wantCode {
		t.Errorf("cicd %s: exit code %d, want %d\n%s%s", strings.Join(args, " "), code, wantCode, &out, &errOut)
	}
	return out.String(), errOut.String()
}

// has checks that a text has all parts.
func has(t *testing.T, text string, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if !strings.Contains(text, part) {
			t.Errorf("%q is missing in:\n%s", part, text)
		}
	}
}

// TestDoctorWithoutNetwork: what is local is looked at, and what is not is said to be unchecked.
func TestDoctorWithoutNetwork(t *testing.T) {
	away(t)
	t.Chdir(testproject.New(t))
	out, _ := careful(t, exitOK, "doctor")
	has(t, out, "Settings\n  ok        names\n", "  ok        bundle\n", "\nGitHub\n  unchecked branch (F3): could not check: ", "  unchecked credentials: could not check: ", "of 18 checks.")
	for line := range strings.Lines(out) {
		if utf8.RuneCountInString(line) > console.Width+1 {
			t.Errorf("wider than a terminal: %q", line)
		}
	}
	if strings.ContainsAny(out, "✓✗") {
		t.Errorf("marks, without a terminal:\n%s", out)
	}
	var marked bytes.Buffer
	c := cli{check: anything, shown: true, stdout: &marked, stderr: io.Discard}
	if code := c.run(t.Context(), []string{"doctor"}); code != exitOK {
		t.Errorf("exit code %d", code)
	}
	has(t, marked.String(), "  ✓ names\n", "  ? branch (F3)")
}

// TestDoctorFails: an error makes the exit code 1, and says what to do.
func TestDoctorFails(t *testing.T) {
	away(t)
	t.Chdir(testproject.New(t))
	settings(t, "dev", "  cicd:repository: example/webapp\n  cicd:appPath: shop\n")
	out, stderr := careful(t, exitFailure, "doctor")
	has(t, out, "  error     Dockerfile: commit ", "has no shop/Dockerfile", "            To do: Commit it, or correct", "Stack dev: 1 error, ")
	has(t, stderr, `stack "dev" will fail until its errors are corrected`)
	raw, _ := careful(t, exitFailure, "doctor", "--json")
	wantAnswer(t, []string{"doctor"}, raw)
	var report struct {
		Stack                       string
		Errors, Warnings, Unchecked int
		Checks                      doctor.Report
	}
	if err := json.Unmarshal([]byte(raw), &report); err != nil {
		t.Fatal(err)
	}
	if report.Stack != "dev" || report.Errors != 1 || report.Unchecked == 0 || len(report.Checks) != 18 || report.Checks[0].Name != "names" || report.Checks[0].Findings == nil {
		t.Errorf("as JSON:\n%s", raw)
	}
	settings(t, "dev", "  cicd:branch: a b\n  cicd:keepImages: 0\n")
	out, _ = careful(t, exitFailure, "doctor")
	has(t, out, "  error     values: branch ", "  error     values: keepImages ", "  error     values: repository ", "could not check: the settings are not valid, see above")
}

func TestDoctorMisused(t *testing.T) {
	away(t)
	t.Chdir(testproject.New(t))
	_, stderr := careful(t, exitFailure, "doctor", "--stack", "staging")
	has(t, stderr, `stack "staging" does not exist; there is dev, prod`)
	_, stderr = careful(t, exitUsage, "doctor", "now")
	has(t, stderr, "For usage: cicd doctor --help")
	t.Chdir(t.TempDir())
	_, stderr = careful(t, exitFailure, "doctor")
	has(t, stderr, "no Pulumi.yaml in")
}

// TestDoctorFixes sets operatorIp, and nothing without --fix.
func TestDoctorFixes(t *testing.T) {
	away(t)
	t.Chdir(testproject.New(t))
	const before = "  cicd:repository: example/webapp # ours\n  cicd:operatorIp: 198.51.100.1\n"
	settings(t, "dev", before)
	out, _ := careful(t, exitOK, "doctor")
	has(t, out, "  warning   operatorIp: operatorIp is 198.51.100.1/32, and this machine's", "203.0.113.7", "cicd doctor --fix --stack dev")
	if text, err := os.ReadFile("Pulumi.dev.yaml"); err != nil || !strings.HasSuffix(string(text), before) {
		t.Errorf("without --fix, the settings are %v\n%s", err, text)
	}
	out, _ = careful(t, exitOK, "doctor", "--fix")
	has(t, out, "  fixed     operatorIp: ", "Pulumi.dev.yaml says 203.0.113.7 now", "Stack dev: 1 fixed, ")
	text, err := os.ReadFile("Pulumi.dev.yaml")
	if err != nil {
		t.Fatal(err)
	}
	has(t, string(text), "cicd:operatorIp: 203.0.113.7", "# ours")
	out, _ = careful(t, exitOK, "doctor", "--fix")
	has(t, out, "  ok        operatorIp\n")
}

// TestUpIsCareful: up stops at an error before anything exists, and goes on without what cannot be looked at.
func TestUpIsCareful(t *testing.T) {
	project(t)
	away(t)
	out, stderr := careful(t, exitFailure, "up")
	has(t, stderr, "  error     values: repository ", "cicd: stack \"dev\" will fail until its errors are corrected; nothing is changed")
	if out != "" || strings.Contains(stderr, "ok ") {
		t.Errorf("it prints %s%s", out, stderr)
	}
	_, stderr = careful(t, exitFailure, "outputs")
	has(t, stderr, "never been up")
	t.Chdir("../..")
	settings(t, "dev", "  cicd:repository: example/webapp\n  cicd:environment: {CACHE: 'redis://cache.example.com'}\n")
	out, stderr = careful(t, exitOK, "up")
	has(t, stderr, "  warning   URLs and egressPorts (F66): environment.CACHE", "  unchecked branch (F3): could not check: ")
	has(t, out, "Stack dev: 1 created.")
	t.Setenv("AWS_ACCESS_KEY_ID", "")
	t.Setenv("AWS_EC2_METADATA_DISABLED", "true")
	_, stderr = careful(t, exitFailure, "up")
	has(t, stderr, "  error     credentials: AWS credentials: ", "aws sso login")
}
