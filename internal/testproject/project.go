package testproject

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"cicd/internal/edit"

	"cicd/rehearsal/github"
)

// Root names the folder of this project, in or below which the test runs.
func Root(t *testing.T) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "Pulumi.yaml")); err == nil {
			return dir
		}
		if dir == filepath.Dir(dir) {
			t.Fatal("the test does not run in the project")
		}
		dir = filepath.Dir(dir)
	}
}

// New makes a checkout of this project, as it is in the working tree, with one commit.
func New(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	Fill(t, dir)
	return dir
}

// Fill makes such a checkout in a folder that is empty.
func Fill(t *testing.T, dir string) {
	t.Helper()
	for _, part := range []string{"Pulumi.yaml", "Pulumi.dev.yaml", "Pulumi.prod.yaml", "webapp", "deploy-scripts", "tools"} {
		if out, err := exec.Command("cp", "-R", filepath.Join(Root(t), part), dir).CombinedOutput(); err != nil {
			t.Fatalf("cp %s: %v: %s", part, err, out)
		}
	}
	Git(t, dir, "init", "--quiet", "--initial-branch=main")
	Commit(t, dir, "First")
}

// Git runs git in a folder, and returns what it prints.
func Git(t *testing.T, dir string, args ...string) string {
	t.Helper()
	out, err := github.Git(t.Context(), dir, args...)
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(out)
}

// Commit commits everything in a folder, and returns the commit's id.
func Commit(t *testing.T, dir, message string) string {
	t.Helper()
	Git(t, dir, "add", "--all")
	Git(t, dir, "commit", "--quiet", "--message", message)
	return Git(t, dir, "rev-parse", "HEAD")
}

// Apply makes edits in a project.
func Apply(t *testing.T, dir string, edits ...edit.Edit) {
	t.Helper()
	for _, e := range edits {
		if err := e(dir); err != nil {
			t.Fatal(err)
		}
	}
}

// PackServer makes an image of the program server in a folder. It is committed in an archive, from which Docker takes it with
// its mode: the source zip keeps none.
func PackServer(t *testing.T, dir string) {
	t.Helper()
	if out, err := exec.Command("tar", "-C", dir, "--remove-files", "-cf", filepath.Join(dir, "server.tar"), "server").CombinedOutput(); err != nil {
		t.Fatalf("tar: %v: %s", err, out)
	}
	Apply(t, dir, edit.Write("Dockerfile", "FROM scratch\nADD server.tar /\nENTRYPOINT [\"/server\"]\n"))
}
