// Package processes finds and ends processes by a variable in their environment. Children inherit it, even those that
// leave their process group. Without /proc, it finds none.
package processes

import (
	"bytes"
	"fmt"
	"io"
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
		environ, err := environment(filepath.Dir(file))
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

// environment returns a process's variables. In the middle of exec, a process has a program but no variables yet (Linux,
// fs/binfmt_elf.c, create_elf_tables): they are read again until it has, or has had none three times.
func environment(dir string) (string, error) {
	none := 0
	for deadline := time.Now().Add(killTimeout); ; time.Sleep(100 * time.Microsecond) {
		environ, err := readAtOnce(filepath.Join(dir, "environ"))
		if err != nil || environ != "" || time.Now().After(deadline) {
			return environ, err
		}
		if !hasNone(dir) {
			none = 0
		} else if none++; none == 3 {
			return "", nil
		}
	}
}

// readAtOnce reads a file of /proc in one call. Between two, an exec would replace what is read.
func readAtOnce(path string) (string, error) {
	file, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer file.Close()
	for buffer := make([]byte, 16<<10); ; buffer = make([]byte, 2*len(buffer)) {
		n, err := file.ReadAt(buffer, 0)
		if n < len(buffer) {
			if err == io.EOF {
				err = nil
			}
			return string(buffer[:n]), err
		}
	}
}

// hasNone reports whether a process has no variables, and will not get any either without another exec: it was started with
// none, is a kernel's thread, or has ended.
func hasNone(dir string) bool {
	if _, err := os.Readlink(filepath.Join(dir, "exe")); err != nil {
		return true
	}
	stat, _ := os.ReadFile(filepath.Join(dir, "stat"))
	fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:])) // from the third on
	const envStart, envEnd = 50 - 3, 51 - 3                                   // proc_pid_stat(5)
	return len(fields) <= envEnd || fields[envEnd] != "0" && fields[envStart] == fields[envEnd]
}

// Kill kills the processes that were started with one of the variables, and any that they start meanwhile. It returns
// when all have ended: when three searches in a row have found none. One is not enough, for a process that starts another
// and ends hides both, if it does so after /proc was listed and before it is read itself.
func Kill(variables ...string) error {
	none := 0
	for deadline := time.Now().Add(killTimeout); ; time.Sleep(time.Millisecond) {
		found := With(func(v string) bool { return slices.Contains(variables, v) })
		if len(found) > 0 {
			none = 0
		} else if none++; none == 3 {
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
