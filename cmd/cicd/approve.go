package main

import (
	"context"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"cicd/operations"
)

// approvalFlags are the flags of approve and reject.
type approvalFlags struct {
	stackFlags
	note   string
	yes    bool
	detach bool
}

func (f *approvalFlags) addTo(cmd *cobra.Command) {
	f.add(cmd)
	cmd.Flags().StringVar(&f.note, "note", "", "`text` that CodePipeline keeps with the decision")
	cmd.Flags().BoolVar(&f.yes, "yes", false, "do not ask for confirmation")
}

func (c cli) approve() *cobra.Command {
	var flags approvalFlags
	cmd := &cobra.Command{
		Use:   "approve [COMMIT]",
		Short: "Approve the release that waits, and wait until it serves",
		Long: `Approve the release that waits in the pipeline's approval stage. It shows which
one that is, and asks; without a terminal, as in CI, it needs --yes. With
COMMIT, or its first digits, it approves that one alone.

It waits for the end, as release does.`,
		Example: `  cicd approve --stack prod
  cicd approve 4f2a1c9 --stack prod --yes --note 'tested on staging'`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			pipeline, run, err := c.decide(cmd.Context(), flags, args, true)
			if err != nil {
				return err
			}
			fmt.Fprintf(c.stderr, "Approved %s.\n", named(run, 50))
			return c.settle(cmd.Context(), pipeline, run.ID, flags.stackFlags, flags.detach)
		},
	}
	flags.addTo(cmd)
	cmd.Flags().BoolVar(&flags.detach, "detach", false, "do not wait for the end")
	return cmd
}

func (c cli) reject() *cobra.Command {
	var flags approvalFlags
	cmd := &cobra.Command{
		Use:   "reject [COMMIT]",
		Short: "Reject the release that waits for approval",
		Long: `Reject the release that waits in the pipeline's approval stage. What serves
goes on. It shows which release waits, and asks; without a terminal, as in CI,
it needs --yes. With COMMIT, or its first digits, it rejects that one alone.`,
		Example: `  cicd reject --stack prod --note 'the price is wrong'`,
		Args:    cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			_, run, err := c.decide(cmd.Context(), flags, args, false)
			if err != nil {
				return err
			}
			if flags.json {
				return printJSON(c.stdout, run)
			}
			fmt.Fprintf(c.stdout, "Rejected %s.\n", named(run, 50))
			return nil
		},
	}
	flags.addTo(cmd)
	return cmd
}

// decide approves or rejects the run that waits, if it is the wanted one and the person at the terminal agrees.
func (c cli) decide(ctx context.Context, flags approvalFlags, args []string, approve bool) (*operations.Pipeline, operations.Run, error) {
	verb := map[bool]string{true: "approve", false: "reject"}[approve]
	fail := func(err error) (*operations.Pipeline, operations.Run, error) { return nil, operations.Run{}, err }
	if n := utf8.RuneCountInString(flags.note); n > operations.CommentLimit {
		return fail(fmt.Errorf("the note has %d characters: CodePipeline takes %d: %w", n, operations.CommentLimit, errUsage))
	}
	if !flags.yes && !c.interactive {
		return fail(fmt.Errorf("%w: to %s a release needs confirmation, but there is no terminal: add --yes", errUsage, verb))
	}
	pipeline, err := c.pipeline(ctx, flags.stack)
	if err != nil {
		return fail(err)
	}
	state, err := pipeline.State(ctx)
	if err != nil {
		return fail(err)
	}
	waiting := state.Waiting
	if waiting == nil {
		return fail(fmt.Errorf("no release of stack %q waits for an approval: `cicd status --stack %[1]s` shows what its pipeline does", flags.stack))
	}
	run, err := pipeline.Release(ctx, waiting.Run)
	if err != nil {
		return fail(err)
	}
	if len(args) == 1 && (args[0] == "" || !strings.HasPrefix(run.Commit, args[0])) {
		return fail(fmt.Errorf("%s waits for an approval, and not %q: nothing is decided", named(run, 50), args[0]))
	}
	if !flags.yes {
		fmt.Fprintf(c.stderr, "%s has waited %s for an approval.\n", named(run, 40), operations.Took(waiting.Since, time.Time{}))
		if err := c.agreed(ctx, verb+" it", "the approval"); err != nil {
			return fail(err)
		}
	}
	if err := pipeline.Decide(ctx, waiting, approve, flags.note); err != nil {
		return fail(err)
	}
	run, err = c.decided(ctx, pipeline, waiting)
	return pipeline, run, err
}

// decided returns a run once CodePipeline has taken the decision on it.
func (c cli) decided(ctx context.Context, pipeline *operations.Pipeline, approval *operations.Approval) (operations.Run, error) {
	for {
		run, err := pipeline.Release(ctx, approval.Run)
		if err != nil || !waits(run) {
			return run, err
		}
		if err := pause(ctx, releasePoll); err != nil {
			return run, err
		}
	}
}

// approveHint says how a person decides.
func approveHint(stack string) string {
	return fmt.Sprintf("cicd approve --stack %s, or cicd reject --stack %[1]s", stack)
}
