package main

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"cicd/operations"
	"cicd/rehearsal/console"
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
			now, err := look(cmd.Context(), pipeline)
			if err != nil {
				return err
			}
			return c.printStatus(pipeline, flags, now)
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

// situation is what the status is about.
type situation struct {
	Runs  []operations.Run // the newest first
	State operations.PipelineState
}

func look(ctx context.Context, pipeline *operations.Pipeline) (now situation, err error) {
	if now.State, err = pipeline.State(ctx); err != nil {
		return now, err
	}
	now.Runs, err = pipeline.Releases(ctx, statusRuns)
	return now, err
}

// watchStatus prints the status whenever it changes. Once it has been seen, a lost network only interrupts.
func (c cli) watchStatus(ctx context.Context, pipeline *operations.Pipeline, flags stackFlags) error {
	last, seen := "", false
	for {
		looked, err := look(ctx, pipeline)
		now := fmt.Sprint(err)
		if err == nil {
			text, _ := json.Marshal(looked) // strings and times always marshal
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
			if err := c.printStatus(pipeline, flags, looked); err != nil {
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
func (c cli) printStatus(pipeline *operations.Pipeline, flags stackFlags, now situation) error {
	serving, parked := operations.Serving(now.Runs), now.State.Parked()
	var latest *operations.Run
	if len(now.Runs) > 0 {
		latest = &now.Runs[0]
	}
	if flags.json {
		return printJSON(c.stdout, statusAnswer{flags.stack, pipeline.Name(), parked, serving, latest})
	}
	switch {
	case parked != nil:
		fmt.Fprintf(c.stdout, "Stack %s has been parked for %s, and serves nothing meanwhile.\n", flags.stack, operations.Took(parked.Since, time.Time{}))
	case serving == nil:
		fmt.Fprintf(c.stdout, "Stack %s serves nothing: none of its last %d releases was deployed.\n", flags.stack, len(now.Runs))
	default:
		fmt.Fprintf(c.stdout, "Stack %s serves %s, for %s.\n", flags.stack, named(*serving, 40), operations.Took(serving.Stages[len(serving.Stages)-1].Ended, time.Time{}))
	}
	if latest != nil {
		fmt.Fprintf(c.stdout, "\nThe last run of pipeline %s, of %s:\n", pipeline.Name(), named(*latest, 30))
		c.printStages(latest.Stages)
	}
	c.hint(pipeline, flags.stack, now)
	return nil
}

// hint says what a person could do.
func (c cli) hint(pipeline *operations.Pipeline, stack string, now situation) {
	for _, transition := range now.State.Disabled {
		if transition.Parks() {
			fmt.Fprintf(c.stderr, "\nA release waits until the stack is unparked:\n%s\n", unparkHint(stack))
		} else {
			fmt.Fprintf(c.stderr, "\n%s\n%s\n", disabledText(transition), pipeline.EnableCommand(transition.Stage))
		}
	}
	if i := slices.IndexFunc(now.Runs, waits); i >= 0 {
		fmt.Fprintf(c.stderr, "\n%s waits for an approval:\n%s\n", named(now.Runs[i], 40), approveHint(stack))
	}
	if len(now.Runs) > 0 && now.Runs[0].Failed() != nil {
		fmt.Fprintf(c.stderr, "\nWhy it failed: cicd why --stack %s\n", stack)
	}
}

// disabledText says that a transition is disabled.
func disabledText(transition operations.Transition) string {
	text := fmt.Sprintf("The transition into stage %s has been disabled for %s: %s", transition.Stage, operations.Took(transition.Since, time.Time{}), transition.Reason)
	return strings.Join(console.Wrap(text, console.Width), "\n")
}

// waits reports whether a run waits for an approval.
func waits(run operations.Run) bool { return slices.ContainsFunc(run.Stages, operations.Stage.Waits) }
