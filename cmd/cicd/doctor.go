package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strings"

	"github.com/spf13/cobra"

	"cicd/automation"
	"cicd/doctor"
	"cicd/operations"
	"cicd/rehearsal/console"
)

func (c cli) doctor() *cobra.Command {
	var flags stackFlags
	fix := false
	cmd := &cobra.Command{
		Use:   "doctor",
		Short: "Look for what would fail later, before anything is created",
		Long: `Look for what would fail later, before anything is created: in the stack's
settings, in the newest commit of this checkout, on GitHub and in AWS. Each
finding says what to do, and which failure of docs/failures.md it prevents.

An error will fail, and makes the exit code 1; a warning may. What cannot be
looked at, for lack of a network or of a permission, is "unchecked", and says
why. Nothing in AWS is changed; --fix changes the settings file alone, where a
value of it repairs a finding: operatorIp becomes this machine's address.`,
		Example: `  cicd doctor --stack prod
  cicd doctor --json | jq '.checks[].findings[] | select(.severity=="error")'`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return c.examine(cmd.Context(), flags, fix) },
	}
	flags.add(cmd)
	cmd.Flags().BoolVar(&fix, "fix", false, "set operatorIp to this machine's address, if it is another")
	return cmd
}

func (c cli) examine(ctx context.Context, flags stackFlags, fix bool) error {
	dir, err := projectDir()
	if err != nil {
		return err
	}
	report, err := c.report(ctx, dir, flags.stack, func(ctx context.Context) (map[string]any, error) {
		if _, err := exec.LookPath("pulumi"); err != nil {
			return nil, errors.New("no pulumi on PATH to ask\nTo do: put the one that `cicd engine` prints there")
		}
		stack, err := c.open(ctx, flags.stack)
		if err != nil {
			return nil, err
		}
		return outputsOf(ctx, stack)
	})
	if err != nil {
		return err
	}
	if fix {
		if err := repair(dir, flags.stack, report); err != nil {
			return err
		}
	}
	failing := report.Count(doctor.Error)
	if flags.json {
		err = printJSON(c.stdout, doctorAnswer{flags.stack, failing, report.Count(doctor.Warning), report.Count(doctor.Unchecked), report})
	} else {
		printReport(c.stdout, report, c.shown)
		fmt.Fprintf(c.stdout, "\nStack %s: %s.\n", flags.stack, summary(report))
	}
	if err == nil && failing > 0 {
		err = fmt.Errorf("stack %q will fail until its errors are corrected", flags.stack)
	}
	return err
}

// report makes all checks of a stack.
func (c cli) report(ctx context.Context, dir, stack string, outputs func(context.Context) (map[string]any, error)) (doctor.Report, error) {
	config, err := automation.ReadConfig(dir, stack)
	if err != nil {
		return nil, err
	}
	report := doctor.Examine(ctx, doctor.Stack{
		Dir:       dir,
		Project:   config.Project,
		Name:      automation.ShortName(stack),
		Config:    config.Values,
		Encrypted: config.Encrypted,
		Outputs:   outputs,
		Address:   operations.OwnAddress,
	})
	return report, ctx.Err()
}

// outputsOf returns a stack's outputs, none before its first up.
func outputsOf(ctx context.Context, stack *automation.Stack) (map[string]any, error) {
	outputs, err := stack.Outputs(ctx)
	if errors.Is(err, automation.ErrNeverUp) {
		return nil, nil
	}
	return outputs, err
}

// beCareful is doctor at the beginning of up: it says what is not well, and returns an error if something will fail.
func (c cli) beCareful(ctx context.Context, stack *automation.Stack, name string) error {
	if !c.careful {
		return nil
	}
	dir, err := projectDir()
	if err != nil {
		return err
	}
	report, err := c.report(ctx, dir, name, func(ctx context.Context) (map[string]any, error) { return outputsOf(ctx, stack) })
	if err != nil {
		return err
	}
	printReport(c.stderr, notable(report), false)
	if report.Count(doctor.Error) > 0 {
		return fmt.Errorf("stack %q will fail until its errors are corrected; nothing is changed", name)
	}
	return nil
}

// notable returns the results with findings.
func notable(report doctor.Report) doctor.Report {
	var some doctor.Report
	for _, result := range report {
		if len(result.Findings) > 0 {
			some = append(some, result)
		}
	}
	return some
}

// repair writes what repairs a finding into the stack's settings file, and notes that in the report.
func repair(dir, stack string, report doctor.Report) error {
	for _, result := range report {
		for i := range result.Findings {
			f := &result.Findings[i]
			if f.Setting == nil {
				continue
			}
			project, err := automation.ReadProject(dir)
			if err != nil {
				return err
			}
			if err := automation.SetValue(dir, stack, fullKey(project, f.Setting.Key), f.Setting.Value); err != nil {
				return err
			}
			f.Severity = doctor.Fixed
			f.Remedy = fmt.Sprintf("%s says %s now: commit that change, and `cicd up --stack %s`.", settingsFile(automation.ShortName(stack)), f.Setting.Value, stack)
		}
	}
	return nil
}

// summary counts the findings.
func summary(report doctor.Report) string {
	var parts []string
	for _, count := range []struct {
		severity doctor.Severity
		one      string
		many     string
	}{{doctor.Error, "error", "errors"}, {doctor.Warning, "warning", "warnings"}, {doctor.Fixed, "fixed", "fixed"}, {doctor.Unchecked, "not checked", "not checked"}} {
		switch n := report.Count(count.severity); n {
		case 0:
		case 1:
			parts = append(parts, "1 "+count.one)
		default:
			parts = append(parts, fmt.Sprintf("%d %s", n, count.many))
		}
	}
	if parts == nil {
		return fmt.Sprintf("all of %d checks are well", len(report))
	}
	return fmt.Sprintf("%s, of %d checks", strings.Join(parts, ", "), len(report))
}

// marks are for terminals, on which they are seen at once.
var marks = map[doctor.Severity]string{"": "✓", doctor.Error: "✗", doctor.Warning: "!", doctor.Fixed: "✓", doctor.Unchecked: "?"}

// printReport prints the results, a group per area. Without marks, words say what each is.
func printReport(w io.Writer, report doctor.Report, marked bool) {
	line := func(severity doctor.Severity, text string) {
		first := fmt.Sprintf("%-9s", severity)
		if severity == "" {
			first = fmt.Sprintf("%-9s", "ok")
		}
		if marked {
			first = marks[severity]
		}
		indent := 2 + len([]rune(first)) + 1
		for i, part := range console.Wrap(text, console.Width-indent) {
			if i == 0 {
				fmt.Fprintf(w, "  %s %s\n", first, part)
				continue
			}
			fmt.Fprintf(w, "%*s%s\n", indent, "", part)
		}
	}
	area := ""
	for _, result := range report {
		if result.Area != area {
			if area = result.Area; result.Area != report[0].Area {
				fmt.Fprintln(w)
			}
			fmt.Fprintln(w, area)
		}
		if len(result.Findings) == 0 {
			line("", result.Name)
		}
		for _, f := range result.Findings {
			line(f.Severity, finding(result.Name, f))
		}
	}
}

// finding is what a finding says, with what to do in a paragraph of its own.
func finding(name string, f doctor.Finding) string {
	if f.Failure != "" {
		name += " (" + f.Failure + ")"
	}
	text := name + ": " + f.Message
	if f.Severity == doctor.Unchecked {
		text = name + ": could not check: " + f.Message
	}
	if f.Remedy == "" {
		return text
	}
	return text + "\nTo do: " + f.Remedy
}
