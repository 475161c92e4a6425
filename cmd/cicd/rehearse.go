package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"cicd/rehearsal"
)

func (c cli) rehearse() *cobra.Command {
	options := rehearsal.Options{Stdout: c.stdout, Stderr: c.stderr}
	drill := ""
	cmd := &cobra.Command{
		Use:   "rehearse",
		Short: "Run the stack and its pipeline on this machine, without AWS",
		Long: `Run the stack and its pipeline on this machine: the real program, git push,
build, Docker and deployment, with stand-ins for AWS and GitHub. It pushes the
newest commit of this checkout, sees it served, pushes a change, sees that
served without a failed request, and removes all it has made.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if drill == "list" {
				for _, d := range rehearsal.Drills() {
					fmt.Fprintln(c.stdout, d)
				}
				return nil
			}
			if err := checkKind(cmd); err != nil {
				return err
			}
			if drill != "" {
				var err error
				if options.Drills, err = rehearsal.FindDrills(drill); err != nil {
					return fmt.Errorf("%w: %w", errUsage, err)
				}
			}
			dir, err := projectDir()
			if err != nil {
				return err
			}
			options.ProjectDir = dir
			return rehearsal.Run(cmd.Context(), options)
		},
	}
	cmd.Flags().StringVar(&options.Stack, "stack", rehearsal.DefaultStack, "`name` of the stack whose settings are used")
	cmd.Flags().IntVar(&options.Port, "port", 0, "`port` of the application on 127.0.0.1 (default any free)")
	cmd.Flags().BoolVar(&options.Serve, "serve", false, "serve, and release the commits that you push, until Ctrl-C")
	cmd.Flags().BoolVar(&options.Load, "load", false, "measure requests while 20 releases go out, and judge them")
	cmd.Flags().StringVar(&drill, "drill", "", "break one thing, which must harm nobody: `name`, all or list")
	cmd.Flags().BoolVar(&options.Permissions, "permissions", false, "print what is granted against what is used, and judge it")
	cmd.Flags().BoolVar(&options.Bench, "bench", false, "measure the speed of it all, and write docs/performance.md")
	cmd.Flags().BoolVar(&options.JSON, "json", false, "print what --load or --permissions finds as JSON")
	return cmd
}

// checkKind returns an error unless the flags ask for one kind of rehearsal, and for JSON only where there is some.
func checkKind(cmd *cobra.Command) error {
	var chosen []string
	for _, kind := range []string{"serve", "load", "drill", "permissions", "bench"} {
		if cmd.Flags().Changed(kind) {
			chosen = append(chosen, "--"+kind)
		}
	}
	if len(chosen) > 1 {
		return fmt.Errorf("%w: choose one of %s", errUsage, strings.Join(chosen, ", "))
	}
	if cmd.Flags().Changed("json") && !slices.Contains([]string{"--load", "--permissions"}, strings.Join(chosen, "")) {
		return fmt.Errorf("%w: --json is for what --load or --permissions prints: add one of them", errUsage)
	}
	return nil
}
