package main

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	"cicd/automation"
	"cicd/operations"
)

// complete offers values for a flag to the shell, instead of the names of files.
func complete(cmd *cobra.Command, flag string, values func() []string) {
	err := cmd.RegisterFlagCompletionFunc(flag, func(*cobra.Command, []string, string) ([]cobra.Completion, cobra.ShellCompDirective) {
		return values(), cobra.ShellCompDirectiveNoFileComp
	})
	if err != nil { // there is no such flag
		panic(err)
	}
}

// completeStacks offers the stacks of the project around the current folder for --stack.
func completeStacks(cmd *cobra.Command) {
	complete(cmd, "stack", func() []string {
		dir, err := projectDir()
		if err != nil {
			return nil
		}
		stacks, _ := automation.Stacks(dir)
		return stacks
	})
}

// completeCommits offers the commits of the stack's last releases for COMMIT, with their subjects: those that were deployed, or
// all of them, and as much of their IDs as the command takes.
func (c cli) completeCommits(stack *string, deployed bool, digits int) cobra.CompletionFunc {
	const patience = 3 * time.Second // of a person who has pressed a key
	return func(cmd *cobra.Command, args []string, _ string) (commits []cobra.Completion, _ cobra.ShellCompDirective) {
		ctx, cancel := context.WithTimeout(cmd.Context(), patience)
		defer cancel()
		runs := c.lastRuns(ctx, *stack)
		if len(args) > 0 {
			runs = nil
		}
		offered := map[string]bool{}
		for _, run := range runs {
			if len(run.Commit) < digits || deployed && !run.Deployed() || offered[run.Commit] {
				continue
			}
			offered[run.Commit] = true
			commits = append(commits, cobra.CompletionWithDesc(run.Commit[:digits], run.Subject))
		}
		return commits, cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveKeepOrder
	}
}

// lastRuns returns a stack's last releases, none if they cannot be had: a shell has no place for the reason.
func (c cli) lastRuns(ctx context.Context, stack string) []operations.Run {
	pipeline, err := c.pipeline(ctx, stack)
	if err != nil {
		return nil
	}
	runs, _ := pipeline.Releases(ctx, offeredRuns)
	return runs
}

// offeredRuns is how many releases are looked at for a completion.
const offeredRuns = 20
