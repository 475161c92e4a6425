package rehearsal

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

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
	for _, part := range []string{"Pulumi.yaml", "Pulumi.dev.yaml", "Pulumi.prod.yaml", "webapp", "deploy-scripts", "tools"} {
		if out, err := exec.Command("cp", "-R", filepath.Join("..", part), dir).CombinedOutput(); err != nil {
			t.Fatalf("cp %s: %v: %s", part, err, out)
		}
	}
	run(t, dir, "init", "--quiet", "--initial-branch=main")
	commit(t, dir, "First")
	return dir
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
	run(t, dir, "-c", "user.name=T", "-c", "user.email=t@example.com", "commit", "--quiet", "--message", message)
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
	list, err := docker(context.Background(), "images", "--digests", "--format", "{{.Repository}}:{{.Tag}}@{{.Digest}}", "--filter", "reference=127.0.0.1*/*")
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
		out, err := docker(context.Background(), args...) // also used in clean-ups, when the test's context has ended
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
	if _, err := os.Stat(filepath.Join(project, ".rehearsal")); err == nil {
		left = append(left, "folder .rehearsal")
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
	work, _, err := newWorkspace(t.Context(), project)
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

func TestRehearsal(t *testing.T) {
	needDocker(t)
	for _, stack := range []string{"dev", "prod"} {
		t.Run(stack, func(t *testing.T) {
			project := newProject(t)
			clean := wantClean(t, project)
			var stdout, stderr bytes.Buffer
			if err := Run(t.Context(), Options{ProjectDir: project, Stack: stack, Stdout: &stdout, Stderr: &stderr}); err != nil {
				t.Fatalf("%v\n%s", err, &stderr)
			}
			if answer := stdout.String(); strings.Count(answer, "\n") != 2 || !strings.Contains(answer, " 0 of ") {
				t.Errorf("the answer is %q, want a line a release and no failed request", answer)
			}
			for line := range strings.Lines(stderr.String()) {
				if n := len([]rune(strings.TrimSuffix(line, "\n"))); n > width {
					t.Errorf("a line of %d characters: %s", n, line)
				}
			}
			clean()
		})
	}
}

func TestTwoSideBySide(t *testing.T) {
	needDocker(t)
	projects := []string{newProject(t), newProject(t)}
	clean := []func(){wantClean(t, projects[0]), wantClean(t, projects[1])}
	errs := make([]error, len(projects))
	logs := make([]bytes.Buffer, len(projects))
	var group sync.WaitGroup
	for i, project := range projects {
		group.Go(func() {
			errs[i] = Run(t.Context(), Options{ProjectDir: project, Stack: "dev", Stdout: io.Discard, Stderr: &logs[i]})
		})
	}
	group.Wait()
	for i, err := range errs {
		if err != nil {
			t.Errorf("rehearsal %d: %v\n%s", i, err, &logs[i])
		}
		clean[i]()
	}
}

// TestRefusedAtOnce has the inputs that stop a rehearsal before it makes anything.
func TestRefusedAtOnce(t *testing.T) {
	needDocker(t)
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	port := taken.Addr().(*net.TCPAddr).Port
	tests := []struct {
		name    string
		prepare func(t *testing.T, o *Options)
		want    []string
	}{
		{"unknown stack", func(_ *testing.T, o *Options) { o.Stack = "staging" }, []string{`stack "staging" does not exist`, "dev, prod"}},
		{"port in use", func(_ *testing.T, o *Options) { o.Port = port }, []string{"port " + strconv.Itoa(port) + " is in use", "--port"}},
		{"illegal port", func(_ *testing.T, o *Options) { o.Port = 70000 }, []string{"port 70000", "1 to 65535"}},
		{"no Docker", func(t *testing.T, _ *Options) { t.Setenv("DOCKER_HOST", "unix:///nowhere/docker.sock") }, []string{"Docker daemon is not running", "start it"}},
		{"no commit", func(t *testing.T, o *Options) {
			run(t, o.ProjectDir, "update-ref", "-d", "HEAD")
		}, []string{"no commit", "commit something first"}},
		{"no repository", func(t *testing.T, o *Options) {
			if err := os.RemoveAll(filepath.Join(o.ProjectDir, ".git")); err != nil {
				t.Fatal(err)
			}
		}, []string{"not in a Git repository"}},
		{"illegal configuration", func(t *testing.T, o *Options) {
			apply(t, o.ProjectDir, write("Pulumi.dev.yaml", "config:\n  aws:region: mars\n  cicd:repository: nobody\n  cicd:containerPort: 99999\n  cicd:instanceTyp: t3.small\n"))
		}, []string{"mars", "nobody", "99999", "instanceTyp", "instanceType"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			o := Options{ProjectDir: newProject(t), Stack: "dev", Stdout: io.Discard, Stderr: io.Discard}
			clean := wantClean(t, o.ProjectDir)
			tt.prepare(t, &o)
			err := Run(t.Context(), o)
			if err == nil {
				t.Fatal("the rehearsal succeeded")
			}
			for _, want := range tt.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("the error is %q, want %q in it", err, want)
				}
			}
			os.Unsetenv("DOCKER_HOST")
			clean()
		})
	}
}

