package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"cicd/automation"
)

func (c cli) engine() *cobra.Command {
	return &cobra.Command{
		Use:   "engine",
		Short: "Print the path of the Pulumi engine, building it if necessary",
		Long: `Print the path of the Pulumi engine that the other commands use, for anything
that they cannot do:

    $(cicd engine) config set instanceType t3.small --stack dev

It is the pulumi on PATH if that is 3.200 or newer; otherwise it is built.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			dir, err := projectDir()
			if err != nil {
				return err
			}
			engine, err := automation.FindEngine(cmd.Context(), dir, c.stderr)
			if err != nil {
				return err
			}
			_, err = fmt.Fprintln(c.stdout, engine.Path)
			return err
		},
	}
}
