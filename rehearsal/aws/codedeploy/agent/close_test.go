package agent

import (
	"os"
	"path/filepath"
	"testing"
	"time"
)

// A restart ends the event that runs, without a word of its script; the next event is not affected.
func TestRestart(t *testing.T) {
	h := newHost(t)
	mark := filepath.Join(t.TempDir(), "started")
	d := oneHook(t, "", "#!/bin/bash\ntouch "+mark+"\nsleep 60\n")
	restarted := make(chan error)
	go func() {
		for {
			if _, err := os.Stat(mark); err == nil {
				restarted <- h.Restart()
				return
			}
			time.Sleep(10 * time.Millisecond)
		}
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
