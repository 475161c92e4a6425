package codebuild

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strconv"
	"syscall"
	"time"

	"cicd/internal/processes"
)

// processGroup stands for the container in which AWS runs a build: it has every process of the build, including background
// ones, and ends them all when removed.
//
// They share one process group, whose leader is the watchdog, a shell that waits for its standard input to end and then
// kills the group. That happens when the build is over and also when this process dies in any way, including kill -9.
type processGroup struct {
	buildID       string
	watchdog      *exec.Cmd
	watchdogStdin io.Closer // the write end of the watchdog's standard input
}

// grace is how long processes have to end after SIGTERM before SIGKILL. A variable for the tests.
var grace = 5 * time.Second

const watchdogScript = `trap '' TERM INT HUP; read -r _; kill -KILL 0`

func startProcessGroup(buildID string) (*processGroup, error) {
	bash, err := exec.LookPath("bash")
	if err != nil {
		return nil, fmt.Errorf("bash: %w; install it: builds run in it", err)
	}
	watchdog := exec.Command(bash, "-c", watchdogScript)
	watchdog.Env = []string{}
	watchdog.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	watchdogStdin, err := watchdog.StdinPipe()
	if err != nil {
		return nil, err
	}
	if err := watchdog.Start(); err != nil {
		return nil, fmt.Errorf("watchdog of the build: %w", err)
	}
	return &processGroup{buildID: buildID, watchdog: watchdog, watchdogStdin: watchdogStdin}, nil
}

// niceness of a build. In AWS it has its own machine; here it yields to what is being served.
const niceness = 19

// run runs a program in the group with its output going to out, and returns its exit status. It does not wait for
// what the program leaves running in the background. When ctx ends, every process of the group gets SIGTERM, after
// a while SIGKILL, and the error is ctx's cause.
func (g *processGroup) run(ctx context.Context, cmd *exec.Cmd) (status int, err error) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pgid: g.watchdog.Process.Pid}
	if err := cmd.Start(); err != nil {
		return 0, err
	}
	_ = syscall.Setpriority(syscall.PRIO_PGRP, g.watchdog.Process.Pid, niceness) // lowering is always allowed
	// Also the scheduling policy for idle work (sched(7), SCHED_IDLE), which children inherit too: with it, the
	// slowest hundredth of the requests during releases took 14 ms instead of 19 with nice alone.
	idle := exec.Command("chrt", "--idle", "--pid", "0", strconv.Itoa(cmd.Process.Pid))
	idle.Env = []string{}
	_ = idle.Run() // not every system has it
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	select {
	case err = <-ended:
	case <-ctx.Done():
		g.signal(syscall.SIGTERM)
		select {
		case <-ended:
		case <-time.After(grace):
			g.remove()
			<-ended
		}
		return 0, context.Cause(ctx)
	}
	var exit *exec.ExitError
	if !errors.As(err, &exit) {
		return 0, err
	}
	if s := exit.Sys().(syscall.WaitStatus); s.Signaled() {
		return 128 + int(s.Signal()), nil // as the shell reports it
	}
	return exit.ExitCode(), nil
}

func (g *processGroup) signal(s syscall.Signal) { syscall.Kill(-g.watchdog.Process.Pid, s) }

// remove ends every process of the group. It may be called twice.
func (g *processGroup) remove() {
	if g.watchdog.ProcessState != nil {
		return
	}
	g.signal(syscall.SIGKILL)
	g.watchdogStdin.Close()
	g.watchdog.Wait()
	// Those that left the group, for instance with setsid.
	_ = processes.Kill("CODEBUILD_BUILD_ID=" + g.buildID)
}
