package main

import (
	"github.com/spf13/cobra"

	"cicd/automation"
)

// complete offers values for a flag to the shell, instead of the names of files.
func complete(cmd *cobra.Command, flag string, values func() []string) {
	err := cmd.RegisterFlagCompletionFunc(flag, func(*cobra.Command, []string, string) ([]cobra.Completion, cobra.ShellCompDirective) {
		return values(), cobra.ShellCompDirectiveNoFileComp
	})
	if err != nil { // there is no such flag
		panic(err)
	}
}

// completeStacks offers the stacks of the project around the current folder for --stack.
func completeStacks(cmd *cobra.Command) {
	complete(cmd, "stack", func() []string {
		dir, err := projectDir()
		if err != nil {
			return nil
		}
		stacks, _ := automation.Stacks(dir)
		return stacks
	})
}
