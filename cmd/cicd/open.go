package main

import (
	"context"
	"fmt"
	"os/exec"
	"runtime"

	"github.com/spf13/cobra"
)

func (c cli) openApplication() *cobra.Command {
	var stack string
	cmd := &cobra.Command{
		Use:   "open",
		Short: "Print the application's address, and open it in a browser",
		Long: `Print the address of the stack's application. At a terminal, it also opens in
the browser, where there is one.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, err := c.open(cmd.Context(), stack)
			if err != nil {
				return err
			}
			outputs, err := s.Outputs(cmd.Context())
			if err != nil {
				return err
			}
			url := output(outputs, "appUrl")
			if url == "" {
				return fmt.Errorf("stack %q has no output appUrl: run `cicd up --stack %[1]s`", stack)
			}
			fmt.Fprintln(c.stdout, url)
			if c.interactive {
				c.browse(cmd.Context(), url)
			}
			return nil
		},
	}
	addStackFlag(cmd, &stack)
	return cmd
}

// browse opens an address in the browser. Without one, the address has been printed.
func (c cli) browse(ctx context.Context, url string) {
	opener := "xdg-open"
	if runtime.GOOS == "darwin" {
		opener = "open"
	}
	if err := exec.CommandContext(ctx, opener, url).Run(); err != nil {
		fmt.Fprintf(c.stderr, "No browser was opened: %v\n", err)
	}
}
