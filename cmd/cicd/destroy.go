package main

import (
	"bufio"
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
)

func (c cli) destroy() *cobra.Command {
	var flags stackFlags
	var yes bool
	cmd := &cobra.Command{
		Use:   "destroy",
		Short: "Delete every resource of the stack",
		Long: `Delete every resource of the stack: the host, the images, the pipeline and the
rest. Its configuration and history stay. It asks for the stack's name first;
without a terminal, as in CI, it needs --yes.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if !yes && !c.interactive {
				return fmt.Errorf("%w: destroying stack %q needs confirmation, but there is no terminal: add --yes", errUsage, flags.stack)
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
			result, err := stack.Destroy(cmd.Context())
			if err != nil {
				return err
			}
			return c.printResult(result, flags.json)
		},
	}
	flags.add(cmd)
	cmd.Flags().BoolVar(&yes, "yes", false, "do not ask for confirmation")
	return cmd
}

// confirm returns nil if the person at the terminal types the stack's name.
func (c cli) confirm(ctx context.Context, stack string) error {
	fmt.Fprintf(c.stderr, "This deletes every resource of stack %q. Type the stack's name to continue: ", stack)
	answer := make(chan string, 1)
	go func() { // a read cannot be canceled, and Ctrl-C must work
		line, _ := bufio.NewReader(c.stdin).ReadString('\n') // end of input means no
		answer <- strings.TrimSpace(line)
	}()
	select {
	case typed := <-answer:
		if typed != stack {
			return fmt.Errorf("stack %q is unchanged: you typed %q", stack, typed)
		}
		return nil
	case <-ctx.Done():
		fmt.Fprintln(c.stderr)
		return fmt.Errorf("stack %q is unchanged: %w", stack, ctx.Err())
	}
}
