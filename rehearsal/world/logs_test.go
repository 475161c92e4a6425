package world

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"

	"cicd/rehearsal/console"
	"cicd/rehearsal/workspace"

	"cicd/rehearsal/aws/codedeploy"
	"cicd/rehearsal/aws/codedeploy/agent"
)

const testBuild = "cicd-dev-build:fc894577-3de7-429e-ae18-2a7725b7d6ac"

// newTestLogs returns a rehearsal's logs and what they show.
func newTestLogs(t *testing.T, verbose bool) (*logs, *strings.Builder) {
	t.Helper()
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	folder, err := workspace.NewLogs(t.Context(), t.TempDir(), "dev", io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if _, err := folder.Close(false); err != nil {
			t.Error(err)
		}
	})
	shown := &strings.Builder{}
	return &logs{Console: console.New(shown), verbose: verbose, folder: folder, hooks: map[string]*log{}}, shown
}

// logPath returns the path of the log that explains a failure.
func logPath(t *testing.T, l *logs, name string) string {
	t.Helper()
	_, path, found := strings.Cut(l.explain(errors.New("failed"), name).Error(), "failed\n  log: ")
	if !found {
		t.Fatalf("the failure is explained by no log %s", name)
	}
	return path
}

// TestBuildLog writes output in pieces that are not lines.
func TestBuildLog(t *testing.T) {
	const output = "one\ntwo\x1b[1m \r\nthree"
	for _, verbose := range []bool{false, true} {
		l, shown := newTestLogs(t, verbose)
		build := l.build(testBuild)
		for i := range output {
			fmt.Fprint(build, output[i:i+1])
		}
		build.Close()
		path := logPath(t, l, buildLog(testBuild))
		if content, err := os.ReadFile(path); err != nil || string(content) != output || strings.Contains(path, ":") {
			t.Errorf("%s has %q (%v), want %q", path, content, err, output)
		}
		want := map[bool]string{true: "build fc89457 | one\nbuild fc89457 | two \nbuild fc89457 | three\n"}[verbose]
		if shown.String() != want {
			t.Errorf("shown is %q, want %q", shown, want)
		}
	}
}

// TestEndlessLine: a line that never ends is shown anyway, before it fills the memory.
func TestEndlessLine(t *testing.T) {
	l, shown := newTestLogs(t, true)
	build := l.build(testBuild)
	defer build.Close()
	fmt.Fprint(build, strings.Repeat("x", longest))
	if want := "build fc89457 | " + strings.Repeat("x", longest) + "\n"; shown.String() != want {
		t.Errorf("shown are %d characters, want %d", shown.Len(), len(want))
	}
}

// TestHookLogs runs the hooks of two hosts at the same time.
func TestHookLogs(t *testing.T) {
	l, shown := newTestLogs(t, true)
	event := func(instance, line string, status codedeploy.Status, err error) {
		e := codedeploy.Event{Deployment: "d-ABCDEFGHI", Instance: instance, Lifecycle: "ApplicationStart", Status: status, Err: err}
		if line != "" {
			e.Line = &agent.Line{Text: line}
		}
		l.hook(e)
	}
	hosts := []string{"i-01234567", "i-0abcdef0", "i-0silent0"}
	for _, host := range hosts {
		event(host, "", codedeploy.InProgress, nil)
	}
	event(hosts[0], "[stdout]one", "", nil)
	event(hosts[1], "[stdout]two", "", nil)
	event(hosts[0], "[stderr]three", "", nil)
	event(hosts[0], "", codedeploy.Failed, errors.New("exit code 7"))
	event(hosts[1], "", codedeploy.Succeeded, nil)
	event(hosts[2], "", codedeploy.Failed, errors.New("the bundle is not there"))

	want := []string{"[stdout]one\n[stderr]three\nexit code 7\n", "[stdout]two\n"}
	for i, want := range want {
		content, err := os.ReadFile(logPath(t, l, hookLog("d-ABCDEFGHI", hosts[i], "ApplicationStart")))
		got := ""
		for line := range strings.Lines(string(content)) {
			got += line[len("2006-01-02 15:04:05 "):]
		}
		if err != nil || got != want {
			t.Errorf("the log of %s is %q (%v), want %q", hosts[i], got, err, want)
		}
	}
	silent := errors.New("the bundle is not there")
	if got := l.explain(silent, hookLog("d-ABCDEFGHI", hosts[2], "ApplicationStart")); got != silent {
		t.Errorf("a hook that printed nothing is explained by %v", got)
	}
	if line := "ApplicationStart i-0abcd | [stdout]two\n"; !strings.Contains(shown.String(), line) || len(l.hooks) > 0 {
		t.Errorf("shown is %q, want %q in it; still open are %v", shown, line, l.hooks)
	}
}

// TestLogThatCannotBeWritten has a full disk and a removed folder. The build goes on, and the console says so.
func TestLogThatCannotBeWritten(t *testing.T) {
	l, shown := newTestLogs(t, false)
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	disk := &log{logs: l, source: "build 0123abc", file: full}
	if err := os.RemoveAll(l.folder.Dir); err != nil {
		t.Fatal(err)
	}
	for _, one := range []*log{disk, l.open("gone.log", "BeforeInstall i-01234")} {
		if n, err := one.Write([]byte("a line\n")); n != 7 || err != nil {
			t.Errorf("Write = %d, %v, want that it goes on", n, err)
		}
		one.Close()
	}
	told := strings.Join(strings.Fields(shown.String()), " ")
	for _, want := range []string{"the log of build 0123abc is incomplete: ", "no space left on device", "the log of BeforeInstall i-01234 is incomplete: ", "no such file"} {
		if !strings.Contains(told, want) {
			t.Errorf("told is %q, want %q in it", told, want)
		}
	}
}
