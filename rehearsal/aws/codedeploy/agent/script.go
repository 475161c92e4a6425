package agent

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"cicd/rehearsal/aws/codedeploy/appspec"
)

// execute runs one script (hook_executor.rb, execute_script): with its input at the end, its output line by line in the
// log, TERM for the whole process group at the timeout, and an error for output that is still open then.
func (h hook) execute(ctx context.Context, script appspec.Script, path string) error {
	p, err := h.startScript(script, path)
	if err != nil {
		class, text := rubyClassAndText(err, argv(commandLine(script, path))[0])
		return h.fail(ScriptFailed, script, "%s failed with error %s with message %s", prefix(script), class, text)
	}
	defer func() { // no line may come after the event's end
		p.closeOutput()
		<-p.stdoutDone
		<-p.stderrDone
	}()
	// ThreadJoiner counts whole seconds of the clock.
	deadline := time.Now().Unix() + int64(script.Timeout/time.Second)
	if err := p.wait(ctx, p.exited, script.Timeout); err != nil {
		if !errors.Is(err, errDeadline) {
			return p.kill(err)
		}
		p.signal(syscall.SIGTERM)
		p.closeOutput()
		// popen3 waits for the process whatever happens: a script that ignores TERM holds up the agent until it ends.
		select {
		case <-p.exited:
		case <-ctx.Done():
			return p.kill(ctx.Err())
		}
		return h.fail(ScriptTimedOut, script, "Script at specified location: %s failed to complete in %d seconds",
			script.Location, script.Timeout/time.Second)
	}
	for _, output := range []struct {
		name string
		done chan struct{}
	}{{"STDOUT", p.stdoutDone}, {"STDERR", p.stderrDone}} {
		left := time.Duration(max(0, deadline-time.Now().Unix())) * time.Second
		if err := p.wait(ctx, output.done, left); err != nil {
			if !errors.Is(err, errDeadline) {
				return p.kill(err)
			}
			message := fmt.Sprintf("Script at specified location: %s failed to close %s", script.Location, output.name)
			h.log("%s", message)
			return h.fail(OutputsLeftOpen, script, "%s", message)
		}
	}
	if status := p.cmd.ProcessState; !status.Success() {
		if status.Exited() {
			return h.fail(ScriptFailed, script, "%s failed with exit code %d", prefix(script), status.ExitCode())
		}
		// Ruby has no exit status for a process that a signal ended, and prints nothing.
		f := h.fail(ScriptFailed, script, "%s failed with exit code ", prefix(script))
		f.Hint = fmt.Sprintf("a person or the system ended it (%s): the host's log tells, `dmesg` if memory ran out; then release again", status)
		return f
	}
	return nil
}

func prefix(script appspec.Script) string {
	s := "Script at specified location: " + script.Location
	if script.RunAs != nil {
		s += " run as user " + *script.RunAs
	}
	return s
}

// process is a running script.
type process struct {
	cmd                            *exec.Cmd
	stdout, stderr                 *os.File
	exited, stdoutDone, stderrDone chan struct{}
}

func (h hook) startScript(script appspec.Script, path string) (*process, error) {
	stdin, stdinWriter, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer stdin.Close()
	stdinWriter.Close() // the script reads the end of its input at once
	stdout, stdoutWriter, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer stdoutWriter.Close()
	stderr, stderrWriter, err := os.Pipe()
	if err != nil {
		stdout.Close()
		return nil, err
	}
	defer stderrWriter.Close()
	p := &process{stdout: stdout, stderr: stderr,
		exited: make(chan struct{}), stdoutDone: make(chan struct{}), stderrDone: make(chan struct{})}
	p.cmd, err = h.agent.start(argv(commandLine(script, path)), h.environment(), stdin, stdoutWriter, stderrWriter)
	if err != nil {
		p.closeOutput()
		return nil, err
	}
	go func() {
		_ = p.cmd.Wait() // ProcessState has the result
		close(p.exited)
	}()
	go h.copyLines("[stdout]", stdout, p.stdoutDone)
	go h.copyLines("[stderr]", stderr, p.stderrDone)
	return p, nil
}

func (h hook) copyLines(label string, output io.Reader, done chan struct{}) {
	defer close(done)
	reader := bufio.NewReader(output)
	for {
		line, err := reader.ReadString('\n')
		if line != "" && (err == nil || errors.Is(err, io.EOF)) {
			h.output.write(label + line)
		}
		if err != nil {
			return
		}
	}
}

var errDeadline = errors.New("deadline")

// wait returns nil when done is closed, errDeadline after limit, or ctx's error.
func (p *process) wait(ctx context.Context, done chan struct{}, limit time.Duration) error {
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
	}
	select {
	case <-done: // both were ready
		return nil
	default:
		return errDeadline
	}
}

// killGrace is how long the processes of an interrupted hook may take to clean up.
const killGrace = 3 * time.Second

// kill ends the process group for good, because the rehearsal is being interrupted. It returns reason.
func (p *process) kill(reason error) error {
	p.signal(syscall.SIGTERM)
	select {
	case <-p.exited:
	case <-time.After(killGrace):
	}
	p.signal(syscall.SIGKILL)
	<-p.exited
	return reason
}

func (p *process) signal(s syscall.Signal) {
	_ = syscall.Kill(-p.cmd.Process.Pid, s) // a group that is gone needs no signal
}

func (p *process) closeOutput() {
	p.stdout.Close()
	p.stderr.Close()
}

// hint says what the agent leaves for its user to find out.
func (h hook) hint(code Code, script appspec.Script) string {
	switch code {
	case ScriptMissing:
		return "the bundle has no " + script.Location + ": check artifacts in the buildspec and location in the appspec"
	case ScriptTimedOut:
		return "find what it waits for, or raise timeout in the appspec"
	case OutputsLeftOpen:
		return "a process that it started in the background still holds its output: redirect that one's stdin, stdout and stderr, or make it a service or a container (F31)"
	case ScriptNotExecutable:
		return ""
	}
	file, err := os.Open(filepath.Join(h.archive, script.Location))
	if err != nil {
		return ""
	}
	defer file.Close()
	first, _ := bufio.NewReader(file).ReadSlice('\n') // without a line end, the whole file is the first line
	interpreter := strings.Fields(strings.TrimPrefix(string(first), "#!"))
	switch {
	case bytes.HasSuffix(first, []byte("\r\n")):
		return "its lines end in CR LF, so the system looks for an interpreter whose name ends in a carriage return: save it with LF line ends (in .gitattributes: *.sh text eol=lf) (F28)"
	case bytes.HasPrefix(first, []byte("#!")) && len(interpreter) > 0 && !exists(interpreter[0]):
		return "its interpreter " + interpreter[0] + " does not exist here"
	case (script.RunAs != nil || script.Sudo) && os.Geteuid() != 0:
		return "runas and sudo need the rights of root, which the agent has in AWS and this process has not"
	}
	return ""
}
