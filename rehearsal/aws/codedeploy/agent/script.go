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
		if h.agent.Version == 2 {
			return h.fail(ScriptFailed, script, "Script at specified location: %s failed with error %s", script.Location, rustError(err))
		}
		class, text := rubyClassAndText(err, argv(commandLine(script, path))[0])
		return h.fail(ScriptFailed, script, "%s failed with error %s with message %s", prefix(script), class, text)
	}
	defer p.closeOutput()
	// ThreadJoiner counts whole seconds of the clock.
	deadline := time.Now().Unix() + int64(script.Timeout/time.Second)
	err = p.wait(ctx, p.exited, script.Timeout)
	if errors.Is(err, errDeadline) {
		return h.endAtTimeout(ctx, script, p)
	}
	if err != nil {
		return p.kill(err)
	}
	for _, output := range p.output {
		left := time.Duration(max(0, deadline-time.Now().Unix())) * time.Second
		err := p.wait(ctx, output.done, left)
		switch {
		case errors.Is(err, errDeadline):
			return h.leftOpen(script, p, output)
		case err != nil:
			return p.kill(err)
		case output.err != nil: // the reader's exception, which joining the thread raises again
			return h.fail(ScriptFailed, script, "%s failed with error ArgumentError with message %v", prefix(script), output.err)
		}
	}
	return h.result(script, p.cmd.ProcessState)
}

// endAtTimeout ends a script that has taken too long. popen3 waits for the process whatever happens: a script that
// ignores TERM holds up the agent until it ends. Version 2 kills it after a while.
func (h hook) endAtTimeout(ctx context.Context, script appspec.Script, p *process) error {
	p.signal(syscall.SIGTERM)
	p.closeOutput()
	var killed <-chan time.Time
	if h.agent.Version == 2 {
		killed = time.After(rustGrace)
	}
	select {
	case <-p.exited:
	case <-killed:
		p.signal(syscall.SIGKILL)
		<-p.exited
	case <-ctx.Done():
		return p.kill(ctx.Err())
	}
	return h.fail(ScriptTimedOut, script, "Script at specified location: %s failed to complete in %d seconds",
		script.Location, script.Timeout/time.Second)
}

// leftOpen is the failure of a script that has ended and whose output has not.
func (h hook) leftOpen(script appspec.Script, p *process, o *output) error {
	name := strings.ToUpper(o.name)
	if h.agent.Version == 2 {
		name = "STDOUT" // whichever it is
	}
	message := fmt.Sprintf("Script at specified location: %s failed to close %s", script.Location, name)
	h.log("%s", message)
	p.closeOutput()
	return h.fail(OutputsLeftOpen, script, "%s", message)
}

// result is the failure of a script that has ended without success, or nil.
func (h hook) result(script appspec.Script, status *os.ProcessState) error {
	switch {
	case status.Success():
		return nil
	case status.Exited():
		return h.fail(ScriptFailed, script, "%s failed with exit code %d", prefix(script), status.ExitCode())
	}
	// Ruby has no exit status for a process that a signal ended, and prints nothing.
	code := ""
	if h.agent.Version == 2 {
		code = "1"
	}
	f := h.fail(ScriptFailed, script, "%s failed with exit code %s", prefix(script), code)
	f.Hint = fmt.Sprintf("a person or the system ended it (%s): the host's log tells, `dmesg` if memory ran out; then release again", status)
	return f
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
	cmd    *exec.Cmd
	output [2]*output // standard output and standard error
	exited chan struct{}
}

// output is what a script writes to one of its files.
type output struct {
	name string
	pipe *os.File
	done chan struct{} // closed when nobody reads it any longer
	err  error         // why reading ended early; valid after done
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
	p := &process{exited: make(chan struct{}), output: [2]*output{
		{name: "stdout", pipe: stdout, done: make(chan struct{})}, {name: "stderr", pipe: stderr, done: make(chan struct{})}}}
	p.cmd, err = h.agent.start(h.agent.arguments(script, path), h.environment(), stdin, stdoutWriter, stderrWriter)
	if err != nil {
		stdout.Close()
		stderr.Close()
		return nil, err
	}
	go func() {
		_ = p.cmd.Wait() // ProcessState has the result
		close(p.exited)
	}()
	go h.copyLines(p.output[0])
	go h.copyLines(p.output[1])
	return p, nil
}

// copyLines logs an output line by line. Like the agent's thread, it stops at the first line that it cannot log, and
// leaves the pipe open.
func (h hook) copyLines(o *output) {
	defer close(o.done)
	reader := bufio.NewReader(o.pipe)
	for {
		line, err := reader.ReadString('\n')
		if line != "" && (err == nil || errors.Is(err, io.EOF)) {
			if o.err = h.output.write("[" + o.name + "]" + line); o.err != nil {
				return
			}
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

// closingPause is how long Ruby takes to close standard output, because it first wakes the thread that reads it: what
// a script says on standard error just after TERM still reaches the log (measured with Ruby 3.1).
const closingPause = 2 * time.Millisecond

// closeOutput closes first standard output, then standard error, as Open3.popen3 does at the end of its block. No line
// comes after it.
func (p *process) closeOutput() {
	p.output[0].pipe.Close()
	select {
	case <-p.output[1].done:
	case <-time.After(closingPause):
	}
	p.output[1].pipe.Close()
	<-p.output[0].done
	<-p.output[1].done
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
	file, err := os.Open(fileJoin(h.archive, script.Location))
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
