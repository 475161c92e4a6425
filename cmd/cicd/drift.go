package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"cicd/infra"
	"cicd/operations"
	"cicd/rehearsal/console"
)

func (c cli) drift() *cobra.Command {
	var flags stackFlags
	cmd := &cobra.Command{
		Use:   "drift",
		Short: "Say whether AWS and the host are as declared and released",
		Long: `Compare a stack with what is there: every resource with the program and the
settings, as up would, and the containers that run on the host with the last
release: its commit, its image in ECR, and a worker for each process. Nothing
is changed.

The containers are asked through Session Manager, for which its plugin has to
be on PATH, see exec. What cannot be looked at is said, and is no drift.

The exit code is 0 without drift, and 4 with.`,
		Example: `  cicd drift --stack prod
  cicd drift --stack prod --json | jq .deviations`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return c.findDrift(cmd.Context(), flags) },
	}
	flags.add(cmd)
	return cmd
}

// errDrift says that a stack is not as it should be. It has its own exit code.
var errDrift = errors.New("drift")

func (c cli) findDrift(ctx context.Context, flags stackFlags) error {
	stack, err := c.open(ctx, flags.stack)
	if err != nil {
		return err
	}
	declared, err := stack.Drift(ctx)
	if err != nil {
		return err
	}
	answer := driftAnswer{Infrastructure: declared, Deviations: []string{}}
	if err := c.compareHost(ctx, flags.stack, &answer); err != nil {
		if ctx.Err() != nil {
			return err
		}
		answer.Unchecked = err.Error()
	}
	if err := c.printDrift(flags, answer); err != nil {
		return err
	}
	if declared.Changed() > 0 || len(answer.Deviations) > 0 {
		return fmt.Errorf("%w: stack %q is not as declared and released\n"+
			"To do: `cicd up --stack %[2]s` changes resources back, `cicd release --stack %[2]s` starts its containers anew", errDrift, flags.stack)
	}
	return nil
}

// compareHost adds what runs on the host, and how that differs from the last release.
func (c cli) compareHost(ctx context.Context, stack string, answer *driftAnswer) error {
	of, config, err := c.stackOf(stack)
	if err != nil {
		return err
	}
	needs, err := infra.ReadNeeds(config.Project, of.Name, config.Values, config.Encrypted)
	if err != nil {
		return err
	}
	pipeline, err := operations.OpenPipeline(ctx, of)
	if err != nil {
		return err
	}
	runs, err := pipeline.Releases(ctx, statusRuns)
	if err != nil {
		return err
	}
	serving := operations.Serving(runs)
	if serving == nil {
		return nil // nothing was released, so nothing has to run
	}
	digests, err := pipeline.Images(ctx, serving.Commit)
	if err != nil {
		return err
	}
	if answer.Containers, err = c.containers(ctx, of); err != nil {
		return err
	}
	processes := slices.Sorted(maps.Keys(needs.Application.Processes))
	answer.Deviations = append(answer.Deviations, operations.Deviations(answer.Containers, *serving, digests, processes)...)
	return nil
}

// containers returns those that run on the stack's host.
func (c cli) containers(ctx context.Context, of operations.Stack) ([]operations.Container, error) {
	plugin, err := findPlugin(ctx)
	if err != nil {
		return nil, err
	}
	session, err := of.ListContainers(ctx)
	if err != nil {
		return nil, err
	}
	var printed strings.Builder
	captured := c
	captured.stdout = &printed
	code, err := captured.capture(ctx, plugin, session)
	switch {
	case err != nil:
		return nil, errors.Join(err, session.Terminate(ctx))
	case code != 0:
		return nil, fmt.Errorf("host %s: docker does not list its containers: %s", session.Host, strings.TrimSpace(printed.String()))
	}
	return operations.ReadContainers(printed.String())
}

// printDrift prints what was found. The engine has shown each resource already.
func (c cli) printDrift(flags stackFlags, answer driftAnswer) error {
	if flags.json {
		return printJSON(c.stdout, answer)
	}
	fmt.Fprintf(c.stdout, "Resources: %s.\n", answer.Infrastructure.Summary())
	for _, container := range answer.Containers {
		fmt.Fprintf(c.stdout, "Running: %s, commit %s, in %s.\n", container.Process, operations.Short(container.Commit), container.Name)
	}
	for _, deviation := range answer.Deviations {
		fmt.Fprintln(c.stdout, strings.Join(console.Wrap("Drift: "+deviation+".", console.Width), "\n"))
	}
	if answer.Unchecked != "" {
		fmt.Fprintf(c.stderr, "warning: it is not checked what runs: %s\n", answer.Unchecked)
	}
	return nil
}
