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
rest. Its configuration and its history stay. It asks for the stack's name
first; where nobody can be asked, as in CI, it wants --yes.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if !yes && !c.interactive {
				return fmt.Errorf("%w: destroy of stack %q asks for confirmation, and this is no terminal; add --yes", errUsage, flags.stack)
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
			return c.printResult(result, done, flags.json)
		},
	}
	flags.add(cmd)
	cmd.Flags().BoolVar(&yes, "yes", false, "do not ask")
	return cmd
}

// confirm returns nil when the person at the terminal types the stack's name.
func (c cli) confirm(ctx context.Context, stack string) error {
	fmt.Fprintf(c.stderr, "This deletes every resource of stack %q. Type the stack's name to go on: ", stack)
	answer := make(chan string, 1)
	go func() { // reading cannot be called off, and Ctrl-C must work
		line, _ := bufio.NewReader(c.stdin).ReadString('\n') // at an end of input there is no answer, which is no
		answer <- strings.TrimSpace(line)
	}()
	select {
	case typed := <-answer:
		if typed != stack {
			return fmt.Errorf("stack %q stays as it is: what was typed is %q", stack, typed)
		}
		return nil
	case <-ctx.Done():
		fmt.Fprintln(c.stderr)
		return fmt.Errorf("stack %q stays as it is: %w", stack, ctx.Err())
	}
}
