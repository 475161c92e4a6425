package main

import "github.com/spf13/cobra"

func (c cli) up() *cobra.Command {
	var flags stackFlags
	cmd := &cobra.Command{
		Use:   "up",
		Short: "Create the stack, or change it to what the program declares",
		Long: `Create the stack, or change it to what the program and Pulumi.<stack>.yaml
declare. It never asks first, not even in a terminal: run "cicd preview" to see
what it would do. It previews first, so what a preview rejects, such as
replacing a protected host, fails before anything changes. Up of an unchanged
stack changes nothing.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			stack, err := c.open(cmd.Context(), flags.stack)
			if err != nil {
				return err
			}
			// Without a preview, an up first creates the replacement of a protected resource, then fails because it cannot
			// delete the old one (pulumi, sdk/go/auto/stack.go: --skip-preview).
			if _, err := stack.Preview(cmd.Context()); err != nil {
				return err
			}
			result, err := stack.Up(cmd.Context())
			if err != nil {
				return err
			}
			return c.printResult(result, flags.json)
		},
	}
	flags.add(cmd)
	return cmd
}
