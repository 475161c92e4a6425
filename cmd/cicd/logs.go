package main

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"cicd/operations"
)

func (c cli) logs() *cobra.Command {
	var flags stackFlags
	since := time.Hour
	follow := false
	cmd := &cobra.Command{
		Use:   "logs [PROCESS]",
		Short: "Show what a stack's application prints",
		Long: `Show what a stack's application has printed: all of it, or what one PROCESS has:
web, release-command, or one of the stack's processes. Each line begins with its
time in UTC, the process, and the commit. With --json, each line is an object.`,
		Example: `  cicd logs --stack prod --since 15m
  cicd logs worker --follow`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.showLogs(cmd.Context(), flags, strings.Join(args, ""), time.Now().Add(-since), follow)
		},
	}
	flags.add(cmd)
	cmd.Flags().DurationVar(&since, "since", since, "begin this `time` ago, such as 15m")
	cmd.Flags().BoolVarP(&follow, "follow", "f", false, "wait for more until Ctrl-C")
	return cmd
}

func (c cli) showLogs(ctx context.Context, flags stackFlags, process string, since time.Time, follow bool) error {
	stack, _, err := c.stackOf(flags.stack)
	if err != nil {
		return err
	}
	return stack.AppLogs(ctx, process, since, follow, func(line operations.Line) error {
		if flags.json {
			return json.NewEncoder(c.stdout).Encode(line)
		}
		from, commit, _ := strings.Cut(line.Stream, "/")
		_, err := fmt.Fprintf(c.stdout, "%s %s %s | %s\n", line.Time.Format("15:04:05.000"), from, operations.Short(commit), line.Text)
		return err
	})
}
