package main

import "github.com/spf13/cobra"

func (c cli) preview() *cobra.Command {
	var flags stackFlags
	cmd := &cobra.Command{
		Use:   "preview",
		Short: "Show what up would change",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			stack, err := c.open(cmd.Context(), flags.stack)
			if err != nil {
				return err
			}
			result, err := stack.Preview(cmd.Context())
			if err != nil {
				return err
			}
			return c.printResult(result, flags.json)
		},
	}
	flags.add(cmd)
	return cmd
}
