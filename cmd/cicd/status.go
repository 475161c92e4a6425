package main

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"cicd/operations"
)

func (c cli) status() *cobra.Command {
	var flags stackFlags
	watch := false
	cmd := &cobra.Command{
		Use:   "status",
		Short: "Show which commit a stack serves, and what its pipeline does",
		Example: `  cicd status --stack prod
  cicd status --json | jq -r .serving.commit
  cicd status --watch`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			pipeline, err := c.pipeline(cmd.Context(), flags.stack)
			if err != nil {
				return err
			}
			if watch {
				return c.watchStatus(cmd.Context(), pipeline, flags)
			}
			runs, err := pipeline.Releases(cmd.Context(), statusRuns)
			if err != nil {
				return err
			}
			return c.printStatus(pipeline, flags, runs)
		},
	}
	flags.add(cmd)
	cmd.Flags().BoolVarP(&watch, "watch", "w", false, "print it again whenever it changes, until Ctrl-C")
	return cmd
}

const (
	// statusRuns is how many runs are looked at for one that was deployed.
	statusRuns = 20
	// watchPoll is the time between two looks.
	watchPoll = 2 * time.Second
)

// watchStatus prints the status whenever it changes. Once it has been seen, a lost network only interrupts.
func (c cli) watchStatus(ctx context.Context, pipeline *operations.Pipeline, flags stackFlags) error {
	last, seen := "", false
	for {
		runs, err := pipeline.Releases(ctx, statusRuns)
		now := fmt.Sprint(err)
		if err == nil {
			text, _ := json.Marshal(runs) // strings and times always marshal
			now = string(text)
		}
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err != nil && !seen:
			return err
		case now == last:
		case err != nil:
			fmt.Fprintf(c.stderr, "%v\nTrying again ...\n", err)
		default:
			if seen && !flags.json {
				fmt.Fprintln(c.stdout)
			}
			seen = true
			if err := c.printStatus(pipeline, flags, runs); err != nil {
				return err
			}
		}
		last = now
		if err := pause(ctx, watchPoll); err != nil {
			return err
		}
	}
}

// printStatus prints what serves, and the newest of the runs.
func (c cli) printStatus(pipeline *operations.Pipeline, flags stackFlags, runs []operations.Run) error {
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
