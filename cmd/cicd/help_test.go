package main

import (
	"bytes"
	"io"
	"strings"
	"testing"
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

// TestHelpIsNarrow: every help text fits the width of a terminal.
func TestHelpIsNarrow(t *testing.T) {
	for _, command := range []string{"", "init", "preview", "up", "status", "releases", "release", "why", "logs", "destroy", "outputs", "secrets", "secrets set", "secrets list", "secrets rm", "rehearse", "engine"} {
		var stdout bytes.Buffer
		if code := (cli{stdout: &stdout, stderr: io.Discard}).run(t.Context(), append(strings.Fields(command), "--help")); code != exitOK {
			t.Fatalf("cicd %s --help: exit code %d", command, code)
		}
		for line := range strings.Lines(stdout.String()) {
			if len(strings.TrimSuffix(line, "\n")) > 80 {
				t.Errorf("cicd %s --help: wider than 80 columns: %q", command, line)
			}
		}
	}
}
