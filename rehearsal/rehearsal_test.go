package rehearsal

import (
	"bytes"
	"io"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"

	"cicd/internal/docker/dockertest"
	"cicd/internal/edit"
	"cicd/internal/testproject"
	"cicd/rehearsal/change"
	"cicd/rehearsal/console"
	"cicd/rehearsal/rehearsaltest"
	"cicd/rehearsal/world"
)

// TestRehearsal also has an application without tests, of which a person is told at the end, once.
func TestRehearsal(t *testing.T) {
	dockertest.Need(t)
	for stack, tested := range map[string]bool{"dev": true, "prod": false} {
		t.Run(stack, func(t *testing.T) {
			t.Parallel()
			project := testproject.New(t)
			if !tested {
				testproject.Apply(t, project, edit.Replace("webapp/Makefile", ".PHONY: test", ".PHONY:"), edit.Replace("webapp/Makefile", "\ntest:", "\ncheck:"))
				testproject.Commit(t, project, "no tests")
			}
			clean := rehearsaltest.WantClean(t, project)
			var stdout, stderr bytes.Buffer
			if err := Run(t.Context(), rehearsaltest.Options(project, stack, &stderr), change.Scenario{Out: &stdout}); err != nil {
				t.Fatalf("%v\n%s", err, &stderr)
			}
			if answer := stdout.String(); strings.Count(answer, "\n") != 2 || !strings.Contains(answer, " 0 of ") {
				t.Errorf("the answer is %q, want a line a release and no failed request", answer)
			}
			_, notes, _ := strings.Cut(stderr.String(), "\nNothing failed, but note:\n")
			if untested := "  - webapp/ has no Makefile with a target 'test': nothing is tested\n"; strings.Contains(notes, untested) == tested || strings.Count(notes, untested) > 1 {
				t.Errorf("the notes at the end are %q, want one that nothing is tested: %v", notes, !tested)
			}
			for line := range strings.Lines(stderr.String()) {
				if n := len([]rune(strings.TrimSuffix(line, "\n"))); n > console.Width {
					t.Errorf("a line of %d characters: %s", n, line)
				}
			}
			clean()
		})
	}
}

func TestTwoSideBySide(t *testing.T) {
	dockertest.Need(t)
	projects := []string{testproject.New(t), testproject.New(t)}
	clean := []func(){rehearsaltest.WantClean(t, projects[0]), rehearsaltest.WantClean(t, projects[1])}
	errs := make([]error, len(projects))
	logs := make([]bytes.Buffer, len(projects))
	var group sync.WaitGroup
	for i, project := range projects {
		group.Go(func() {
			errs[i] = Run(t.Context(), rehearsaltest.Options(project, DefaultStack, &logs[i]), change.Scenario{Out: io.Discard})
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

// TestRefusedAtOnce has the inputs that stop a rehearsal before it creates anything.
func TestRefusedAtOnce(t *testing.T) {
	dockertest.Need(t)
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	port := taken.Addr().(*net.TCPAddr).Port
	tests := []struct {
		name    string
		prepare func(t *testing.T, o *world.Options)
		want    []string
	}{
		{"unknown stack", func(_ *testing.T, o *world.Options) { o.Stack = "staging" }, []string{`stack "staging" does not exist`, "dev, prod"}},
		{"port in use", func(_ *testing.T, o *world.Options) { o.Port = port }, []string{"port " + strconv.Itoa(port) + " is in use", "--port"}},
		{"illegal port", func(_ *testing.T, o *world.Options) { o.Port = 70000 }, []string{"port 70000", "1 to 65535"}},
		{"no Docker", func(t *testing.T, _ *world.Options) { t.Setenv("DOCKER_HOST", "unix:///nowhere/docker.sock") }, []string{"Docker daemon is not running", "start it"}},
		{"no commit", func(t *testing.T, o *world.Options) {
			testproject.Git(t, o.ProjectDir, "update-ref", "-d", "HEAD")
		}, []string{"no commit", "commit something first"}},
		{"commits by SHA-256", func(t *testing.T, o *world.Options) {
			if err := os.RemoveAll(filepath.Join(o.ProjectDir, ".git")); err != nil {
				t.Fatal(err)
			}
			testproject.Git(t, o.ProjectDir, "init", "--quiet", "--object-format=sha256")
			testproject.Commit(t, o.ProjectDir, "First")
		}, []string{"SHA-256", "GitHub does not accept", "--object-format=sha1"}},
		{"another user's repository", func(t *testing.T, _ *world.Options) {
			t.Setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "true") // setup.c
		}, []string{"that you may read", "dubious ownership", "safe.directory"}},
		{"no repository", func(t *testing.T, o *world.Options) {
			if err := os.RemoveAll(filepath.Join(o.ProjectDir, ".git")); err != nil {
				t.Fatal(err)
			}
		}, []string{"not in a Git repository"}},
		{"illegal configuration", func(t *testing.T, o *world.Options) {
			testproject.Apply(t, o.ProjectDir, edit.Write("Pulumi.dev.yaml", "config:\n  aws:region: mars\n  cicd:repository: nobody\n  cicd:containerPort: 99999\n  cicd:instanceTyp: t3.small\n"))
		}, []string{"mars", "nobody", "99999", "instanceTyp", "instanceType"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			o := rehearsaltest.Options(testproject.New(t), DefaultStack, io.Discard)
			t.Cleanup(rehearsaltest.WantClean(t, o.ProjectDir)) // once the environment is restored
			tt.prepare(t, &o)
			err := Run(t.Context(), o, change.Scenario{Out: io.Discard})
			if err == nil {
				t.Fatal("the rehearsal succeeded")
			}
			for _, want := range tt.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("the error is %q, want %q in it", err, want)
				}
			}
		})
	}
}

func TestOtherApplication(t *testing.T) {
	dockertest.Need(t)
	project := testproject.New(t)
	testproject.ReplaceByC(t, project, "rehearsal/testdata/other/main.c")
	testproject.Apply(t, project, edit.Replace("Pulumi.dev.yaml", "cicd:connectionAuthorized: false", "cicd:connectionAuthorized: false\n  cicd:containerPort: 9000\n  cicd:healthPath: /ready"))
	testproject.Commit(t, project, "Another application")
	var stdout, stderr bytes.Buffer
	if err := Run(t.Context(), rehearsaltest.Options(project, DefaultStack, &stderr), change.Scenario{Out: &stdout}); err != nil {
		t.Fatalf("%v\n%s", err, &stderr)
	}
	if !strings.Contains(stdout.String(), " 0 of ") {
		t.Errorf("the answer is %q, want no failed request", &stdout)
	}
}
