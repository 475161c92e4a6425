package rehearsaltest

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"cicd/rehearsal/workspace"
	"cicd/rehearsal/world"

	"cicd/internal/docker"
	"cicd/internal/docker/dockertest"
	"cicd/internal/processes"

	"cicd/rehearsal/aws/cli"
	"cicd/rehearsal/aws/sessionmanager/plugin"
)

// Main runs the tests of a package whose rehearsals use the test binary as the built-in aws command of builds and hooks, and
// as the plugin of Session Manager.
func Main(m *testing.M) {
	switch filepath.Base(os.Args[0]) {
	case "aws":
		os.Exit(cli.Main(os.Args[1:], os.Stdout, os.Stderr))
	case plugin.Name:
		os.Exit(plugin.Main(os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
	}
	os.Exit(m.Run())
}

// Orphans lists the images of registries on this machine that no longer answer.
func Orphans(t *testing.T) []string {
	t.Helper()
	list, err := docker.Run(context.Background(), "images", "--all", "--digests", "--format", "{{.Repository}}:{{.Tag}}@{{.Digest}}", "--filter", "reference=127.0.0.1*/*")
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

// Leftovers lists what rehearsals of a project may have left on this machine: Docker objects, folders, and processes.
// Other rehearsals may run meanwhile. before are the earlier Orphans.
func Leftovers(t *testing.T, project string, before []string) []string {
	t.Helper()
	name := workspace.NamePrefix(project)
	var left []string
	for _, args := range [][]string{
		{"ps", "--all", "--format", "container {{.Names}}", "--filter", "name=" + name},
		{"network", "ls", "--format", "network {{.Name}}", "--filter", "name=" + name},
		{"volume", "ls", "--format", "volume {{.Name}}", "--filter", "name=" + name},
		{"images", "--all", "--format", "image {{.Repository}}", "--filter", "reference=" + name + "*"},
	} {
		out, err := docker.Run(context.Background(), args...) // also used in clean-ups, when the test's context has ended
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(out) {
			left = append(left, strings.TrimSpace(line))
		}
	}
	for _, image := range Orphans(t) {
		if !slices.Contains(before, image) {
			left = append(left, "image "+image)
		}
	}
	dirs, err := filepath.Glob(filepath.Join(workspace.Folders, name+"*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, dir := range dirs {
		left = append(left, "folder "+dir)
	}
	ours := func(variable string) bool { return strings.HasPrefix(variable, workspace.ProcessMark+"="+name) }
	for _, pid := range processes.With(ours) {
		left = append(left, fmt.Sprintf("process %d", pid))
	}
	return left
}

// WantClean returns a check that fails the test if a rehearsal of the project has left something. Killed processes take a
// moment to go, and so do the images of a parallel rehearsal whose registry has just ended.
func WantClean(t *testing.T, project string) (check func()) {
	t.Helper()
	before := Orphans(t)
	return func() {
		t.Helper()
		left := Leftovers(t, project, before)
		for deadline := time.Now().Add(20 * time.Second); len(left) > 0 && time.Now().Before(deadline); {
			left = Leftovers(t, project, before)
		}
		if len(left) > 0 {
			t.Errorf("left behind: %q", left)
		}
	}
}

// Started returns a rehearsal whose first release serves, and its console output.
func Started(t *testing.T, project string) (*world.World, *bytes.Buffer) {
	t.Helper()
	return StartedStack(t, project, "dev")
}

func StartedStack(t *testing.T, project, stack string) (*world.World, *bytes.Buffer) {
	t.Helper()
	dockertest.Need(t)
	log := &bytes.Buffer{}
	clean := WantClean(t, project)
	w, err := world.Open(t.Context(), Options(project, stack, log))
	if err != nil {
		t.Fatalf("%v\n%s", err, log)
	}
	t.Cleanup(func() {
		if err := w.Close(context.Background(), nil); err != nil {
			t.Error(err)
		}
		clean()
	})
	if err := w.ReleaseCheckout(t.Context()); err != nil {
		t.Fatalf("%v\n%s", err, log)
	}
	return w, log
}

// Options returns the options of a rehearsal of a project's stack. The test binary is the built-in aws command: see Main.
func Options(project, stack string, stderr io.Writer) world.Options {
	self, err := os.Executable()
	if err != nil {
		panic(err) // without /proc, nothing here works
	}
	return world.Options{ProjectDir: project, Stack: stack, BuiltInAWS: self, Stderr: stderr}
}

// Tail returns the last lines of a log, for messages.
func Tail(log *bytes.Buffer) string {
	lines := slices.Collect(strings.Lines(log.String()))
	return strings.Join(lines[max(0, len(lines)-30):], "")
}
