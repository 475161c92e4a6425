package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"cicd/operations"
)

func (c cli) why() *cobra.Command {
	var flags stackFlags
	cmd := &cobra.Command{
		Use:   "why [EXECUTION]",
		Short: "Say why a release failed, and what to do",
		Long: `Say why a release failed: the stage, then the phase of the build, or the host,
lifecycle event and script of the deployment, the last lines of its output, and
what to do. Without EXECUTION, it is about the last release that failed.`,
		Example: `  cicd why --stack prod
  cicd why 3137f7cb-7cf7-039j-s83l-d7eu3EXAMPLE`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error { return c.explainRelease(cmd.Context(), flags, args) },
	}
	flags.add(cmd)
	return cmd
}

func (c cli) explainRelease(ctx context.Context, flags stackFlags, args []string) error {
	pipeline, err := c.pipeline(ctx, flags.stack)
	if err != nil {
		return err
	}
	run, err := failedRun(ctx, pipeline, args)
	if err != nil {
		return err
	}
	if run == nil {
		fmt.Fprintf(c.stderr, "None of the last %d releases of stack %s failed.\n", statusRuns, flags.stack)
		return nil
	}
	cause, err := pipeline.Why(ctx, *run)
	if err != nil {
		return err
	}
	if cause == nil {
		return fmt.Errorf("release %s has not failed: its status is %s", run.ID, run.Status)
	}
	if flags.json {
		return printJSON(c.stdout, cause)
	}
	c.printCause(cause)
	return nil
}

// failedRun returns the run that the arguments name, or the last that failed; nil if none has.
func failedRun(ctx context.Context, pipeline *operations.Pipeline, args []string) (*operations.Run, error) {
	if len(args) == 1 {
		run, err := pipeline.Release(ctx, args[0])
		return &run, err
	}
	runs, err := pipeline.Releases(ctx, statusRuns)
	for i := range runs {
		if runs[i].Failed() != nil {
			return &runs[i], err
		}
	}
	return nil, err
}
