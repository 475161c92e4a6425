package filelock

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
)

// TestWait: who has to wait is told so, and gets the lock once it is free. An interruption ends the wait, and leaves
// the lock to others.
func TestWait(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	open := func() *os.File {
		file, err := os.Create(path)
		if err != nil {
			t.Fatal(err)
		}
		return file
	}
	first, second := open(), open()
	if err := Wait(t.Context(), first, func() { t.Error("it waits though nobody has the lock") }); err != nil {
		t.Fatal(err)
	}
	if err := Try(second); err == nil {
		t.Error("Try() locks what is locked")
	}
	ctx, interrupt := context.WithCancel(t.Context())
	if err := Wait(ctx, open(), interrupt); !errors.Is(err, context.Canceled) {
		t.Errorf("Wait() = %v, want it interrupted", err)
	}
	if err := Wait(t.Context(), second, func() { first.Close() }); err != nil {
		t.Error(err)
	}
	if err := second.Close(); err != nil {
		t.Errorf("the file that Wait locked: %v", err)
	}
}
