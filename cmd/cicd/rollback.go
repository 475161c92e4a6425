package main

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"cicd/operations"
)

func (c cli) rollback() *cobra.Command {
	var flags stackFlags
	var yes, detach bool
	cmd := &cobra.Command{
		Use:   "rollback [COMMIT]",
		Short: "Go back to an earlier release, and wait until it serves",
		Long: `Release the commit again that served before the present one, or COMMIT, by its
first digits, if it was deployed. It says what it goes back to, and asks;
without a terminal, as in CI, it needs --yes.

It is a release like others, through the whole pipeline, with the stack's
settings and secrets as they are now. Nothing is built as long as ECR has the
image. What release commands did to a database is not undone. The next push
releases the branch's newest commit again.`,
		Example: `  cicd rollback --stack prod
  cicd rollback 4f2a1c9 --stack prod --yes`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			commit := ""
			if len(args) == 1 {
				if commit = args[0]; len(commit) < leastDigits {
					return fmt.Errorf("%q is too short for a commit: want at least its first %d digits: %w", commit, leastDigits, errUsage)
				}
			}
			if !yes && !c.interactive {
				return fmt.Errorf("%w: a rollback needs confirmation, but there is no terminal: add --yes", errUsage)
			}
			return c.goBack(cmd.Context(), flags, commit, yes, detach)
		},
	}
	flags.add(cmd)
	cmd.ValidArgsFunction = c.completeCommits(&flags.stack, true, leastDigits)
	cmd.Flags().BoolVar(&yes, "yes", false, "do not ask for confirmation")
	cmd.Flags().BoolVar(&detach, "detach", false, "do not wait for the end")
	return cmd
}

// leastDigits is how much of a commit's ID has to be named: what the commands here print of it.
const leastDigits = 7

// rollbackRuns is how many runs are looked at for an earlier release.
const rollbackRuns = 100

func (c cli) goBack(ctx context.Context, flags stackFlags, commit string, yes, detach bool) error {
	pipeline, err := c.pipeline(ctx, flags.stack)
	if err != nil {
		return err
	}
	runs, err := pipeline.Releases(ctx, rollbackRuns)
	if err != nil {
		return err
	}
	target := operations.Earlier(runs, commit)
	if target == nil {
		which := "no commit other than the one that serves"
		if commit != "" {
			which = fmt.Sprintf("no commit %s other than the one that serves", commit)
		}
		return fmt.Errorf("%s was deployed among the last %d releases of stack %q: nothing is changed\n"+
			"`cicd releases --stack %[3]s` lists them; `cicd release COMMIT --stack %[3]s` takes any commit of the branch", which, len(runs), flags.stack)
	}
	if err := c.tellRollback(ctx, pipeline, flags.stack, *operations.Serving(runs), *target); err != nil {
		return err
	}
	if !yes {
		if err := c.agreed(ctx, "go back", fmt.Sprintf("stack %q", flags.stack)); err != nil {
			return err
		}
	}
	return c.begin(ctx, pipeline, target.Commit, flags, detach)
}

// tellRollback says what a rollback does, and what not.
func (c cli) tellRollback(ctx context.Context, pipeline *operations.Pipeline, stack string, from, to operations.Run) error {
	fmt.Fprintf(c.stderr, "Stack %s serves %s.\nIt goes back to %s, released %s ago.\n", stack, named(from, 40), named(to, 40), operations.Took(to.Started, time.Time{}))
	kept, err := pipeline.HasImage(ctx, to.Commit)
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case err != nil:
		fmt.Fprintf(c.stderr, "Whether ECR still has its image is unknown; without, it is built again first: %v\n", err)
	case !kept:
		fmt.Fprintf(c.stderr, "ECR has no image of that commit any more, so it is built again first.\n")
	}
	fmt.Fprintf(c.stderr, "What release commands did to a database since then is not undone.\n")
	return nil
}
