package main

import "github.com/spf13/cobra"

func (c cli) up() *cobra.Command {
	var flags stackFlags
	cmd := &cobra.Command{
		Use:   "up",
		Short: "Create the stack, or change it to what the program declares",
		Long: `Create the stack, or change it to what the program and Pulumi.<stack>.yaml
declare. It does not ask first, in a terminal as in CI: run "cicd preview" to
see what it would do. What a preview refuses, such as to replace a protected
host, it refuses before it changes anything. Up of an unchanged stack changes
nothing.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			stack, err := c.open(cmd.Context(), flags.stack)
			if err != nil {
				return err
			}
			// An up without a preview makes the replacement of a protected resource first, and fails when it cannot delete the old
			// one (pulumi, sdk/go/auto/stack.go: --skip-preview).
			if _, err := stack.Preview(cmd.Context()); err != nil {
				return err
			}
			result, err := stack.Up(cmd.Context())
			if err != nil {
				return err
			}
			return c.printResult(result, done, flags.json)
		},
	}
	flags.add(cmd)
	return cmd
}
