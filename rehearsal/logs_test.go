package rehearsal

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"cicd/internal/docker/dockertest"
	"cicd/internal/edit"
	"cicd/internal/testproject"
	"cicd/rehearsal/rehearsaltest"
	"cicd/rehearsal/world"
)

// play is a function as a scenario.
type play func(context.Context, *world.World) error

func (p play) Play(ctx context.Context, w *world.World) error { return p(ctx, w) }

// nothing is the scenario of tests that need only the first release.
var nothing = play(func(context.Context, *world.World) error { return nil })

// logsOf returns the contents of a project's logs, by path.
func logsOf(t *testing.T, project string) map[string]string {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(project, ".rehearsal", "*", "*.log"))
	if err != nil {
		t.Fatal(err)
	}
	logs := map[string]string{}
	for _, path := range paths {
		content, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		logs[path] = string(content)
	}
	return logs
}

// failed rehearses a project, which must fail with an error that names one log, and returns the log's path and content.
func failed(t *testing.T, o world.Options, s Scenario) (path, content string) {
	t.Helper()
	err := Run(t.Context(), o, s)
	if err == nil {
		t.Fatal("the rehearsal succeeded")
	}
	for named, text := range logsOf(t, o.ProjectDir) {
		switch strings.Count(err.Error(), named) {
		case 0:
		case 1:
			path, content = named, text
		default:
			t.Errorf("the error names %s more than once: %v", named, err)
		}
	}
	if path == "" || strings.Count(err.Error(), ".log") != 1 {
		t.Fatalf("the error does not name one log that is there: %v", err)
	}
	return path, content
}

// TestLogsOfFailures: after a build or hook fails, its whole output is kept until the next rehearsal.
func TestLogsOfFailures(t *testing.T) {
	dockertest.Need(t)
	project := testproject.New(t)
	var stderr bytes.Buffer
	o := rehearsaltest.Options(project, DefaultStack, &stderr)

	testproject.Apply(t, project,
		edit.Replace("webapp/Makefile", "test:\n", "test:\n\t@seq -f 'line %g.' 300; printf '\\033[31mTestSum\\033[0m: got 41'; exit 1\n"))
	testproject.Commit(t, project, "A failing test")
	build, printed := failed(t, o, nothing)
	if !strings.Contains(printed, "\nline 1.\n") || !strings.Contains(printed, "\nline 300.\n\x1b[31mTestSum\x1b[0m: got 41") || !strings.Contains(printed, "Phase complete: POST_BUILD") {
		t.Errorf("%s lacks some of what the build printed:\n%s", build, printed)
	}
	if status := testproject.Git(t, project, "status", "--porcelain"); status != "" || strings.Contains(stderr.String(), "line 300.") {
		t.Errorf("git status shows %q; told is\n%s", status, &stderr)
	}

	testproject.Git(t, project, "revert", "--no-edit", "HEAD")
	testproject.Apply(t, project, edit.Write("deploy-scripts/hooks/validate.sh", "#!/bin/bash\nseq -f 'line %g.' 300\nprintf '\\033[31mgot 41' >&2\nexit 1\n"))
	testproject.Commit(t, project, "A failing hook")
	o.Verbose = true
	hook, printed := failed(t, o, nothing)
	if !strings.Contains(printed, " [stdout]line 1.\n") || !strings.Contains(printed, " [stdout]line 300.\n") || !strings.Contains(printed, " [stderr]\x1b[31mgot 41\n") {
		t.Errorf("%s lacks some of what the hook printed:\n%s", hook, printed)
	}
	if _, err := os.Stat(build); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the log of the rehearsal before: %v, want that it is gone", err)
	}
	for _, want := range []string{" | [stdout]line 300.\n", " | [stderr]got 41\n", " | [Container] "} {
		if !strings.Contains(stderr.String(), want) {
			t.Errorf("--verbose did not show %q:\n%s", want, rehearsaltest.Tail(&stderr))
		}
	}
	if strings.ContainsRune(stderr.String(), '\x1b') {
		t.Error("--verbose shows what a terminal obeys")
	}
}

// TestLogsOfSuccess: logs are removed with the rehearsal unless --keep is set, and another rehearsal does not remove them.
func TestLogsOfSuccess(t *testing.T) {
	dockertest.Need(t)
	project := testproject.New(t)
	var stderr bytes.Buffer
	o := rehearsaltest.Options(project, DefaultStack, &stderr)
	kept := o
	kept.Keep = true
	if err := Run(t.Context(), kept, nothing); err != nil {
		t.Fatalf("%v\n%s", err, &stderr)
	}
	before := logsOf(t, project)
	if len(before) != 4 || !strings.Contains(stderr.String(), "\nThe logs of builds and hooks are in "+filepath.Join(project, ".rehearsal", "dev-")) {
		t.Errorf("--keep has kept %d logs, want that of a build and three hooks, and their folder told:\n%s", len(before), &stderr)
	}

	var during map[string]string
	err := Run(t.Context(), o, play(func(ctx context.Context, _ *world.World) error {
		err := Run(ctx, o, nothing)
		during = logsOf(t, project)
		return err
	}))
	if err != nil {
		t.Fatalf("%v\n%s", err, &stderr)
	}
	for path := range during {
		if _, old := before[path]; old {
			t.Errorf("the next rehearsal has left %s there", path)
		}
	}
	if _, err := os.Stat(filepath.Join(project, ".rehearsal")); len(during) != 4 || !errors.Is(err, os.ErrNotExist) {
		t.Errorf("%d logs after a parallel rehearsal ended, and %v at the end, want 4 and no file", len(during), err)
	}
}

// TestNoPlaceForLogs: a rehearsal of a checkout where logs cannot be written says so, and succeeds.
func TestNoPlaceForLogs(t *testing.T) {
	dockertest.Need(t)
	project := testproject.New(t)
	testproject.Apply(t, project, edit.Write(".rehearsal", "not a folder"))
	var stderr bytes.Buffer
	if err := Run(t.Context(), rehearsaltest.Options(project, DefaultStack, &stderr), nothing); err != nil {
		t.Fatalf("%v\n%s", err, &stderr)
	}
	if told := strings.Join(strings.Fields(stderr.String()), " "); !strings.Contains(told, "the logs of builds and hooks are not kept: mkdir "+filepath.Join(project, ".rehearsal")+": not a directory") {
		t.Errorf("the rehearsal does not tell that logs are not kept:\n%s", told)
	}
}
