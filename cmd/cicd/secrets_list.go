package main

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"cicd/operations"
)

func (c cli) secretsList() *cobra.Command {
	var flags stackFlags
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List a stack's secrets, without their values",
		Long: `List a stack's secrets, without their values: those that its configuration
names, and those that have a value. VERSION is the newest, of the time CHANGED,
and RUNNING is the one that the running release has.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return c.listSecrets(cmd.Context(), flags) },
	}
	flags.add(cmd)
	return cmd
}

func (c cli) listSecrets(ctx context.Context, flags stackFlags) error {
	of, err := c.secretsOf(flags.stack)
	if err != nil {
		return err
	}
	_, stored, running, err := of.list(ctx)
	if err != nil {
		return err
	}
	secrets := operations.Compare(of.declared, stored, running)
	if flags.json {
		return printJSON(c.stdout, secretsAnswer{running.Commit, secrets})
	}
	if len(secrets) == 0 {
		fmt.Fprintf(c.stderr, "Stack %s has no secrets. A first one:\n    pulumi config set --path 'secrets.NAME' '' --stack %[1]s\n"+
			"    cicd secrets set NAME --stack %[1]s\n", flags.stack)
		return nil
	}
	printSecrets(c.stdout, secrets)
	c.sayWhatToDo(of, secrets)
	return nil
}

// remarks are what the table says of secrets in each state.
var remarks = map[operations.State]string{
	operations.Pending:    "not running yet",
	operations.Missing:    "no value",
	operations.BuildOnly:  "for builds",
	operations.External:   "from its ARN",
	operations.Undeclared: "not configured",
}

// nameWidth leaves the other columns 46 of a terminal's 80.
const nameWidth = 32

// printSecrets prints a table of at most 80 columns. A name that is too long for its column has a line of its own.
func printSecrets(w io.Writer, secrets []operations.Status) {
	width := len("NAME")
	for _, s := range secrets {
		if len(s.Name) <= nameWidth {
			width = max(width, len(s.Name))
		}
	}
	row := func(name, version, changed, running, remark string) {
		if len(name) > width {
			fmt.Fprintln(w, name)
			name = ""
		}
		line := fmt.Sprintf("%-*s  %7s  %-16s  %7s  %s", width, name, version, changed, running, remark)
		fmt.Fprintln(w, strings.TrimRight(line, " "))
	}
	row("NAME", "VERSION", "CHANGED (UTC)", "RUNNING", "")
	for _, s := range secrets {
		changed := "-"
		if !s.Changed.IsZero() {
			changed = s.Changed.Format("2006-01-02 15:04")
		}
		row(s.Name, versionOrDash(s.Version), changed, versionOrDash(s.Running), remarks[s.State])
	}
}

func versionOrDash(version int64) string {
	if version == 0 {
		return "-"
	}
	return strconv.FormatInt(version, 10)
}

// sayWhatToDo says what to do about secrets that need something.
func (c cli) sayWhatToDo(of secretsOf, secrets []operations.Status) {
	found := map[operations.State][]string{}
	for _, s := range secrets {
		found[s.State] = append(found[s.State], s.Name)
	}
	if names := found[operations.Missing]; names != nil {
		fmt.Fprintf(c.stderr, "\nWithout a value, the next release fails:\n")
		for _, name := range names {
			fmt.Fprintf(c.stderr, "    cicd secrets set %s --stack %s\n", name, of.stack)
		}
	}
	if names := found[operations.Undeclared]; names != nil {
		fmt.Fprintf(c.stderr, "\n%s does not name these. To use one, or delete it:\n", of.file)
		for _, name := range names {
			fmt.Fprintf(c.stderr, "    pulumi config set --path 'secrets.%s' '' --stack %s\n"+
				"    cicd secrets rm %[1]s --stack %[2]s\n", name, of.stack)
		}
	}
	if found[operations.Pending] != nil {
		fmt.Fprintf(c.stderr, "\nThe next release brings the new versions: push a commit, or release the newest\n"+
			"again:\n    %s\n", of.release())
	}
}
