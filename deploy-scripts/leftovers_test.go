package deployscripts_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"cicd/internal/processes"
)

// wantNothingLeft checks that an ended script left no temporary files, one of which may be a login to ECR, and no processes.
// It gives processes time to end.
func (h *host) wantNothingLeft(script string) {
	h.t.Helper()
	for _, file := range h.files() {
		h.t.Errorf("%s leaves %s", script, file)
	}
	h.wantNoProcess(script)
}

// files lists the folder for temporary files.
func (h *host) files() []string {
	h.t.Helper()
	files, err := filepath.Glob(filepath.Join(h.tmp, "*"))
	if err != nil {
		h.t.Fatal(err)
	}
	return files
}

// wantNoProcess waits until the processes that a script began have ended.
func (h *host) wantNoProcess(script string) {
	h.t.Helper()
	var commands []string
	if !await(5*time.Second, func() bool { commands = h.commands(); return commands == nil }) {
		h.t.Errorf("%s leaves the processes %q", script, commands)
	}
}

// commands lists the command lines of this host's processes, which their environment identifies.
func (h *host) commands() (commands []string) {
	h.t.Helper()
	ours := func(variable string) bool { return variable == "APP_NAME="+h.app }
	for _, pid := range processes.With(ours) {
		line, _ := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid)) // may have ended
		commands = append(commands, string(bytes.ReplaceAll(line, []byte{0}, []byte{' '})))
	}
	return commands
}
