// Command cicd brings the project's stacks up and down, and rehearses them on this machine.
//
// Answers go to standard output, as text or with --json as JSON; progress and errors go to standard error. Its exit
// codes are the constants below.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/spf13/cobra"
	"golang.org/x/term"

	"cicd/automation"
	"cicd/infra"
	awscli "cicd/rehearsal/aws/cli"
	"cicd/rehearsal/aws/sessionmanager/plugin"
	"cicd/rehearsal/console"
)

// The exit codes, but for exec, which without a terminal has its command's. CI depends on them.
const (
	exitOK          = 0
	exitFailure     = 1
	exitUsage       = 2   // wrong command line; nothing was done
	exitLocked      = 3   // another update of the stack is running: the same command may succeed later
	exitDrift       = 4   // a stack is not as it is declared and released
	exitInterrupted = 130 // see interruptible; a running operation was ended cleanly
)

func main() { os.Exit(start(cli{program: infra.Program, check: infra.CheckConfig, careful: true})) }

// program returns the program that declares a stack whose configuration has these keys.
type program func(configured []string) pulumi.RunFunc

// configCheck returns everything that a program would reject in a stack's configuration. The values of encrypted keys are
// unknown to it.
type configCheck func(project, stack string, config map[string]string, encrypted []string) error

// start runs the command line of this process, with what c has of the stack, and returns its exit code.
func start(c cli) int {
	switch filepath.Base(os.Args[0]) {
	case "aws": // the name under which a rehearsal puts it on the PATH of scripts
		return awscli.Main(os.Args[1:], os.Stdout, os.Stderr)
	case plugin.Name: // that of people
		return plugin.Main(os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
	}
	ctx, stdout, stderr, stop := interruptible()
	defer stop()
	c.stdin, c.stdout, c.stderr = os.Stdin, stdout, stderr
	c.interactive, c.shown = term.IsTerminal(int(os.Stdin.Fd())), term.IsTerminal(int(os.Stdout.Fd()))
	c.internet = internet(os.Getenv("AWS_ENDPOINT_URL"))
	return c.run(ctx, os.Args[1:])
}

// cli is what the commands need from outside.
type cli struct {
	program        program
	check          configCheck
	careful        bool // up begins with doctor, which knows what infra.Program needs
	stdin          io.Reader
	interactive    bool         // stdin is a terminal, so a person can be asked
	shown          bool         // stdout is a terminal, so a person sees marks there
	internet       *http.Client // reaches applications; nil if their addresses are not on the internet, as in a rehearsal
	stdout, stderr io.Writer
}

// errUsage marks usage errors that only the command itself can detect.
var errUsage = errors.New("wrong usage")

// root is the command line.
func (c cli) root() *cobra.Command {
	root := &cobra.Command{
		Use:           "cicd",
		Short:         "From git push to a live URL: the stacks of this project, and their rehearsal",
		Long:          help,
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	root.Version = version()
	group(root, "A stack:", c.init(), c.doctor(), c.preview(), c.up(), c.outputs(), c.openApplication(), c.exec(), c.park(), c.unpark(), c.drift(), c.destroy())
	group(root, "Its releases:", c.status(), c.releases(), c.release(), c.rollback(), c.approve(), c.reject(), c.why(), c.logs(), c.dashboard(), c.secrets())
	group(root, "Without AWS:", c.rehearse(), c.engine())
	group(root, "Help:", c.manual(), c.version())
	root.SetHelpCommandGroupID("Help:")
	root.SetCompletionCommandGroupID("Help:")
	root.SetIn(c.stdin)
	root.SetOut(c.stdout)
	root.SetErr(c.stderr)
	return root
}

// run executes one command line and returns its exit code.
func (c cli) run(ctx context.Context, args []string) int {
	root := c.root()
	root.SetArgs(args)
	begun := false // cobra's own errors, all about usage, come before it runs the command
	root.PersistentPreRun = func(*cobra.Command, []string) { begun = true }
	command, err := root.ExecuteContextC(ctx)
	var ended exitStatus
	switch {
	case err == nil:
		return exitOK
	case errors.As(err, &ended):
		return int(ended)
	}
	fmt.Fprintf(c.stderr, "cicd: %s\n", console.Plain(err.Error())) // it may quote what a build printed
	switch {
	case !begun || errors.Is(err, errUsage):
		fmt.Fprintf(c.stderr, "For usage: %s --help\n", command.CommandPath())
		return exitUsage
	case ctx.Err() != nil && errors.Is(err, ctx.Err()):
		return exitInterrupted
	case errors.Is(err, automation.ErrLocked):
		return exitLocked
	case errors.Is(err, errDrift):
		return exitDrift
	default:
		return exitFailure
	}
}

// group adds commands under a heading of their own.
func group(root *cobra.Command, title string, commands ...*cobra.Command) {
	root.AddGroup(&cobra.Group{ID: title, Title: title})
	for _, command := range commands {
		command.GroupID = title
	}
	root.AddCommand(commands...)
}

const help = `Cicd creates, updates and destroys the stacks of this project in AWS, and
rehearses them on this machine, which needs only Docker and Git.

It uses the pulumi on PATH if that is 3.200 or newer, and builds one otherwise.
Pulumi's backend has the state: set PULUMI_BACKEND_URL, or run "pulumi login".

Exit codes: 0 done, 1 failed, 2 wrong usage, 3 stack locked by another update,
4 drift found, 130 interrupted; exec without a terminal has its command's.
Ctrl-C ends a running operation and unlocks the stack; so do SIGTERM, a closed
terminal, and a closed pipe ("cicd up | head").`
