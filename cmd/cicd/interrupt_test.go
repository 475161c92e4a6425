package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"
	"testing"
)

// TestInterruption interrupts the command while the program runs, in every way that happens. Signals go to the whole
// process group, as a terminal sends them.
func TestInterruption(t *testing.T) {
	project(t)
	// A handled signal is reset to its default in commands, even if the tests ignore it, as under nohup.
	handled := make(chan os.Signal, 1)
	signal.Notify(handled, os.Interrupt, syscall.SIGHUP)
	defer signal.Stop(handled)
	signal := func(s syscall.Signal) func(*exec.Cmd, io.Closer) error {
		return func(cmd *exec.Cmd, _ io.Closer) error { return syscall.Kill(-cmd.Process.Pid, s) }
	}
	tests := []struct {
		name, args string
		interrupt  func(cmd *exec.Cmd, output io.Closer) error
	}{
		{"Ctrl-C", "preview", signal(syscall.SIGINT)},
		{"Ctrl-C", "up", signal(syscall.SIGINT)},
		{"SIGTERM", "up", signal(syscall.SIGTERM)},
		{"closed terminal", "up", signal(syscall.SIGHUP)},
		{"closed pipe", "up", func(_ *exec.Cmd, output io.Closer) error { return output.Close() }},
	}
	for _, tt := range tests {
		t.Run(tt.name+", "+tt.args, func(t *testing.T) {
			cmd := exec.Command(os.Args[0], tt.args)
			cmd.Env = append(os.Environ(), beCICD+"=1")
			cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
			output, err := cmd.StderrPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			progress := bufio.NewReader(output)
			for line := ""; !strings.Contains(line, "running"); {
				if line, err = progress.ReadString('\n'); err != nil {
					t.Fatalf("%v; last line %q", err, line)
				}
			}
			if err := tt.interrupt(cmd, output); err != nil {
				t.Fatal(err)
			}
			rest, _ := io.ReadAll(progress) // until it ends, or the pipe is closed
			err = cmd.Wait()
			if code := cmd.ProcessState.ExitCode(); code != exitInterrupted {
				t.Errorf("exit code %d (%v), want %d; stderr:\n%s", code, err, exitInterrupted, rest)
			}
			// This would fail if a lock were left behind.
			var stderr bytes.Buffer
			if code := (cli{program: always(good), check: anything, stdout: io.Discard, stderr: &stderr}).run(t.Context(), []string{"up"}); code != exitOK {
				t.Errorf("up after the interruption: exit code %d, stderr:\n%s", code, stderr.String())
			}
		})
	}
}

// TestNohup: SIGHUP, ignored from the start, does not interrupt.
func TestNohup(t *testing.T) {
	cmd := exec.Command("sh", "-c", `trap "" HUP; exec "$0" -test.run=^TestHelperNohup$`, os.Args[0])
	cmd.Env = append(os.Environ(), "CICD_TEST_NOHUP=1")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

// TestHelperNohup is not a test: TestNohup runs it in a process of its own.
func TestHelperNohup(t *testing.T) {
	if os.Getenv("CICD_TEST_NOHUP") == "" {
		t.Skip("only run by TestNohup")
	}
	ctx, _, _, stop := interruptible()
	defer stop()
	if err := syscall.Kill(os.Getpid(), syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(os.Getpid(), syscall.SIGTERM); err != nil { // the first one would have come before it
		t.Fatal(err)
	}
	<-ctx.Done()
	if cause := context.Cause(ctx); !strings.Contains(cause.Error(), "terminated") {
		t.Errorf("interrupted by %v, want by SIGTERM alone", cause)
	}
}

func TestInterruptedConfirmation(t *testing.T) {
	silent, keyboard := io.Pipe()
	defer keyboard.Close()
	ctx, interrupt := context.WithCancel(t.Context())
	interrupt()
	err := cli{stdin: silent, stderr: io.Discard}.confirm(ctx, "dev")
	if !errors.Is(err, context.Canceled) {
		t.Errorf("confirm: %v, want context.Canceled", err)
	}
}
