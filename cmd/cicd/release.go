package main

import (
	"context"
	"fmt"
	"regexp"
	"time"

	"github.com/spf13/cobra"

	"cicd/operations"
)

func (c cli) release() *cobra.Command {
	var flags stackFlags
	detach := false
	cmd := &cobra.Command{
		Use:   "release [COMMIT]",
		Short: "Release a commit, or the branch's newest, and wait until it serves",
		Long: `Release a commit of the pipeline's branch, or its newest one without COMMIT,
with the stack's settings and secrets as they are now. ECR has the image of a
commit that was released before, so nothing is built for it.

It waits for the end, and says why if the release fails. Ctrl-C ends the waiting
alone. On a parked stack, the release waits until the stack is unparked.`,
		Example: `  cicd release --stack prod
  cicd release 4f2a1c9b0d7e6f5a4b3c2d1e0f9a8b7c6d5e4f3a --detach`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			commit := ""
			if len(args) == 1 {
				commit = args[0]
			}
			return c.releaseCommit(cmd.Context(), flags, commit, detach)
		},
	}
	flags.add(cmd)
	cmd.ValidArgsFunction = c.completeCommits(&flags.stack, false, 40)
	cmd.Flags().BoolVar(&detach, "detach", false, "do not wait for the end")
	return cmd
}

// commitID is what StartPipelineExecution takes.
var commitID = regexp.MustCompile(`^[0-9a-f]{40}$`)

func (c cli) releaseCommit(ctx context.Context, flags stackFlags, commit string, detach bool) error {
	if commit != "" && !commitID.MatchString(commit) {
		return fmt.Errorf("%q is not a commit's whole ID, 40 hexadecimal digits: `git rev-parse %[1]s` prints it: %w", commit, errUsage)
	}
	pipeline, err := c.pipeline(ctx, flags.stack)
	if err != nil {
		return err
	}
	return c.begin(ctx, pipeline, commit, flags, detach)
}

// begin starts a release, and settles it.
func (c cli) begin(ctx context.Context, pipeline *operations.Pipeline, commit string, flags stackFlags, detach bool) error {
	id, err := pipeline.Start(ctx, commit)
	if err != nil {
		return err
	}
	fmt.Fprintf(c.stderr, "Release %s has begun.\n", id)
	return c.settle(ctx, pipeline, id, flags, detach)
}

// settle waits for the end of a release, unless it is detached, and prints how it ended. A release that failed is an error,
// and one that waits for a person is none.
func (c cli) settle(ctx context.Context, pipeline *operations.Pipeline, id string, flags stackFlags, detach bool) (err error) {
	run, waits := operations.Run{ID: id, Status: "InProgress"}, detach
	if !detach {
		if run, waits, err = c.follow(ctx, pipeline, flags.stack, id); err != nil {
			return err
		}
	}
	if flags.json {
		if err := printJSON(c.stdout, run); err != nil {
			return err
		}
	}
	cause, err := pipeline.Why(ctx, run)
	switch {
	case err != nil:
		return err
	case cause != nil:
		if !flags.json {
			c.printCause(cause)
		}
		return fmt.Errorf("the release of %s failed in stage %s", operations.Short(run.Commit), cause.Stage)
	case run.Status == "Succeeded" && !flags.json:
		fmt.Fprintf(c.stdout, "Stack %s serves %s.\n", flags.stack, named(run, 50))
	case run.Status != "Succeeded" && !waits:
		return fmt.Errorf("the release of %s ended %s", operations.Short(run.Commit), run.Status)
	}
	return nil
}

// releasePoll is the time between two looks at a release: CodePipeline takes 5 such requests a second from an account.
const releasePoll = time.Second

// follow shows how a release goes on until it has ended, or, without a terminal, until it waits for a person.
func (c cli) follow(ctx context.Context, pipeline *operations.Pipeline, stack, id string) (run operations.Run, waits bool, err error) {
	shown, told := map[string]string{}, ""
	for {
		if run, err = pipeline.Release(ctx, id); err != nil {
			return run, false, err
		}
		for _, s := range run.Stages {
			if s.Status != shown[s.Name] {
				shown[s.Name] = s.Status
				fmt.Fprintf(c.stderr, "  %-10s  %-10s  %8s\n", s.Name, s.Status, operations.Took(s.Started, s.Ended))
			}
		}
		if run.Status != "InProgress" && run.Status != "Stopping" {
			return run, false, nil
		}
		hold, err := pipeline.HeldBy(ctx, run)
		if err != nil {
			return run, false, err
		}
		if hold != nil && told != holdText(hold, pipeline, run, stack) {
			told = holdText(hold, pipeline, run, stack)
			fmt.Fprintln(c.stderr, told)
			if !c.interactive {
				return run, true, nil
			}
		}
		if err := pause(ctx, releasePoll); err != nil {
			fmt.Fprintf(c.stderr, "The release goes on.\n")
			return run, false, err
		}
	}
}

// holdText says what holds a run up, and what a person can do.
func holdText(hold *operations.Hold, pipeline *operations.Pipeline, run operations.Run, stack string) string {
	switch transition := hold.Transition; {
	case transition != nil && transition.Parks():
		return "The stack is parked, and the release waits until:\n" + unparkHint(stack)
	case transition != nil:
		return fmt.Sprintf("%s\nThe release waits until somebody enables it:\n%s", disabledText(*transition), pipeline.EnableCommand(transition.Stage))
	case hold.Approval.Run == run.ID:
		return "It waits for an approval:\n" + approveHint(stack)
	}
	return "An earlier release waits for an approval, and this one behind it:\n" + approveHint(stack)
}

// pause waits, or returns why ctx has ended.
func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}
