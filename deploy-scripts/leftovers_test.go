package deployscripts_test

import (
	"bytes"
	"os"
	"path/filepath"
	"time"
)

// wantNothingLeft looks for what a script that has ended must not leave: temporary files, one of which may be a login to ECR,
// and processes. One that is just ending gets the time to do so.
func (h *host) wantNothingLeft(script string) {
	h.t.Helper()
	for _, file := range h.files() {
		h.t.Errorf("%s leaves %s", script, file)
	}
	h.wantNoProcess(script)
}

// files lists what is in the folder for temporary files.
func (h *host) files() []string {
	h.t.Helper()
	files, err := filepath.Glob(filepath.Join(h.tmp, "*"))
	if err != nil {
		h.t.Fatal(err)
	}
	return files
}

// wantNoProcess waits for the processes that a script has begun to end.
func (h *host) wantNoProcess(script string) {
	h.t.Helper()
	var commands []string
	for range 100 {
		if commands = h.processes(); commands == nil {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	h.t.Errorf("%s leaves the processes %q", script, commands)
}

// processes lists the command lines of the processes of this host, as they tell by their environment.
func (h *host) processes() (commands []string) {
	h.t.Helper()
	environments, err := filepath.Glob("/proc/[0-9]*/environ")
	if err != nil || environments == nil {
		h.t.Fatalf("no processes: %v", err)
	}
	for _, path := range environments {
		environment, err := os.ReadFile(path)
		if err != nil || !bytes.Contains(environment, []byte("\x00APP_NAME="+h.app+"\x00")) {
			continue // it has ended, or is none of ours
		}
		line, _ := os.ReadFile(filepath.Join(filepath.Dir(path), "cmdline"))
		commands = append(commands, string(bytes.ReplaceAll(line, []byte{0}, []byte{' '})))
	}
	return commands
}
