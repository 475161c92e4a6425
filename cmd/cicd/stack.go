package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"

	"cicd/automation"
)

// stackFlags are the flags of every command that works on a stack.
type stackFlags struct {
	stack string
	json  bool
}

func (f *stackFlags) add(cmd *cobra.Command) {
	addStackFlag(cmd, &f.stack)
	cmd.Flags().BoolVar(&f.json, "json", false, "print the result as JSON")
}

func addStackFlag(cmd *cobra.Command, stack *string) {
	cmd.Flags().StringVar(stack, "stack", "dev", "`name` of the stack: Pulumi.<name>.yaml")
	completeStacks(cmd)
}

// config finds the project around the current folder, and reads and checks the stack's configuration.
func (c cli) config(stack string) (dir string, config automation.Config, err error) {
	if dir, err = projectDir(); err != nil {
		return "", automation.Config{}, err
	}
	if config, err = automation.ReadConfig(dir, stack); err != nil {
		return "", automation.Config{}, err
	}
	return dir, config, c.check(config.Project, automation.ShortName(stack), config.Values, config.Encrypted)
}

// open opens the stack in the project around the current folder. It checks the configuration first, because the engine
// would report only the first wrong type.
func (c cli) open(ctx context.Context, stack string) (*automation.Stack, error) {
	dir, config, err := c.config(stack)
	if err != nil {
		return nil, err
	}
	return automation.Open(ctx, automation.Options{ProjectDir: dir, Stack: stack, Program: c.program(config.Keys()), Progress: c.stderr})
}

// projectDir returns the nearest folder, from the current one upwards, that has a Pulumi.yaml.
func projectDir() (string, error) {
	here, err := os.Getwd()
	if err != nil {
		return "", fmt.Errorf("current folder: %w", err)
	}
	for dir := here; ; dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "Pulumi.yaml")); err == nil {
			return dir, nil
		}
		if dir == filepath.Dir(dir) {
			return "", fmt.Errorf("no Pulumi.yaml in %s or above it: run cicd in the project's folder", here)
		}
	}
}

// printResult prints the result of an operation.
func (c cli) printResult(r automation.Result, asJSON bool) error {
	if asJSON {
		return printJSON(c.stdout, r)
	}
	fmt.Fprintf(c.stdout, "Stack %s: %s.\n", r.Stack, r.Summary())
	if r.Permalink != "" {
		fmt.Fprintln(c.stdout, r.Permalink)
	}
	return printOutputs(c.stdout, r.Outputs)
}

// printOutputs prints one line per output, sorted by name. Outputs that are not strings are printed as JSON.
func printOutputs(w io.Writer, outputs map[string]any) error {
	width := 0
	for name := range outputs {
		width = max(width, len(name))
	}
	for _, name := range slices.Sorted(maps.Keys(outputs)) {
		text, ok := outputs[name].(string)
		if !ok {
			raw, err := json.Marshal(outputs[name])
			if err != nil {
				return fmt.Errorf("output %s: %w", name, err)
			}
			text = string(raw)
		}
		fmt.Fprintf(w, "%-*s  %s\n", width, name, text)
	}
	return nil
}

func printJSON(w io.Writer, answer any) error {
	encoder := json.NewEncoder(w)
	encoder.SetIndent("", "  ")
	encoder.SetEscapeHTML(false) // keeps URLs legible
	return encoder.Encode(answer)
}
