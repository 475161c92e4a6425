package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"cicd/automation"
	"cicd/infra"
	"cicd/operations"
	"cicd/rehearsal/console"
)

// upFlags are the flags of up.
type upFlags struct {
	stackFlags
	yes, detach bool
}

func (c cli) up() *cobra.Command {
	var flags upFlags
	cmd := &cobra.Command{
		Use:   "up",
		Short: "Create the stack, or change it to what the program declares",
		Long: `Create the stack, or change it to what the program and Pulumi.<stack>.yaml
declare. It begins with what "cicd doctor" does, and stops if that finds an
error. It previews then, so what a preview rejects, such as replacing a
protected host, fails before anything changes; a person at a terminal is asked
next. Up of an unchanged stack changes nothing.

A new stack's connection to GitHub needs a person: up says where, waits until it
is authorized, notes that in Pulumi.<stack>.yaml and creates the pipeline. Then
it waits until the first release serves, or says why it does not. Ctrl-C ends
the waiting: the next up goes on with the connection, and status shows what
became of the release.

Without a terminal, as in CI, it waits for no person: the output nextStep says
what to do. With --detach or --json, it does not wait for the release either.`,
		Example: `  cicd up --stack prod
  cicd up --stack prod --yes --detach`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return c.bringUp(cmd.Context(), flags) },
	}
	flags.add(cmd)
	cmd.Flags().BoolVar(&flags.yes, "yes", false, "do not ask for confirmation")
	cmd.Flags().BoolVar(&flags.detach, "detach", false, "wait neither for a person nor for the first release")
	return cmd
}

func (c cli) bringUp(ctx context.Context, flags upFlags) error {
	stack, err := c.open(ctx, flags.stack)
	if err != nil {
		return err
	}
	if err := c.beCareful(ctx, stack, flags.stack); err != nil {
		return err
	}
	// Without a preview, an up first creates the replacement of a protected resource, then fails because it cannot
	// delete the old one (pulumi, sdk/go/auto/stack.go: --skip-preview).
	preview, err := stack.Preview(ctx)
	if err != nil {
		return err
	}
	if err := c.agree(ctx, preview, flags); err != nil {
		return err
	}
	before, err := stack.Outputs(ctx)
	if err != nil {
		return err
	}
	result, err := stack.Up(ctx)
	if err != nil {
		return err
	}
	waits := !flags.detach && !flags.json
	if waits && c.interactive && output(result.Outputs, "pipelineName") == "" && output(result.Outputs, "connectionArn") != "" {
		if err := c.printResult(result, false); err != nil { // what a person may have to do meanwhile, such as a DNS record
			return err
		}
		if result, err = c.authorize(ctx, stack, flags.stack, result); err != nil {
			return err
		}
	}
	if err := c.printResult(result, flags.json); err != nil {
		return err
	}
	if waits && output(before, "pipelineName") == "" && output(result.Outputs, "pipelineName") != "" {
		return c.firstRelease(ctx, flags.stackFlags)
	}
	return nil
}

// output returns an output that is a string, "" if there is none.
func output(outputs map[string]any, name string) string {
	value, _ := outputs[name].(string)
	return value
}

// agree returns nil if nothing changes, or the person at the terminal agrees with what does. Without a terminal,
// nobody is asked.
func (c cli) agree(ctx context.Context, preview automation.Result, flags upFlags) error {
	if flags.yes || !c.interactive || preview.Changed() == 0 {
		return nil
	}
	fmt.Fprintf(c.stderr, "Stack %s: %s.\n", flags.stack, preview.Summary())
	for _, urn := range preview.Replaced {
		if strings.Contains(urn, "aws:ec2/instance:Instance::") {
			fmt.Fprintf(c.stderr, "The host is replaced: nothing serves from then until a release has ended.\n")
		}
	}
	return c.agreed(ctx, "go on", fmt.Sprintf("stack %q", flags.stack))
}

// authorize waits until a person has authorized the stack's connection, notes that in the stack's settings, and runs up
// again, which creates the pipeline. Nothing is locked meanwhile.
func (c cli) authorize(ctx context.Context, stack *automation.Stack, name string, result automation.Result) (automation.Result, error) {
	of, _, err := c.stackOf(name)
	if err != nil {
		return result, err
	}
	c.say("\nThe connection to GitHub needs a person now. %s", infra.Scope{Project: of.Project, Stack: of.Name, Region: of.Region}.AuthorizeConnection())
	c.say("Waiting until it is authorized ... Ctrl-C ends the waiting, and the next `cicd up --stack %s` goes on from here.", name)
	if err := of.AwaitConnection(ctx, output(result.Outputs, "connectionArn")); err != nil {
		return result, fmt.Errorf("stack %q is up, without a pipeline: %w", name, err)
	}
	if err := stack.SetConfig(ctx, map[string]string{"connectionAuthorized": "true"}); err != nil {
		return result, err
	}
	c.say("It is authorized, and %s says so now: commit that change.", settingsFile(of.Name))
	if _, err := stack.Preview(ctx); err != nil { // the settings may be others by now
		return result, err
	}
	return stack.Up(ctx)
}

// say tells the person at the terminal something, in lines that fit it.
func (c cli) say(format string, args ...any) {
	fmt.Fprintln(c.stderr, strings.Join(console.Wrap(fmt.Sprintf(format, args...), console.Width), "\n"))
}

// firstRun is how long a new pipeline may take to begin its first release, which CodePipeline starts by itself.
const firstRun = time.Minute

// firstRelease waits for the release that a new pipeline begins with.
func (c cli) firstRelease(ctx context.Context, flags stackFlags) error {
	pipeline, err := c.pipeline(ctx, flags.stack)
	if err != nil {
		return err
	}
	c.say("\nPipeline %s releases the branch's newest commit. Ctrl-C ends the waiting alone.", pipeline.Name())
	run, err := c.newest(ctx, pipeline)
	if err != nil {
		return err
	}
	return c.settle(ctx, pipeline, run.ID, flags, false)
}

// newest returns the pipeline's newest run, once there is one.
func (c cli) newest(ctx context.Context, pipeline *operations.Pipeline) (operations.Run, error) {
	limited, cancel := context.WithTimeout(ctx, firstRun)
	defer cancel()
	for {
		runs, err := pipeline.Releases(limited, 1)
		switch {
		case ctx.Err() != nil:
			return operations.Run{}, ctx.Err()
		case limited.Err() != nil:
			return operations.Run{}, fmt.Errorf("the first release of pipeline %s has not begun within a minute: `cicd release` starts one", pipeline.Name())
		case err != nil:
			return operations.Run{}, err
		case len(runs) > 0:
			return runs[0], nil
		}
		_ = pause(limited, releasePoll) // the next look says what has ended
	}
}
