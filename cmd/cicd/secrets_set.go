package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"cicd/infra"
	"cicd/internal/nearest"
	"cicd/operations"
)

// errValueInArguments does not quote the arguments, because one of them may be the value.
var errValueInArguments = errors.New("set takes the secret's NAME alone, and the flag --stack.\nThe value is no argument, " +
	"because others on this machine can read arguments,\nand shells keep them: type it when asked, or pipe it in. " +
	"If one of these was it,\nremove it from your shell's history")

func (c cli) secretsSet() *cobra.Command {
	var stack string
	cmd := &cobra.Command{
		Use:   "set NAME",
		Short: "Store a new value of a secret",
		Long: `Store a new value of a secret: 1 to 4096 bytes of UTF-8 text. In a terminal it
asks for the value, and does not show it. Otherwise it reads standard input to
its end, without one newline there, which most programs add:

    cicd secrets set NAME --stack dev < file
    printf %s "$VALUE" | cicd secrets set NAME --stack dev

A value of several lines has to come in this way.`,
		Args: func(_ *cobra.Command, args []string) error {
			switch {
			case len(args) == 0:
				return errors.New("set needs the secret's NAME")
			case len(args) > 1 || strings.Contains(args[0], "="):
				return errValueInArguments
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error { return c.setSecret(cmd.Context(), stack, args[0]) },
	}
	// The usual error quotes what looks like a flag, and a private key begins with dashes.
	cmd.SetFlagErrorFunc(func(*cobra.Command, error) error { return errValueInArguments })
	addStack(cmd, c, &stack)
	return cmd
}

func (c cli) setSecret(ctx context.Context, stack, name string) error {
	of, err := c.secretsOf(stack)
	if err != nil {
		return err
	}
	if source := of.declared.Source(name); source != "" {
		return fmt.Errorf("%s of stack %q comes from %s: change the value there. For a value of the stack's own, run this first:\n"+
			"    pulumi config set --path 'secrets.%s' '' --stack %s", name, stack, source, name, stack)
	}
	if problem := infra.CheckSecretName(name); problem != "" {
		return fmt.Errorf("%w: the secret's NAME: %s", errUsage, problem)
	}
	store, err := of.store(ctx)
	if err != nil {
		return err
	}
	value, err := c.secretValue(ctx, fmt.Sprintf("Value of %s in stack %s (not shown): ", name, stack))
	if err == nil {
		err = operations.CheckValue(value)
	}
	if err != nil {
		return fmt.Errorf("%s is unchanged: %w", name, err)
	}
	version, err := store.Set(ctx, name, value)
	if err != nil {
		return err
	}
	fmt.Fprintf(c.stdout, "Stored version %d of %s, as %s in %s.\n", version, name, store.Parameter(name), of.where.Region)
	c.sayWhenSet(of, name)
	return nil
}

// sayWhenSet says when a new value takes effect, and what that needs.
func (c cli) sayWhenSet(of secretsOf, name string) {
	_, container := of.declared.Container[name]
	switch {
	case container:
		fmt.Fprintf(c.stderr, "It takes effect with the next release: push a commit, or release the newest again:\n"+
			"    %s\n", of.release())
	case of.declared.Own(name):
		fmt.Fprintln(c.stderr, "It takes effect with the next build: push a commit, because those built before\n"+
			"are not built again.")
	default:
		meant := ""
		if near := nearest.Word(name, of.ownNames()); near != "" {
			meant = " Did you mean " + near + "?"
		}
		fmt.Fprintf(c.stderr, "warning: %s does not name %s, so nothing uses it.%s\nTo use it, run this, and then `pulumi up`:\n"+
			"    pulumi config set --path 'secrets.%s' '' --stack %s\n", of.file, name, meant, name, of.stack)
	}
}
