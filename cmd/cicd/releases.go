package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"cicd/operations"
	"cicd/rehearsal/console"
)

func (c cli) releases() *cobra.Command {
	var flags stackFlags
	limit := 10
	cmd := &cobra.Command{
		Use:   "releases",
		Short: "List the last releases of a stack, and how well releasing goes",
		Long: `List the last releases of a stack, the newest first: when each began, its
commit, how it ended, how long it took, and the commit's subject. Below are the
four metrics of software delivery over them.`,
		Example: `  cicd releases --stack prod --limit 30
  cicd releases --json | jq '.releases[] | select(.status == "Failed") | .id'`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if limit < 1 {
				return fmt.Errorf("--limit %d: want at least 1: %w", limit, errUsage)
			}
			return c.listReleases(cmd.Context(), flags, limit)
		},
	}
	flags.add(cmd)
	cmd.Flags().IntVar(&limit, "limit", limit, "show at most `n` releases")
	return cmd
}

func (c cli) listReleases(ctx context.Context, flags stackFlags, limit int) error {
	pipeline, err := c.pipeline(ctx, flags.stack)
	if err != nil {
		return err
	}
	runs, err := pipeline.Releases(ctx, limit)
	if err != nil {
		return err
	}
	metrics := operations.Measure(runs)
	if flags.json {
		return printJSON(c.stdout, releasesAnswer{runs, metrics})
	}
	fmt.Fprintf(c.stdout, "%-16s  %-7s  %-10s  %8s  %s\n", "STARTED (UTC)", "COMMIT", "STATUS", "TOOK", "SUBJECT")
	for _, run := range runs {
		fmt.Fprintf(c.stdout, "%-16s  %-7s  %-10s  %8s  %s\n", run.Started.Format("2006-01-02 15:04"), operations.Short(run.Commit), run.Status, operations.Took(run.Started, run.Ended), console.Cut(run.Subject, 29))
	}
	c.printMetrics(metrics)
	return nil
}

func (c cli) printMetrics(m operations.Metrics) {
	ended := m.Deployed + m.Failed
	if ended == 0 {
		return
	}
	fmt.Fprintf(c.stdout, "\n%d deployed in %s, %s from start to end (median); %d%% of %d failed", m.Deployed, operations.Roughly(m.Span), operations.Roughly(m.Lead), 100*m.Failed/ended, ended)
	if m.Restore > 0 {
		fmt.Fprintf(c.stdout, ",\nand the next success came %s later (median)", operations.Roughly(m.Restore))
	}
	fmt.Fprintln(c.stdout, ".")
}
