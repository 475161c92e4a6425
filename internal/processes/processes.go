// Package processes finds and ends processes by a variable in their environment. Children inherit it, even those that
// leave their process group. Without /proc, it finds none.
package processes

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// killTimeout is how long killed processes may take to end. They end immediately, unless the kernel waits for a device.
const killTimeout = 10 * time.Second

// With returns the ids of all processes except this one that were started with a matching variable, "NAME=value".
func With(matches func(variable string) bool) []int {
	files, _ := filepath.Glob("/proc/[0-9]*/environ") // the pattern is well-formed
	var found []int
	for _, file := range files {
		environ, err := os.ReadFile(file)
		if err != nil {
			continue // it has ended, or we may not read it
		}
		marked := slices.ContainsFunc(strings.Split(string(environ), "\x00"), matches)
		pid, err := strconv.Atoi(filepath.Base(filepath.Dir(file)))
		if marked && err == nil && pid != os.Getpid() {
			found = append(found, pid)
		}
	}
	return found
}

// Kill kills the processes that were started with one of the variables, and any that they start meanwhile. It returns
// when all have ended.
func Kill(variables ...string) error {
	for deadline := time.Now().Add(killTimeout); ; time.Sleep(time.Millisecond) {
		found := With(func(v string) bool { return slices.Contains(variables, v) })
		if len(found) == 0 {
			return nil
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("processes %d have not ended %s after SIGKILL", found, killTimeout)
		}
		for _, pid := range found {
			_ = syscall.Kill(pid, syscall.SIGKILL) // it may have ended by now
		}
	}
}
