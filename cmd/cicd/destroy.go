package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"cicd/automation"
	"cicd/operations"
)

func (c cli) destroy() *cobra.Command {
	var flags stackFlags
	var yes bool
	cmd := &cobra.Command{
		Use:   "destroy",
		Short: "Delete every resource of the stack",
		Long: `Delete every resource of the stack: the host, the images, the pipeline and the
rest. Once they are gone, it deletes the stack's secrets, all parameters
/<project>/<stack>/NAME. Its configuration and history stay. It asks for the
stack's name first; without a terminal, as in CI, it needs --yes.

It ends with a receipt: what is left in AWS, found by the stack's tags and by
names, what each thing costs, and the command that deletes it.`,
		Example: `  cicd destroy --stack dev
  cicd destroy --stack dev --yes --json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if !yes && !c.interactive {
				return fmt.Errorf("%w: destroying stack %q needs confirmation, but there is no terminal: add --yes", errUsage, flags.stack)
			}
			of, err := c.secretsOf(flags.stack)
			if err != nil {
				return err
			}
			stack, err := c.open(cmd.Context(), flags.stack)
			if err != nil {
				return err
			}
			if !yes {
				if err := c.confirm(cmd.Context(), flags.stack); err != nil {
					return err
				}
			}
			return c.tearDown(cmd.Context(), stack, of, flags.json)
		},
	}
	flags.add(cmd)
	cmd.Flags().BoolVar(&yes, "yes", false, "do not ask for confirmation")
	return cmd
}

// tearDown deletes a stack and its secrets, and prints what is left.
func (c cli) tearDown(ctx context.Context, stack *automation.Stack, of secretsOf, asJSON bool) error {
	had, err := stack.Identifiers(ctx)
	if err != nil {
		return err
	}
	result, err := stack.Destroy(ctx)
	if err != nil {
		return err
	}
	deleted, left := of.removeAll(ctx)
	sweep := c.sweep(ctx, of.where, had)
	return errors.Join(c.printDestroyed(result, deleted, sweep, asJSON), c.explainLeft(of, left))
}

// removeAll deletes all that the stack has in Parameter Store, and returns how many parameters it deleted.
func (of secretsOf) removeAll(ctx context.Context) (deleted int, err error) {
	store, err := of.store(ctx)
	if err != nil {
		return 0, err
	}
	return store.RemoveAll(ctx)
}

// printDestroyed prints what was destroyed.
func (c cli) printDestroyed(result automation.Result, parameters int, sweep operations.Sweep, asJSON bool) error {
	if asJSON {
		return printJSON(c.stdout, destroyAnswer{result, parameters, sweep})
	}
	err := c.printResult(result, false)
	if parameters > 0 {
		fmt.Fprintf(c.stdout, "Deleted its secrets: %d parameters.\n", parameters)
	}
	c.printReceipt(result.Stack, sweep)
	return err
}

// explainLeft returns an error that says what to do about parameters that could not be deleted. For a stack that has
// no secrets of its own, as far as its configuration says, that is a warning: who destroys it may have no access to
// Parameter Store.
func (c cli) explainLeft(of secretsOf, err error) error {
	if err == nil {
		return nil
	}
	path := "/" + of.where.Project + "/" + of.where.Name
	if len(of.ownNames()) == 0 && !errors.Is(err, context.Canceled) {
		fmt.Fprintf(c.stderr, "warning: parameters may be left under %s: %v\n", path, err)
		return nil
	}
	return fmt.Errorf("stack %q is destroyed, but secrets may be left under %s: %w\n"+
		"Then run this again: cicd destroy --stack %[1]s", of.stack, path, err)
}

// confirm returns nil if the person at the terminal types the stack's name.
func (c cli) confirm(ctx context.Context, stack string) error {
	fmt.Fprintf(c.stderr, "This deletes every resource of stack %q, and its secrets. "+
		"Type the stack's name to continue: ", stack)
	typed, err := c.answer(ctx)
	if err != nil || typed != stack {
		return unchanged(fmt.Sprintf("stack %q", stack), typed, err)
	}
	return nil
}

// agreed returns nil if the person at the terminal types yes.
func (c cli) agreed(ctx context.Context, verb, thing string) error {
	fmt.Fprintf(c.stderr, "Type yes to %s: ", verb)
	if typed, err := c.answer(ctx); err != nil || typed != "yes" {
		return unchanged(thing, typed, err)
	}
	return nil
}

// answer reads a line that a person types. The end of input is an empty one.
func (c cli) answer(ctx context.Context) (string, error) {
	line, err := await(ctx, func() (string, error) {
		line, _ := bufio.NewReader(c.stdin).ReadString('\n')
		return strings.TrimSpace(line), nil
	})
	if err != nil {
		fmt.Fprintln(c.stderr)
	}
	return line, err
}

// unchanged is the error for what a person did not confirm.
func unchanged(thing, typed string, err error) error {
	if err != nil {
		return fmt.Errorf("%s is unchanged: %w", thing, err)
	}
	return fmt.Errorf("%s is unchanged: you typed %q", thing, typed)
}
