package main

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"cicd/rehearsal/console"
)

// TestCompletion: a shell is offered what exists, and no names of files.
func TestCompletion(t *testing.T) {
	project(t)
	for args, want := range map[string][]string{
		"up --stack":       {"dev", "prod", ":4"}, // cobra's ShellCompDirectiveNoFileComp
		"rehearse --stack": {"dev", "prod", ":4"},
		"rehearse --drill": {"all", "list", "disk-full\t", ":4"},
	} {
		var stdout bytes.Buffer
		c := cli{program: always(good), check: anything, stdout: &stdout, stderr: io.Discard}
		if code := c.run(t.Context(), append([]string{"__complete"}, append(strings.Fields(args), "")...)); code != exitOK {
			t.Errorf("%s: exit code %d", args, code)
		}
		for _, line := range want {
			if !strings.Contains("\n"+stdout.String(), "\n"+line) {
				t.Errorf("%s: offers %q, want %q", args, &stdout, line)
			}
		}
	}
}

func TestVersion(t *testing.T) {
	var stdout bytes.Buffer
	if code := (cli{stdout: &stdout, stderr: io.Discard}).run(t.Context(), []string{"--version"}); code != exitOK {
		t.Fatalf("exit code %d", code)
	}
	for _, want := range []string{"cicd version ", "go1."} {
		if !strings.Contains(stdout.String(), want) {
			t.Errorf("%q, want %q in it", &stdout, want)
		}
	}
}

// TestManual: each command has a page, with its examples.
func TestManual(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "man1")
	c := cli{stdout: io.Discard, stderr: io.Discard}
	if code := c.run(t.Context(), []string{"man", folder}); code != exitOK {
		t.Fatalf("exit code %d", code)
	}
	pages := 0
	for _, command := range c.root().Commands() {
		page, err := os.ReadFile(filepath.Join(folder, "cicd-"+command.Name()+".1"))
		if err != nil || !strings.Contains(string(page), ".SH SYNOPSIS") || command.HasExample() != strings.Contains(string(page), ".SH EXAMPLE") {
			t.Errorf("the page of %s (%v): %s", command.Name(), err, page)
		}
		pages++
	}
	if pages < 20 {
		t.Errorf("%d pages: are these all?", pages)
	}
}

// TestHelpIsNarrow: every help text fits the width of a terminal.
func TestHelpIsNarrow(t *testing.T) {
	commands := 0
	var check func(*cobra.Command)
	check = func(command *cobra.Command) {
		commands++
		var stdout bytes.Buffer
		command.SetOut(&stdout)
		if err := command.Help(); err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(stdout.String()) {
			if utf8.RuneCountInString(strings.TrimSuffix(line, "\n")) > console.Width {
				t.Errorf("%s --help: wider than a terminal: %q", command.CommandPath(), line)
			}
		}
		for _, c := range command.Commands() {
			check(c)
		}
	}
	check(cli{stdout: io.Discard, stderr: io.Discard}.root())
	if commands < 20 {
		t.Errorf("%d commands: are these all?", commands)
	}
}
