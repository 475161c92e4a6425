package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"cicd/internal/nearest"
	"cicd/operations"
)

func (c cli) secretsRm() *cobra.Command {
	var stack string
	var yes bool
	cmd := &cobra.Command{
		Use:   "rm NAME",
		Short: "Delete a secret's value",
		Long: `Delete a secret's value with all its versions. It says what still needs it, and
asks first; without a terminal, as in CI, it needs --yes.`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if !yes && !c.interactive {
				return fmt.Errorf("%w: deleting secret %s needs confirmation, but there is no terminal: add --yes", errUsage, args[0])
			}
			return c.removeSecret(cmd.Context(), stack, args[0], yes)
		},
	}
	addStack(cmd, c, &stack)
	cmd.Flags().BoolVar(&yes, "yes", false, "do not ask for confirmation")
	return cmd
}

func (c cli) removeSecret(ctx context.Context, stack, name string, yes bool) error {
	of, err := c.secretsOf(stack)
	if err != nil {
		return err
	}
	store, stored, running, err := of.list(ctx)
	if err != nil {
		return err
	}
	if err := findSecret(of, name, stored); err != nil {
		return err
	}
	c.sayWhoNeeds(of, name, running)
	if !yes {
		fmt.Fprintf(c.stderr, "Delete %s of stack %s, with all its versions? [y/N] ", name, stack)
		answer, err := c.answer(ctx)
		if err != nil || !slices.Contains([]string{"y", "yes"}, strings.ToLower(answer)) {
			return unchanged(fmt.Sprintf("secret %s of stack %q", name, stack), answer, err)
		}
	}
	if err := store.Remove(ctx, name); err != nil {
		return err
	}
	fmt.Fprintf(c.stdout, "Deleted %s, which was %s in %s.\n", name, store.Parameter(name), of.where.Region)
	return nil
}

// findSecret returns an error unless the stack has a value of this name.
func findSecret(of secretsOf, name string, stored []operations.Stored) error {
	var names []string
	for _, s := range stored {
		names = append(names, s.Name)
	}
	if slices.Contains(names, name) {
		return nil
	}
	text := fmt.Sprintf("stack %q has no value of %s", of.stack, name)
	if source := of.declared.Source(name); source != "" {
		text += ", which comes from " + source
	} else if near := nearest.Word(name, names); near != "" {
		text += ": did you mean " + near + "?"
	}
	return fmt.Errorf("%s (`cicd secrets list --stack %s` shows those that it has)", text, of.stack)
}

// sayWhoNeeds says what a secret's deletion means for releases.
func (c cli) sayWhoNeeds(of secretsOf, name string, running operations.Release) {
	if running.Secrets[name] > 0 {
		fmt.Fprintf(c.stderr, "The running release has %s and keeps it, but cannot be released again without\n"+
			"a value, nor be rolled back to.\n", name)
	}
	keys := of.keys(name)
	if keys == nil {
		return
	}
	fmt.Fprintf(c.stderr, "%s names %s: without a value, the next release fails. If nothing\n"+
		"needs it any more, run this, and then `pulumi up`:\n", of.file, name)
	for _, key := range keys {
		fmt.Fprintf(c.stderr, "    pulumi config rm --path '%s' --stack %s\n", key, of.stack)
	}
}
