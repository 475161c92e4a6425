package codebuild

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// alive reports whether a process runs; one that has ended but has not been waited for does not.
func alive(t *testing.T, pid int) bool {
	t.Helper()
	if syscall.Kill(pid, 0) != nil {
		return false
	}
	stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	return err != nil || !strings.Contains(string(stat), ") Z ")
}

func printedPIDs(t *testing.T, f *fixture, want int) []int {
	t.Helper()
	var pids []int
	for _, line := range f.printed() {
		if pid, err := strconv.Atoi(line); err == nil {
			pids = append(pids, pid)
		}
	}
	if len(pids) != want {
		t.Fatalf("%d process ids printed, want %d:\n%s", len(pids), want, &f.log)
	}
	return pids
}

func TestBackgroundProcessesEndWithTheBuild(t *testing.T) {
	commands := []string{
		"sleep 1000 & echo $!",
		"kill -0 $! && (trap '' TERM; sleep 1000) & echo $!", // still there in the next command, as in CodeBuild
		"nohup sh -c 'echo $$; exec sleep 1000' & sleep 0.2",
	}
	if _, err := os.Stat("/proc/self/environ"); err == nil {
		commands = append(commands, "setsid sh -c 'echo $$; exec sleep 1000' & sleep 0.2")
	}
	f := newFixture(t, spec("", commands...))
	start := time.Now()
	f.mustBuild(t)
	if took := time.Since(start); took > 30*time.Second {
		t.Errorf("the build waited %s for its background processes", took)
	}
	for _, pid := range printedPIDs(t, f, len(commands)) {
		if alive(t, pid) {
			t.Errorf("process %d is still there", pid)
			syscall.Kill(pid, syscall.SIGKILL)
		}
	}
}

// signalled closes a channel when a line is logged.
type signalled struct {
	log  *bytes.Buffer
	line string
	seen chan struct{}
}

func (s *signalled) Write(b []byte) (int, error) {
	s.log.Write(b)
	if s.line != "" && strings.Contains(s.log.String(), "\n"+s.line+"\n") {
		s.line = ""
		close(s.seen)
	}
	return len(b), nil
}

// TestGivesWay: what a build starts has its niceness, which "nice" without a command prints.
func TestGivesWay(t *testing.T) {
	f := newFixture(t, spec("", "sleep 0.2; sh -c nice"))
	f.mustBuild(t)
	if got := f.printed(); len(got) != 1 || got[0] != strconv.Itoa(niceness) {
		t.Errorf("niceness %q, want %d", got, niceness)
	}
}

func TestStopAndTimeout(t *testing.T) {
	oldGrace := grace
	grace = 300 * time.Millisecond
	t.Cleanup(func() { grace = oldGrace })
	// The command, its child and a background process ignore SIGTERM.
	text := "version: 0.2\nphases:\n  build:\n    commands:\n      - trap '' TERM; sleep 1000 & echo $$; echo $!; echo started; sleep 1000; sleep 1000\n    finally: [echo finally]\n  post_build: {commands: [echo after]}\n"

	check := func(t *testing.T, f *fixture, b *Build, err error, status, code string) {
		t.Helper()
		last := b.Phases[len(b.Phases)-1]
		if b.Status != status || last.Name != "BUILD" || last.Status != status || last.Contexts[0].StatusCode != code {
			t.Errorf("build %s, phase %+v, error %v", b.Status, last, err)
		}
		for _, command := range []string{"echo finally", "echo after"} {
			if strings.Contains(f.log.String(), "Running command "+command) {
				t.Errorf("commands ran after the end:\n%s", &f.log)
			}
		}
		for _, pid := range printedPIDs(t, f, 2) {
			if alive(t, pid) {
				t.Errorf("process %d is still there", pid)
				syscall.Kill(pid, syscall.SIGKILL)
			}
		}
	}
	t.Run("stop", func(t *testing.T) {
		f := newFixture(t, text)
		ctx, cancel := context.WithCancel(t.Context())
		started := make(chan struct{})
		f.runner.Log = logTo(&signalled{log: &f.log, line: "started", seen: started})
		go func() { <-started; cancel() }()
		b, err := f.build(t, ctx)
		if !errors.Is(err, context.Canceled) {
			t.Errorf("error = %v, want context.Canceled", err)
		}
		check(t, f, b, err, "STOPPED", "STOPPED")
	})
	t.Run("timeout", func(t *testing.T) {
		f := newFixture(t, text)
		f.properties["buildTimeout"] = 5
		f.runner.minute = 200 * time.Millisecond
		b, err := f.build(t, t.Context())
		if err == nil || !strings.Contains(err.Error(), "timed out after 5 minutes") {
			t.Errorf("error = %v", err)
		}
		check(t, f, b, err, "TIMED_OUT", "BUILD_TIMED_OUT")
	})
}

func TestTermLetsACommandCleanUp(t *testing.T) {
	mark := filepath.Join(t.TempDir(), "mark")
	f := newFixture(t, spec("", "trap 'touch "+mark+"; exit 1' TERM; echo started; while :; do sleep 0.05; done"))
	ctx, cancel := context.WithCancel(t.Context())
	started := make(chan struct{})
	f.runner.Log = logTo(&signalled{log: &f.log, line: "started", seen: started})
	go func() { <-started; cancel() }()
	if _, err := f.build(t, ctx); err == nil {
		t.Error("a stopped build succeeded")
	}
	if _, err := os.Stat(mark); err != nil {
		t.Errorf("the command got no SIGTERM: %v", err)
	}
}

// When the process that runs the build dies, the watchdog's standard input ends.
func TestWatchdogKillsTheGroupWhenItsParentIsGone(t *testing.T) {
	g, err := startProcessGroup("test:watchdog")
	if err != nil {
		t.Fatal(err)
	}
	defer g.remove()
	started, out, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer started.Close()
	defer out.Close()
	ended := make(chan error, 1)
	go func() {
		s := &shell{group: g, bash: g.watchdog.Path, name: "sh", dir: t.TempDir(), out: out}
		os.WriteFile(s.file("env.sh"), nil, 0o600)
		os.WriteFile(s.file("dir.txt"), []byte("/\n"), 0o600)
		status, err := s.run(context.Background(), "trap '' TERM INT HUP; echo started; sleep 1000")
		if err == nil && status != 137 {
			err = errors.New("exit status " + strconv.Itoa(status))
		}
		ended <- err
	}()
	if _, err := started.Read(make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	g.watchdogStdin.Close()
	select {
	case err := <-ended:
		if err != nil {
			t.Errorf("command ended with %v, want 137", err)
		}
	case <-time.After(20 * time.Second):
		t.Error("the command outlived the process that runs the build")
	}
}

func TestOutputWithoutEnd(t *testing.T) {
	f := newFixture(t, spec("", "(while :; do echo flood; sleep 0.01; done) &", "sleep 0.1; echo done"))
	f.runner.Log = nil
	f.mustBuild(t)
}
