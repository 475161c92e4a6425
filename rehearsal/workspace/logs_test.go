package workspace

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"

	"cicd/internal/testproject"
)

// newLogs returns the logs of a rehearsal that has logged something.
func newLogs(t *testing.T, project, stack string) *Logs {
	t.Helper()
	l, err := NewLogs(t.Context(), project, stack, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	file, err := l.Create("build.log")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if info, err := file.Stat(); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode of a log %v (%v), want 0600", info.Mode(), err)
	}
	if info, err := os.Stat(l.Dir); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("mode of the folder %v (%v), want 0700", info.Mode(), err)
	}
	return l
}

// end closes the logs, and checks that they were kept or removed.
func end(t *testing.T, l *Logs, keep bool) {
	t.Helper()
	if kept, err := l.Close(keep); err != nil || kept != keep {
		t.Errorf("Close(%t) = %t, %v", keep, kept, err)
	}
	wantLogs(t, keep, l)
}

func wantLogs(t *testing.T, there bool, logs ...*Logs) {
	t.Helper()
	for _, l := range logs {
		_, err := os.Stat(l.Path("build.log"))
		if there && err != nil || !there && !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%s: %v, want that it is there: %t", l.Dir, err, there)
		}
	}
}

// TestLogs: logs stay until the next rehearsal of the checkout and stack, and no other one touches them.
func TestLogs(t *testing.T) {
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	project := filepath.Join(t.TempDir(), "a [b] c")
	if err := os.Mkdir(project, 0o755); err != nil {
		t.Fatal(err)
	}
	testproject.Git(t, project, "init", "--quiet")
	failed, killed, running := newLogs(t, project, "dev"), newLogs(t, project, "dev"), newLogs(t, project, "dev")
	others := newLogs(t, project, "dev-2")
	end(t, failed, true)
	end(t, others, true)
	killed.lock.Close() // as the kernel does
	if status := testproject.Git(t, project, "status", "--porcelain"); status != "" {
		t.Errorf("git status shows %s", status)
	}

	next := newLogs(t, project, "dev")
	wantLogs(t, false, failed, killed)
	wantLogs(t, true, running, others)
	end(t, next, false)
	end(t, running, false)
	wantLogs(t, true, others)

	last := newLogs(t, project, "dev-2")
	wantLogs(t, false, others)
	end(t, last, false)
	if left, err := os.ReadDir(project); err != nil || len(left) != 1 {
		t.Errorf("left are %v (%v), want .git alone", left, err)
	}
}

// TestLogDirIsShort: in the checkout, the path of a log is relative.
func TestLogDirIsShort(t *testing.T) {
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	project := t.TempDir()
	t.Chdir(project)
	l := newLogs(t, project, "dev")
	defer l.Close(false)
	if filepath.Dir(l.Dir) != logFolders {
		t.Errorf("the folder is %s, want it in %s", l.Dir, logFolders)
	}
	if below := filepath.Join(project, "docs"); fromHere(below) != "docs" || fromHere(filepath.Dir(project)) != filepath.Dir(project) {
		t.Errorf("paths are %s and %s", fromHere(below), fromHere(filepath.Dir(project)))
	}
}

// TestLogsNowhere: if the checkout cannot have the folder, the error names it.
func TestLogsNowhere(t *testing.T) {
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	project := t.TempDir()
	if err := os.WriteFile(filepath.Join(project, logFolders), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	_, err := NewLogs(t.Context(), project, "dev", io.Discard)
	var path *os.PathError
	if !errors.As(err, &path) || path.Path != filepath.Join(project, logFolders) {
		t.Errorf("NewLogs: %v, want an error with the folder's path", err)
	}
}
