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
