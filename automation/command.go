package automation

import (
	"bytes"
	"context"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"

	"github.com/blang/semver"
	"github.com/pulumi/pulumi/sdk/v3/go/auto"
)

// skipUpdateCheck keeps the engine from asking the network whether there is a newer one, on each of its runs.
const skipUpdateCheck = "PULUMI_SKIP_UPDATE_CHECK=true"

// command runs the engine for the Automation API, in place of the SDK's own auto.PulumiCommand, which differs in what an
// interruption does: it kills the engine 10 s after it, so that a resource which takes longer leaves the stack locked and
// the resource unrecorded. It runs one engine at a time.
type command struct {
	engine Engine

	// begun is closed once the engine handles signals. Nil where the engine changes nothing and may just be stopped.
	begun <-chan struct{}
	// stderr is what the last run had to say. The SDK's errors hold it among much else, and do not unwrap.
	stderr string
}

var _ auto.PulumiCommand = (*command)(nil)

// Version implements auto.PulumiCommand.
func (c *command) Version() semver.Version { return c.engine.Version }

// Run implements auto.PulumiCommand. When ctx is done it interrupts the engine once, and then waits, however long, while
// the engine ends what it has begun, records it and unlocks the stack. A further SIGINT or SIGTERM is passed on: it
// makes the engine abandon that.
func (c *command) Run(ctx context.Context, workdir string, stdin io.Reader, stdouts, stderrs []io.Writer,
	env []string, args ...string) (stdout, stderr string, code int, err error) {
	if err := ctx.Err(); err != nil {
		return "", "", -1, err
	}
	if strings.HasPrefix(strings.Join(args, " "), "stack history ") {
		// The SDK asks for it after each operation, for a summary that nothing here reads, and takes an empty one.
		return "[]", "", 0, nil
	}
	var out, errOut bytes.Buffer
	cmd := exec.Command(c.engine.Path, append(args, "--non-interactive")...)
	cmd.Dir = workdir
	cmd.Env = append(append(os.Environ(), env...), skipUpdateCheck, "PULUMI_AUTOMATION_API=true")
	cmd.Stdin = stdin
	cmd.Stdout = io.MultiWriter(append(stdouts, &out)...)
	cmd.Stderr = io.MultiWriter(append(stderrs, &errOut)...)
	// In a process group of its own, for a terminal sends Ctrl-C to the whole group: with ours the engine would get two
	// signals, and the second means "abandon everything".
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}

	if err := cmd.Start(); err != nil {
		return "", "", -1, err
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	select {
	case err = <-ended:
	case <-ctx.Done():
		err = c.windDown(cmd.Process, ended)
	}
	c.stderr = strings.TrimSpace(errOut.String())
	return out.String(), errOut.String(), cmd.ProcessState.ExitCode(), err
}

// windDown interrupts the engine and waits for its end.
func (c *command) windDown(engine *os.Process, ended <-chan error) error {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	defer signal.Stop(signals)

	begun := c.begun
	if begun == nil {
		begun = closed
	}
	for {
		select {
		case err := <-ended:
			return err
		case <-begun:
			begun = nil
		case <-signals:
		}
		_ = engine.Signal(os.Interrupt) // its only error is that the engine has ended
	}
}

// closed is a channel that always receives.
var closed = func() <-chan struct{} { c := make(chan struct{}); close(c); return c }()
