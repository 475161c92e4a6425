package testproject

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"cicd/internal/edit"

	"cicd/rehearsal/github"
)

// Root returns this project's folder; the test runs in or below it.
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

// New creates a checkout of this project's working tree, with one commit.
func New(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	Fill(t, dir)
	return dir
}

// Fill creates such a checkout in an empty folder.
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

// Git runs git in a folder, and returns its output.
func Git(t *testing.T, dir string, args ...string) string {
	t.Helper()
	out, err := github.Git(t.Context(), dir, args...)
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(out)
}

// Commit commits everything in a folder, and returns the commit id.
func Commit(t *testing.T, dir, message string) string {
	t.Helper()
	Git(t, dir, "add", "--all")
	Git(t, dir, "commit", "--quiet", "--message", message)
	return Git(t, dir, "rev-parse", "HEAD")
}

// Apply applies edits to a project.
func Apply(t *testing.T, dir string, edits ...edit.Edit) {
	t.Helper()
	for _, e := range edits {
		if err := e(dir); err != nil {
			t.Fatal(err)
		}
	}
}

// PackServer replaces the program server in a folder with a Dockerfile and an archive of it, from which Docker restores
// its mode: the source zip drops modes.
func PackServer(t *testing.T, dir string) {
	t.Helper()
	if out, err := exec.Command("tar", "-C", dir, "--remove-files", "-cf", filepath.Join(dir, "server.tar"), "server").CombinedOutput(); err != nil {
		t.Fatalf("tar: %v: %s", err, out)
	}
	Apply(t, dir, edit.Write("Dockerfile", "FROM scratch\nADD server.tar /\nENTRYPOINT [\"/server\"]\n"))
}

// ReplaceByC replaces the application by one in C, compiled from a source file of this project, and commits it. Without a
// compiler the test is skipped, except in CI.
func ReplaceByC(t *testing.T, dir, source string) {
	t.Helper()
	gcc, err := exec.LookPath("gcc")
	if err != nil && os.Getenv("CI") == "true" {
		t.Fatal(err)
	}
	if err != nil {
		t.Skip("no gcc to compile an application that is not in Go")
	}
	webapp := filepath.Join(dir, "webapp")
	if err := errors.Join(os.RemoveAll(webapp), os.Mkdir(webapp, 0o755)); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command(gcc, "-O1", "-static", "-o", filepath.Join(webapp, "server"), filepath.Join(Root(t), source)).CombinedOutput(); err != nil {
		t.Fatalf("gcc: %v: %s", err, out)
	}
	PackServer(t, webapp)
	Commit(t, dir, "An application in C")
}
