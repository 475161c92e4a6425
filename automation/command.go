package automation

import (
	"bytes"
	"context"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"slices"
	"strings"
	"syscall"

	"github.com/blang/semver"
	"github.com/pulumi/pulumi/sdk/v3/go/auto"
)

// skipUpdateCheck stops the engine from checking the network for a newer version on every run.
const skipUpdateCheck = "PULUMI_SKIP_UPDATE_CHECK=true"

// command runs the engine for the Automation API in place of the SDK's auto.PulumiCommand. On an interruption, the
// SDK kills the engine after 10 s, so a resource that takes longer is never recorded and leaves the stack locked. It
// runs one engine at a time.
type command struct {
	engine Engine
	// base is the engine's environment without what a caller adds; nil is this process's.
	base []string

	// begun is closed once the engine handles signals. Nil if the engine changes nothing and may simply be stopped.
	begun <-chan struct{}
	// stderr is the last run's error output. The SDK's errors bury it in other text, and do not unwrap.
	stderr string
}

var _ auto.PulumiCommand = (*command)(nil)

// Version implements auto.PulumiCommand.
func (c *command) Version() semver.Version { return c.engine.Version }

// Run implements auto.PulumiCommand. When ctx is done, it interrupts the engine once and waits, however long, until
// the engine has finished what it began, recorded it and unlocked the stack. It passes on any further SIGINT or
// SIGTERM, on which the engine gives up.
func (c *command) Run(ctx context.Context, workdir string, stdin io.Reader, stdouts, stderrs []io.Writer,
	env []string, args ...string) (stdout, stderr string, code int, err error) {
	if err := ctx.Err(); err != nil {
		return "", "", -1, err
	}
	if strings.HasPrefix(strings.Join(args, " "), "stack history ") {
		// The SDK asks for it after each operation, for a summary that nothing here reads, and accepts an empty one.
		return "[]", "", 0, nil
	}
	var out, errOut bytes.Buffer
	cmd := exec.Command(c.engine.Path, append(args, "--non-interactive")...)
	cmd.Dir = workdir
	cmd.Env = append(append(engineEnvironment(c.base), env...), "PULUMI_AUTOMATION_API=true")
	cmd.Stdin = stdin
	cmd.Stdout = io.MultiWriter(append(stdouts, &out)...)
	cmd.Stderr = io.MultiWriter(append(stderrs, &errOut)...)
	// In its own process group, because a terminal sends Ctrl-C to the whole group: in ours, the engine would get two
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

// engineEnvironment returns the engine's environment: base, or this process's for nil. It has no PULUMI_OPTION_* of the
// user's, which set flags of every command of the engine, also of those that are meant for a person (pulumi,
// pkg/cmd/pulumi, "PULUMI_OPTION"). With a value that a flag does not take, the engine panics.
func engineEnvironment(base []string) []string {
	if base == nil {
		base = os.Environ()
	}
	return append(slices.DeleteFunc(slices.Clone(base), func(variable string) bool {
		return strings.HasPrefix(variable, "PULUMI_OPTION_")
	}), skipUpdateCheck)
}

// windDown interrupts the engine and waits until it ends.
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
		_ = engine.Signal(os.Interrupt) // fails only if the engine has ended
	}
}

// closed is a channel from which a receive never blocks.
var closed = func() <-chan struct{} { c := make(chan struct{}); close(c); return c }()
