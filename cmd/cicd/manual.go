package main

import (
	"fmt"
	"os"

	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"
)

func (c cli) manual() *cobra.Command {
	return &cobra.Command{
		Use:   "man FOLDER",
		Short: "Write the manual pages, one for each command, into a folder",
		Long: `Write the manual pages into a folder, one for each command. It is made if there
is none.`,
		Example: `  cicd man ~/.local/share/man/man1
  man cicd-rollback`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := os.MkdirAll(args[0], 0o755); err != nil {
				return fmt.Errorf("folder for the manual pages: %w", err)
			}
			return doc.GenManTree(c.root(), &doc.GenManHeader{Section: "1", Source: "cicd", Manual: "cicd"}, args[0])
		},
	}
}
