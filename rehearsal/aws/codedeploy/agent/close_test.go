package agent

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// A restart ends the event that runs, without a word of its script; the next event is not affected.
func TestRestart(t *testing.T) {
	h := newHost(t)
	begun := filepath.Join(t.TempDir(), "begun")
	if err := syscall.Mkfifo(begun, 0o600); err != nil {
		t.Fatal(err)
	}
	d := oneHook(t, "", "#!/bin/bash\necho >"+begun+"\nsleep 60\n")
	restarted := make(chan error)
	go func() {
		_, _ = os.ReadFile(begun) // as soon as the script writes to it
		restarted <- h.Restart()
	}()
	f := fails(t, h.run(d))
	if err := <-restarted; err != nil {
		t.Fatal(err)
	}
	want := "Failed: Failing in-progress lifecycle event after an agent restart."
	if int(f.Code) != 7 || f.Script != "" || f.Message != want || f.Log != "" {
		t.Errorf("failure = %+v, want code 7, %q", f, want)
	}
	if err := h.run(d, "ValidateService"); err != nil {
		t.Errorf("the next event: %v", err)
	}
}
