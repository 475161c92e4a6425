package processes

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"testing"
)

// TestKill has a process that keeps starting others, in sessions of their own.
func TestKill(t *testing.T) {
	if _, err := os.Stat("/proc/self/environ"); err != nil {
		t.Skip("this system has no /proc")
	}
	mark := fmt.Sprintf("PROCESSES_TEST=%d", os.Getpid())
	start := func(mark string) *exec.Cmd {
		cmd := exec.Command("bash", "-c", "while setsid --fork sleep 60; do echo; sleep 0.01; done")
		cmd.Env = append(os.Environ(), mark)
		out, err := cmd.StdoutPipe()
		if err == nil {
			err = cmd.Start()
		}
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = Kill(mark); _ = cmd.Wait() })
		bufio.NewReader(out).ReadString('\n') // it has started one
		return cmd
	}
	with := func(mark string) []int { return With(func(v string) bool { return v == mark }) }
	start(mark)
	start(mark + "0")
	if err := Kill(mark); err != nil || len(with(mark)) > 0 {
		t.Errorf("%v, left %d, want none", err, with(mark))
	}
	if len(with(mark+"0")) < 2 {
		t.Error("processes with another value have ended, too")
	}
}

// TestWithDuringExec has a process that keeps replacing its program, and so has no environment for an instant.
func TestWithDuringExec(t *testing.T) {
	mark := fmt.Sprintf("PROCESSES_TEST=exec%d", os.Getpid())
	cmd := exec.Command("sh", "-c", `echo; exec "$0" -c "$1" "$0" "$1"`, "sh", `exec "$0" -c "$1" "$0" "$1"`)
	cmd.Env = append(os.Environ(), mark)
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	bufio.NewReader(out).ReadString('\n')
	for n := range 1000 {
		if found := With(func(v string) bool { return v == mark }); len(found) != 1 || found[0] != cmd.Process.Pid {
			t.Fatalf("the %dth time, found %d, want %d", n+1, found, cmd.Process.Pid)
		}
	}
}
