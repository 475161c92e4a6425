package main

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestOpen: a person's browser gets the address, and a script does without.
func TestOpen(t *testing.T) {
	project(t)
	const url = "http://localhost/?a=1&b=2"
	dir := t.TempDir()
	opened := filepath.Join(dir, "opened")
	for _, opener := range []string{"xdg-open", "open"} {
		if err := os.WriteFile(filepath.Join(dir, opener), []byte("#!/bin/sh\nprintf %s \"$*\" >\""+opened+"\"\n"), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("PATH", dir+string(os.PathListSeparator)+os.Getenv("PATH"))
	if code := (cli{program: always(good), check: anything, stdout: io.Discard, stderr: io.Discard}).run(t.Context(), []string{"up"}); code != exitOK {
		t.Fatalf("up: exit code %d", code)
	}
	for _, interactive := range []bool{false, true} {
		var stdout strings.Builder
		c := cli{program: always(good), check: anything, interactive: interactive, stdout: &stdout, stderr: io.Discard}
		if code := c.run(t.Context(), []string{"open"}); code != exitOK || stdout.String() != url+"\n" {
			t.Errorf("exit code %d, %q, want the address", code, &stdout)
		}
		got, _ := os.ReadFile(opened)
		if want := map[bool]string{true: url}[interactive]; string(got) != want {
			t.Errorf("at a terminal %v: the browser got %q, want %q", interactive, got, want)
		}
	}
	if code := (cli{program: always(good), check: anything, stdout: io.Discard, stderr: io.Discard}).run(t.Context(), []string{"open", "--stack", "prod"}); code != exitFailure {
		t.Errorf("a stack that has never been up: exit code %d", code)
	}
}
