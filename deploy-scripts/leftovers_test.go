package deployscripts_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"cicd/internal/processes"
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
	if !await(5*time.Second, func() bool { commands = h.commands(); return commands == nil }) {
		h.t.Errorf("%s leaves the processes %q", script, commands)
	}
}

// commands lists the command lines of the processes of this host, as they tell by their environment.
func (h *host) commands() (commands []string) {
	h.t.Helper()
	ours := func(variable string) bool { return variable == "APP_NAME="+h.app }
	for _, pid := range processes.With(ours) {
		line, _ := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid)) // it may have ended
		commands = append(commands, string(bytes.ReplaceAll(line, []byte{0}, []byte{' '})))
	}
	return commands
}
