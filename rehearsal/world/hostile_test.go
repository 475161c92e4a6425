package world_test

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode"

	"cicd/internal/testproject"
	"cicd/rehearsal/rehearsaltest"
	"cicd/rehearsal/world"

	"cicd/rehearsal/aws/codepipeline"
)

// payloads are texts that create the file canary if a shell, or make, ever evaluates them. None has a slash, so each can
// be a file name.
func payloads(canary string) []string {
	touch := "touch $(printf '" + strings.ReplaceAll(canary, "/", `\057`) + "')"
	return []string{
		"$(" + touch + ")",
		"`touch $(printf '" + strings.ReplaceAll(canary, "/", `\\057`) + "')`", // one more backslash, which the backquotes consume
		"; " + touch + "; #",
		"& " + touch + " #",
		"| " + touch + " #",
		"\n" + touch + "\n",
		`"; ` + touch + `; "`,
		"'; " + touch + "; '",
		"$(shell " + strings.ReplaceAll(touch, "$", "$$") + ")",
	}
}

// TestPayloads: every payload creates the canary if evaluated.
func TestPayloads(t *testing.T) {
	canary := filepath.Join(t.TempDir(), "canary")
	frames := []string{`echo %`, `echo "%"`, `echo '%'`}
	for i, payload := range payloads(canary) {
		for _, frame := range frames {
			exec.Command("bash", "-c", strings.Replace(frame, "%", payload, 1)).Run() // most are half a command
		}
		exec.Command("make", "--eval", "all: ; @echo "+strings.ReplaceAll(payload, "\n", " "), "-f", os.DevNull).Run()
		if err := os.Remove(canary); err != nil {
			t.Errorf("payload %d, %q, is harmless: %v", i, payload, err)
		}
	}
}

// TestHostileCommit releases a commit whose message, author and file names are payloads, and pushes it to a branch whose
// name is one too. It must be released like any other, and no payload may run. Meanwhile no secret in this machine's
// environment may reach the rehearsal's files, builds or hosts.
func TestHostileCommit(t *testing.T) {
	const secret = "correct-horse-battery-staple"
	for _, name := range []string{"AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "GITHUB_TOKEN", "PULUMI_ACCESS_TOKEN"} {
		t.Setenv(name, secret)
	}
	r, log := rehearsaltest.Started(t, testproject.New(t))
	canary := filepath.Join(t.TempDir(), "canary")
	hostile := payloads(canary)

	clone, err := r.Clone(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{"webapp", "deploy-scripts/hooks", "deploy-scripts/hooks/lib"} {
		for _, name := range append(slices.Clone(hostile), "-rf", "--help", "--privileged", "*", "~", "a b") {
			if err := os.WriteFile(filepath.Join(clone, dir, name), []byte(hostile[0]+"\n"), 0o755); err != nil {
				t.Fatal(err)
			}
		}
	}
	testproject.Git(t, clone, "add", "--all")
	testproject.Git(t, clone, "commit", "--quiet", "--author", hostile[0]+hostile[6]+hostile[7]+" <"+hostile[1]+"@example.com>", "--message", "\x1b]0;owned\a"+strings.Join(hostile, "\n"))
	commit := testproject.Git(t, clone, "rev-parse", "HEAD")

	branch := "x;touch${IFS}" + canary + ";$(touch${IFS}" + canary + ")&'\""
	if started, err := r.PushTo(t.Context(), clone, "HEAD", branch); !errors.Is(err, codepipeline.ErrUnwatched) {
		t.Errorf("a push to another branch has started %d executions (%v), want none", len(started), err)
	}
	if _, err := r.Release(t.Context(), clone, commit); err != nil {
		t.Errorf("the hostile commit was not released: %v", err)
	}
	if _, err := os.Stat(canary); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("something of the commit was executed: %v", err)
	}
	if strings.ContainsFunc(log.String(), func(c rune) bool { return unicode.IsControl(c) && c != '\n' }) {
		t.Errorf("the commit's message reaches the terminal with its control characters:\n%q", log)
	}
	checkNoSecret(t, r, log, secret)
}

// checkNoSecret looks for a secret in the log, in every file of the rehearsal (Pulumi's state, builds, hosts, unpacked
// artifacts), and in the environments of builds and hosts. No login to the registry may be left either.
func checkNoSecret(t *testing.T, r *world.World, log *bytes.Buffer, secret string) {
	t.Helper()
	if strings.Contains(log.String(), secret) {
		t.Error("the log has a secret of the environment in it")
	}
	files := 0
	err := filepath.WalkDir(r.Workspace.Dir(), func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		files++
		content, err := os.ReadFile(path)
		if bytes.Contains(content, []byte(secret)) {
			t.Errorf("%s has a secret of the environment in it", path)
		}
		if d.Name() == "config.json" && bytes.Contains(content, []byte(`"auth"`)) {
			t.Errorf("%s has a login to the registry in it", path)
		}
		return err
	})
	if err != nil || files < 20 {
		t.Errorf("only %d files were looked into: %v", files, err)
	}
	for _, variable := range r.Environments() {
		if strings.Contains(variable, secret) {
			t.Errorf("builds or hosts get %s", variable)
		}
	}
}
