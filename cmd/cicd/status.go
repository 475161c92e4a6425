package main

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"cicd/operations"
)

func (c cli) status() *cobra.Command {
	var flags stackFlags
	cmd := &cobra.Command{
		Use:   "status",
		Short: "Show which commit a stack serves, and what its pipeline does",
		Example: `  cicd status --stack prod
  cicd status --json | jq -r .serving.commit`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return c.showStatus(cmd.Context(), flags) },
	}
	flags.add(cmd)
	return cmd
}

// statusRuns is how many runs are looked at for one that was deployed.
const statusRuns = 20

func (c cli) showStatus(ctx context.Context, flags stackFlags) error {
	pipeline, err := c.pipeline(ctx, flags.stack)
	if err != nil {
		return err
	}
	runs, err := pipeline.Releases(ctx, statusRuns)
	if err != nil {
		return err
	}
	serving := operations.Serving(runs)
	var latest *operations.Run
	if len(runs) > 0 {
		latest = &runs[0]
	}
	if flags.json {
		return printJSON(c.stdout, struct {
			Stack    string          `json:"stack"`
			Pipeline string          `json:"pipeline"`
			Serving  *operations.Run `json:"serving"`
			Latest   *operations.Run `json:"latest"`
		}{flags.stack, pipeline.Name(), serving, latest})
	}
	if serving == nil {
		fmt.Fprintf(c.stdout, "Stack %s serves nothing: none of its last %d releases was deployed.\n", flags.stack, len(runs))
	} else {
		fmt.Fprintf(c.stdout, "Stack %s serves %s, for %s.\n", flags.stack, named(*serving, 40), operations.Took(serving.Stages[len(serving.Stages)-1].Ended, time.Time{}))
	}
	if latest == nil {
		return nil
	}
	fmt.Fprintf(c.stdout, "\nThe last run of pipeline %s, of %s:\n", pipeline.Name(), named(*latest, 30))
	c.printStages(latest.Stages)
	if i := slices.IndexFunc(runs, waits); i >= 0 {
		fmt.Fprintf(c.stderr, "\n%s waits for an approval:\n%s\n", named(runs[i], 40), approveHint(flags.stack))
	}
	if latest.Failed() != nil {
		fmt.Fprintf(c.stderr, "\nWhy it failed: cicd why --stack %s\n", flags.stack)
	}
	return nil
}

// waits reports whether a run waits for an approval.
func waits(run operations.Run) bool { return slices.ContainsFunc(run.Stages, operations.Stage.Waits) }
