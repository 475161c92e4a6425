package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"cicd/dashboard"
)

func (c cli) dashboard() *cobra.Command {
	var stack string
	port := 0
	cmd := &cobra.Command{
		Use:   "dashboard",
		Short: "Show a stack on a page in the browser, live",
		Long: `Show a stack on a page in the browser, until Ctrl-C: the pipeline and its logs
as they come, why a release failed, the last releases, and buttons to release,
approve, reject and go back, which ask first.

The page is for this machine alone. Who has its address may do what your AWS
credentials may, so do not pass it on: it has a token.`,
		Example: `  cicd dashboard --stack prod`,
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if port < 0 || port > 65535 {
				return fmt.Errorf("--port %d: want a port, up to 65535, or 0 for any: %w", port, errUsage)
			}
			return c.serveDashboard(cmd.Context(), stack, port)
		},
	}
	addStackFlag(cmd, &stack)
	cmd.Flags().IntVar(&port, "port", port, "`port` of the page on 127.0.0.1 (default any free)")
	return cmd
}

func (c cli) serveDashboard(ctx context.Context, stack string, port int) error {
	pipeline, err := c.pipeline(ctx, stack)
	if err != nil {
		return err
	}
	if _, err := pipeline.State(ctx); err != nil { // better told here than on a page
		return err
	}
	server, err := dashboard.Listen(stack, pipeline, port)
	if err != nil {
		return err
	}
	fmt.Fprintf(c.stdout, "%s\n", server.URL())
	fmt.Fprintln(c.stderr, "Open this address in a browser. Ctrl-C ends the page.")
	if err := server.Serve(ctx); err != nil {
		return err
	}
	return ctx.Err()
}
