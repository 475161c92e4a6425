package rehearsal

import (
	"bytes"
	"context"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"cicd/internal/docker"

	"cicd/rehearsal/awscli"
	"cicd/rehearsal/github"
)

// TestMain lets the test binary stand in for cicd where a rehearsal uses it as the aws command of builds and hooks.
func TestMain(m *testing.M) {
	if filepath.Base(os.Args[0]) == "aws" {
		os.Exit(awscli.Main(os.Args[1:], os.Stdout, os.Stderr))
	}
	os.Exit(m.Run())
}

// needDocker skips the test where there is no Docker, and fails it in CI.
func needDocker(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("a rehearsal takes too long for -short")
	}
	if err := checkDocker(t.Context()); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
}

// newProject makes a checkout of this project, as it is in the working tree, with one commit.
func newProject(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	fillProject(t, dir)
	return dir
}

func fillProject(t *testing.T, dir string) {
	t.Helper()
	for _, part := range []string{"Pulumi.yaml", "Pulumi.dev.yaml", "Pulumi.prod.yaml", "webapp", "deploy-scripts", "tools"} {
		if out, err := exec.Command("cp", "-R", filepath.Join("..", part), dir).CombinedOutput(); err != nil {
			t.Fatalf("cp %s: %v: %s", part, err, out)
		}
	}
	run(t, dir, "init", "--quiet", "--initial-branch=main")
	commit(t, dir, "First")
}

func run(t *testing.T, dir string, args ...string) string {
	t.Helper()
	out, err := github.Git(t.Context(), dir, args...)
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(out)
}

func commit(t *testing.T, dir, message string) string {
	t.Helper()
	run(t, dir, "add", "--all")
	run(t, dir, "commit", "--quiet", "--message", message)
	return run(t, dir, "rev-parse", "HEAD")
}

// apply makes edits in a project.
func apply(t *testing.T, dir string, edits ...edit) {
	t.Helper()
	for _, e := range edits {
		if err := e(dir); err != nil {
			t.Fatal(err)
		}
	}
}

// orphans lists the images of registries on this machine that do not answer any more.
func orphans(t *testing.T) []string {
	t.Helper()
	list, err := docker.Run(context.Background(), "images", "--digests", "--format", "{{.Repository}}:{{.Tag}}@{{.Digest}}", "--filter", "reference=127.0.0.1*/*")
	if err != nil {
		t.Fatal(err)
	}
	return slices.DeleteFunc(strings.Fields(list), func(image string) bool {
		registry, _, _ := strings.Cut(image, "/")
		conn, err := net.Dial("tcp", registry)
		if err == nil {
			conn.Close()
		}
		return err == nil
	})
}

// leftovers lists what rehearsals of a project could leave on this machine: Docker objects, folders, and processes.
// Other rehearsals may run meanwhile. before are the images that nobody's registry had before.
func leftovers(t *testing.T, project string, before []string) []string {
	t.Helper()
	name := namePrefix(project)
	var left []string
	for _, args := range [][]string{
		{"ps", "--all", "--format", "container {{.Names}}", "--filter", "name=" + name},
		{"network", "ls", "--format", "network {{.Name}}", "--filter", "name=" + name},
		{"images", "--format", "image {{.Repository}}", "--filter", "reference=" + name + "*"},
	} {
		out, err := docker.Run(context.Background(), args...) // also used in clean-ups, when the test's context has ended
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(out) {
			left = append(left, strings.TrimSpace(line))
		}
	}
	for _, image := range orphans(t) {
		if !slices.Contains(before, image) {
			left = append(left, "image "+image)
		}
	}
	dirs, err := filepath.Glob(filepath.Join(folders, name+"*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, dir := range dirs {
		left = append(left, "folder "+dir)
	}
	environments, err := filepath.Glob("/proc/[0-9]*/environ")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range environments {
		if environ, err := os.ReadFile(path); err == nil && bytes.Contains(environ, []byte(processMark+"="+name)) {
			left = append(left, "process "+path)
		}
	}
	return left
}

// wantClean fails the test, at its end or at once, when a rehearsal of the project has left something.
func wantClean(t *testing.T, project string) (check func()) {
	t.Helper()
	before := orphans(t)
	return func() {
		t.Helper()
		if left := leftovers(t, project, before); len(left) > 0 {
			t.Errorf("left behind: %q", left)
		}
	}
}

// started is a rehearsal whose first release serves, for tests that go on from there.
func started(t *testing.T, project string) (*rehearsal, *bytes.Buffer) {
	t.Helper()
	return startedStack(t, project, DefaultStack)
}

func startedStack(t *testing.T, project, stack string) (*rehearsal, *bytes.Buffer) {
	t.Helper()
	needDocker(t)
	log := &bytes.Buffer{}
	r := &rehearsal{Options: Options{ProjectDir: project, Stack: stack, Stderr: log}, console: &console{out: log}}
	work, err := newWorkspace(t.Context(), project, log)
	if err != nil {
		t.Fatal(err)
	}
	r.work = work
	clean := wantClean(t, project)
	t.Cleanup(func() {
		if err := r.cleanUp(context.Background()); err != nil {
			t.Error(err)
		}
		clean()
	})
	for _, step := range []func(context.Context) error{r.prepare, r.bringAllUp} {
		if err := step(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := r.releaseCheckout(t.Context()); err != nil {
		t.Fatalf("%v\n%s", err, log)
	}
	return r, log
}

// tail returns the last lines of a log, for messages.
func tail(log *bytes.Buffer) string {
	lines := slices.Collect(strings.Lines(log.String()))
	return strings.Join(lines[max(0, len(lines)-30):], "")
}
