package main

import "github.com/spf13/cobra"

func (c cli) outputs() *cobra.Command {
	var flags stackFlags
	cmd := &cobra.Command{
		Use:   "outputs",
		Short: "Print the stack's outputs: the URL of the application, and more",
		Long: `Print the stack's outputs as of the last up: the URL of the application, the
pipeline, how to reach the host. Secrets are shown as "[secret]".`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			stack, err := c.open(cmd.Context(), flags.stack)
			if err != nil {
				return err
			}
			outputs, err := stack.Outputs(cmd.Context())
			if err != nil {
				return err
			}
			if flags.json {
				return printJSON(c.stdout, outputs)
			}
			return printOutputs(c.stdout, outputs)
		},
	}
	flags.add(cmd)
	return cmd
}
