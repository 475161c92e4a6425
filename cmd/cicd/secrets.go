package main

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"cicd/operations"
)

func (c cli) secrets() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "secrets",
		Short: "Set, list and delete the secrets of a stack's application",
		Long: `Set, list and delete the secrets of a stack's application. A stack's own secret
NAME is the SSM parameter /<project>/<stack>/NAME, encrypted with the account's
key aws/ssm. Its value goes straight there: neither Pulumi nor any file of this
project has it. A container gets it as its variable NAME, once the stack's
configuration names it:

    pulumi config set --path 'secrets.NAME' '' --stack dev

Changes take effect with the next release.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(c.secretsSet(), c.secretsList(), c.secretsRm())
	return cmd
}

// secretsOf is what the configuration of a stack says of its secrets.
type secretsOf struct {
	stack    string // as the person calls it
	file     string // that names the secrets
	where    operations.Stack
	declared operations.Declared
}

// secretsOf reads a stack's configuration.
func (c cli) secretsOf(stack string) (secretsOf, error) {
	where, config, err := c.stackOf(stack)
	if err != nil {
		return secretsOf{}, err
	}
	of := secretsOf{stack: stack, file: settingsFile(where.Name), where: where}
	for key, secrets := range map[string]*map[string]string{
		"secrets":      &of.declared.Container,
		"buildSecrets": &of.declared.Build,
	} {
		raw, set := config.Values[config.Project+":"+key]
		if set && json.Unmarshal([]byte(raw), secrets) != nil {
			return secretsOf{}, fmt.Errorf("%s in %s: want names, each with where its value comes from", key, of.file)
		}
	}
	return of, nil
}

// store opens where the values are.
func (of secretsOf) store(ctx context.Context) (*operations.Secrets, error) {
	return operations.OpenSecrets(ctx, of.where)
}

// list returns the stack's secrets that have a value, and what the running release has of them.
func (of secretsOf) list(ctx context.Context) (store *operations.Secrets, stored []operations.Stored, running operations.Release, err error) {
	if store, err = of.store(ctx); err == nil {
		stored, running, err = store.List(ctx)
	}
	return store, stored, running, err
}

// release says how to release the newest commit again.
func (of secretsOf) release() string { return "cicd release --stack " + of.stack }

// ownNames lists the secrets that the configuration names as the stack's own.
func (of secretsOf) ownNames() []string {
	return slices.DeleteFunc(of.declared.Names(), func(name string) bool { return !of.declared.Own(name) })
}

// keys lists the configuration's keys that name a secret as the stack's own.
func (of secretsOf) keys(name string) []string {
	var keys []string
	for _, names := range []struct {
		key     string
		secrets map[string]string
	}{{"secrets", of.declared.Container}, {"buildSecrets", of.declared.Build}} {
		if source, declared := names.secrets[name]; declared && source == "" {
			keys = append(keys, names.key+"."+name)
		}
	}
	return keys
}

// addStack adds the flag that names the stack, and offers the names of its secrets to the shell.
func addStack(cmd *cobra.Command, c cli, stack *string) {
	addStackFlag(cmd, stack)
	cmd.ValidArgsFunction = func(_ *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
		of, err := c.secretsOf(*stack)
		if err != nil || len(args) > 0 {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return of.declared.Names(), cobra.ShellCompDirectiveNoFileComp
	}
}
