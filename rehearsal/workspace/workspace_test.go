package workspace

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"cicd/internal/filelock"
)

// recordFolder gives the test its own folder of records, and a docker that only records its calls.
func recordFolder(t *testing.T) (records, calls string) {
	t.Helper()
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	records, err := recordsDir()
	if err != nil {
		t.Fatal(err)
	}
	bin := t.TempDir()
	calls = filepath.Join(bin, "calls")
	if err := os.WriteFile(filepath.Join(bin, "docker"), []byte("#!/bin/sh\necho \"$*\" >>'"+calls+"'\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", bin+":"+os.Getenv("PATH"))
	return records, calls
}

// TestHostileRecords: a record that no rehearsal wrote is neither obeyed nor removed. An empty name, or one that is a
// pattern, would match every container of this machine.
func TestHostileRecords(t *testing.T) {
	const name = "rehearsal-0123ab-abcdefgh"
	hostile := map[string]string{
		"x":                           `{}`,
		"":                            `{}`,
		".*":                          `{}`,
		"rehearsal-":                  `{}`,
		"rehearsal-......-........":   `{}`,
		name + "|.":                   `{}`,
		"rehearsal-0123ab-abcdefgh\n": `{}`,
		name:                          `{"Registry": "docker.io"}`,
		"rehearsal-0123ab-abcdefg2":   `{"Registry": "127.0.0.1:5000/x"}`,
		"rehearsal-0123ab-abcdefg3":   `not JSON`,
		"rehearsal-0123ab-abcdefg4":   `["rehearsal"]`,
	}
	records, calls := recordFolder(t)
	for name, content := range hostile {
		if err := os.WriteFile(filepath.Join(records, name+recordSuffix), []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	var told strings.Builder
	work, err := New(t.Context(), t.TempDir(), &told)
	if err != nil {
		t.Fatal(err)
	}
	defer work.Remove(t.Context())
	for name := range hostile {
		path := filepath.Join(records, name+recordSuffix)
		if _, err := os.Stat(path); err != nil {
			t.Errorf("the record %q is gone: %v", name, err)
		}
		if !strings.Contains(told.String(), "Ignoring "+path+", which no rehearsal has written") {
			t.Errorf("nothing is told of %q: %s", name, &told)
		}
	}
	if called, err := os.ReadFile(calls); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("docker was asked: %s", called)
	}
}

// TestRecordIsSwept: a killed rehearsal's record is obeyed and removed.
func TestRecordIsSwept(t *testing.T) {
	const name, early = "rehearsal-0123ab-abcdefgh", "rehearsal-0123ab-abcdefg2"
	records, calls := recordFolder(t)
	for name, content := range map[string]string{name: `{"Registry": "127.0.0.1:40001"}`, early: ""} {
		if err := os.WriteFile(filepath.Join(records, name+recordSuffix), []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
		if err := os.MkdirAll(filepath.Join(Folders, name, "state"), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	var told strings.Builder
	work, err := New(t.Context(), t.TempDir(), &told)
	if err != nil {
		t.Fatal(err)
	}
	called, err := os.ReadFile(calls)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{name, early} {
		if _, err := os.Stat(filepath.Join(Folders, name)); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("the folder of %s is still there: %v", name, err)
		}
		if !strings.Contains(told.String(), "Removed what "+name) || !strings.Contains(string(called), "name=^/"+name) {
			t.Errorf("%s was not swept: told %q; docker was asked\n%s", name, told.String(), called)
		}
	}
	if err := work.Remove(t.Context()); err != nil {
		t.Fatal(err)
	}
	if left, err := filepath.Glob(filepath.Join(records, "*"+recordSuffix)); err != nil || len(left) > 0 {
		t.Errorf("records left: %v, %v", left, err)
	}
}

// TestWaitForTurnIsInterrupted: somebody who presses Ctrl-C need not wait for another rehearsal, which may be removing
// what a killed one left behind.
func TestWaitForTurnIsInterrupted(t *testing.T) {
	recordFolder(t)
	turn, err := openTurn()
	if err != nil {
		t.Fatal(err)
	}
	defer turn.Close()
	if err := filelock.Try(turn); err != nil {
		t.Fatal(err)
	}
	for name, wait := range map[string]func(context.Context, io.Writer) error{
		"New": func(ctx context.Context, tell io.Writer) error {
			_, err := New(ctx, t.TempDir(), tell)
			return err
		},
		"NewLogs": func(ctx context.Context, tell io.Writer) error {
			_, err := NewLogs(ctx, t.TempDir(), "dev", tell)
			return err
		},
	} {
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		var told strings.Builder
		if err := wait(ctx, &told); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%s() = %v, want that of its context", name, err)
		}
		if !strings.HasPrefix(told.String(), "Waiting for another rehearsal") || len(told.String()) > 80+1 {
			t.Errorf("%s says %q, want that it waits", name, &told)
		}
	}
}
