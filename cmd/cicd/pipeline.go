package main

import (
	"context"
	"fmt"
	"strings"

	"cicd/automation"
	"cicd/operations"
	"cicd/rehearsal/console"
)

// stackOf reads a stack's configuration, and returns where the stack is.
func (c cli) stackOf(stack string) (operations.Stack, automation.Config, error) {
	_, config, err := c.config(stack)
	if err != nil {
		return operations.Stack{}, config, err
	}
	of := operations.Stack{Project: config.Project, Name: automation.ShortName(stack), Region: config.Values["aws:region"]}
	if of.Region == "" {
		err = fmt.Errorf("aws:region in %s is missing or encrypted: `pulumi config set aws:region REGION --stack %s`", settingsFile(of.Name), stack)
	}
	return of, config, err
}

// settingsFile is the name of a stack's settings file.
func settingsFile(stack string) string { return "Pulumi." + stack + ".yaml" }

// pipeline opens the pipeline of a stack.
func (c cli) pipeline(ctx context.Context, stack string) (*operations.Pipeline, error) {
	of, _, err := c.stackOf(stack)
	if err != nil {
		return nil, err
	}
	return operations.OpenPipeline(ctx, of)
}

// named is a run's commit and the beginning of its subject, at most so many characters.
func named(run operations.Run, width int) string {
	return strings.TrimSpace(operations.Short(run.Commit) + " " + console.Cut(run.Subject, width))
}

// printStages prints a line per stage.
func (c cli) printStages(stages []operations.Stage) {
	for _, s := range stages {
		fmt.Fprintf(c.stdout, "  %-10s  %-10s  %8s\n", s.Name, s.Status, operations.Took(s.Started, s.Ended))
	}
}

// printCause prints why a run failed, and what to do.
func (c cli) printCause(cause *operations.Cause) {
	fmt.Fprintf(c.stdout, "%s failed in stage %s.\n", named(cause.Run, 50), cause.Stage)
	for _, place := range cause.Where {
		fmt.Fprintf(c.stdout, "\n%s\n  %s\n", place.Name, strings.ReplaceAll(console.Plain(place.Message), "\n", "\n  "))
		for _, line := range place.Log {
			fmt.Fprintf(c.stdout, "  | %s\n", console.Plain(line))
		}
	}
	if cause.Rollback != "" {
		fmt.Fprintf(c.stdout, "\nCodeDeploy went back to the release before (deployment %s).\n", cause.Rollback)
	}
	for _, remedy := range cause.Remedies {
		fmt.Fprintf(c.stdout, "\nTo do: %s\n", remedy)
	}
}
