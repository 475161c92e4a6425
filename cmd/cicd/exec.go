package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"cicd/operations"
)

func (c cli) exec() *cobra.Command {
	var stack, process string
	cmd := &cobra.Command{
		Use:   "exec [-- COMMAND [ARG...]]",
		Short: "Run a command, or a shell, in the container that serves",
		Long: `Run a command in the container that serves, or in that of another process of
the stack, beside what runs there: with its environment, secrets and volumes.
Without a command, it runs a shell, sh. It goes through Session Manager, which
needs no open port, and its plugin: session-manager-plugin on PATH.

At a terminal, the command has it, Ctrl-C included, and Session Manager does
not pass its exit code on. Without one, as in CI or with redirected output,
the exit code is the command's, both its output and its errors go to standard
output, and it reads nothing.`,
		Example: `  cicd exec --stack prod
  cicd exec --process worker -- env
  cicd exec --stack prod -- /webapp healthcheck | tee check.txt`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 && cmd.ArgsLenAtDash() != 0 {
				return fmt.Errorf("%w: put -- before the command, so that its flags are not taken for cicd's", errUsage)
			}
			return c.execute(cmd.Context(), stack, operations.ContainerCommand{Process: process, Words: args})
		},
	}
	addStackFlag(cmd, &stack)
	cmd.Flags().StringVar(&process, "process", operations.Web, "`name` of the process whose container it is")
	return cmd
}

// execute runs a command in a container. Without a terminal, an exit code other than 0 is an [exitStatus].
func (c cli) execute(ctx context.Context, stack string, command operations.ContainerCommand) error {
	terminal := c.tty()
	command.Terminal = terminal != nil
	if len(command.Words) == 0 {
		if terminal == nil {
			return fmt.Errorf("%w: a shell needs a terminal for input, output and errors, and there is none: add -- and a command", errUsage)
		}
		command.Words = []string{"sh"}
	}
	of, _, err := c.stackOf(stack)
	if err != nil {
		return err
	}
	plugin, err := findPlugin(ctx)
	if err != nil {
		return err
	}
	session, err := of.StartSession(ctx, command)
	if err != nil {
		return err
	}
	code := 0
	if terminal != nil {
		err = terminal.attach(plugin, session)
	} else {
		code, err = c.capture(ctx, plugin, session)
	}
	switch {
	case err != nil: // whatever happened, nothing goes on at the other end
		return errors.Join(err, session.Terminate(ctx))
	case code != 0:
		return exitStatus(code)
	}
	return nil
}

// tty is a person's terminal: standard input, output and error.
type tty struct{ stdin, stdout, stderr *os.File }

// tty returns the person's terminal, nil if one of the three streams is something else.
func (c cli) tty() *tty {
	var files [3]*os.File
	for i, stream := range []any{c.stdin, c.stdout, c.stderr} {
		if p, ok := stream.(pipe); ok {
			stream = p.Writer
		}
		file, ok := stream.(*os.File)
		if !ok || !term.IsTerminal(int(file.Fd())) {
			return nil
		}
		files[i] = file
	}
	return &tty{files[0], files[1], files[2]}
}