func TestInterruptLeavesNothing(t *testing.T) {
	needDocker(t)
	for _, moment := range []string{"handshake", "git push", "BeforeInstall", "Second release"} {
		t.Run(moment, func(t *testing.T) {
			project := newProject(t)
			clean := wantClean(t, project)
			ctx, interrupt := context.WithCancel(t.Context())
			defer interrupt()
			log := &watched{moment: moment, seen: interrupt}
			err := Run(ctx, Options{ProjectDir: project, Stack: "dev", Stdout: io.Discard, Stderr: log})
			if !errors.Is(err, context.Canceled) {
				t.Errorf("the rehearsal ended with %v, want it canceled\n%s", err, log.text.String())
			}
			clean()
		})
	}
}

// watched calls seen when a text is written for the first time.
type watched struct {
	moment string
	seen   func()
	text   strings.Builder
}

func (w *watched) Write(p []byte) (int, error) {
	if strings.Contains(string(p), w.moment) {
		w.seen()
	}
	return w.text.Write(p)
}

// TestKilledRehearsalIsSwept kills a rehearsal in the middle of its first release.
func TestKilledRehearsalIsSwept(t *testing.T) {
	needDocker(t)
	project := newProject(t)
	before := orphans(t)
	cmd := exec.Command(os.Args[0], "-test.run=^TestHelperServe$", "-test.timeout=10m")
	cmd.Env = append(os.Environ(), "REHEARSE_PROJECT="+project)
	stderr, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	killed := &watched{moment: "ApplicationStart", seen: func() { cmd.Process.Kill() }}
	if _, err := io.Copy(killed, stderr); err != nil {
		t.Fatal(err)
	}
	cmd.Wait()
	if left := leftovers(t, project, before); len(left) == 0 {
		t.Fatalf("the killed rehearsal left nothing, so there is nothing to sweep\n%s", killed.text.String())
	}
	work, swept, err := newWorkspace(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer work.remove(context.Background())
	if len(swept) != 1 {
		t.Errorf("swept %q, want the killed one", swept)
	}
	if err := work.remove(t.Context()); err != nil {
		t.Fatal(err)
	}
	deadline := time.Now().Add(10 * time.Second)
	for left := leftovers(t, project, before); len(left) > 0; left = leftovers(t, project, before) {
		if time.Now().After(deadline) { // processes that were killed take a moment to be gone
			t.Fatalf("left behind: %q", left)
		}
	}
}

// TestHelperServe is no test: TestKilledRehearsalIsSwept runs it as a process of its own.
func TestHelperServe(t *testing.T) {
	project := os.Getenv("REHEARSE_PROJECT")
	if project == "" {
		t.Skip("only run by TestKilledRehearsalIsSwept")
	}
	if err := Run(t.Context(), Options{ProjectDir: project, Stack: "dev", Stdout: io.Discard, Stderr: os.Stderr}); err != nil {
		t.Fatal(err)
	}
}

func TestOtherApplication(t *testing.T) {
	needDocker(t)
	gcc, err := exec.LookPath("gcc")
	if err != nil && os.Getenv("CI") == "true" {
		t.Fatal(err)
	}
	if err != nil {
		t.Skip("no gcc to compile an application that is not in Go")
	}
	project := newProject(t)
	source, err := filepath.Abs(filepath.Join("testdata", "other", "main.c"))
	if err != nil {
		t.Fatal(err)
	}
	webapp := filepath.Join(project, "webapp")
	if err := errors.Join(os.RemoveAll(webapp), os.Mkdir(webapp, 0o755)); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command(gcc, "-O1", "-static", "-o", filepath.Join(webapp, "server"), source).CombinedOutput(); err != nil {
		t.Fatalf("gcc: %v: %s", err, out)
	}
	apply(t, project, write("webapp/Dockerfile", "FROM scratch\nCOPY server /server\nENTRYPOINT [\"/server\"]\n"))
	apply(t, project, replace("Pulumi.dev.yaml", "cicd:connectionAuthorized: false", "cicd:connectionAuthorized: false\n  cicd:containerPort: 9000\n  cicd:healthPath: /ready"))
	commit(t, project, "Another application")
	var stdout, stderr bytes.Buffer
	if err := Run(t.Context(), Options{ProjectDir: project, Stack: "dev", Stdout: &stdout, Stderr: &stderr}); err != nil {
		t.Fatalf("%v\n%s", err, &stderr)
	}
	if !strings.Contains(stdout.String(), " 0 of ") {
		t.Errorf("the answer is %q, want no failed request", &stdout)
	}
}

// tail returns the last lines of a log, for messages.
func tail(log *bytes.Buffer) string {
	lines := slices.Collect(strings.Lines(log.String()))
	return strings.Join(lines[max(0, len(lines)-30):], "")
}
