package automation

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestCommandSignals runs a stand-in engine that counts interruptions: it must get none before it handles them, then
// exactly one, in a process group that no terminal signals.
func TestCommandSignals(t *testing.T) {
	dir := t.TempDir()
	engine := filepath.Join(dir, "pulumi")
	script := `#!/bin/sh
trap 'echo interrupted; [ -e "` + dir + `/begun" ] && exit 1' INT
ps -o pgid= -p $$ | tr -d ' \n' > "` + dir + `/group"
echo running
while :; do sleep 0.01; done
`
	if err := os.WriteFile(engine, []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	begun := make(chan struct{})
	c := &command{engine: Engine{Path: engine}, begun: begun}
	running := &textSignal{"running", make(chan struct{})}
	interrupted := &textSignal{"interrupted", make(chan struct{})}
	ctx, interrupt := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	var stdout string
	go func() {
		var err error
		stdout, _, _, err = c.Run(ctx, dir, nil, []io.Writer{running, interrupted}, nil, nil)
		ended <- err
	}()
	waitFor(t, running.found, ended)
	interrupt()
	select {
	case <-interrupted.found:
		t.Fatal("interrupted before it handles interruptions")
	case <-time.After(200 * time.Millisecond): // only waiting can show that nothing happens
	}
	if err := os.WriteFile(filepath.Join(dir, "begun"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	close(begun)
	waitFor(t, interrupted.found, nil)
	if err := <-ended; err == nil {
		t.Error("Run: no error from an engine that exited with 1")
	}
	group, err := os.ReadFile(filepath.Join(dir, "group"))
	if ours := strconv.Itoa(syscall.Getpgrp()); err != nil || string(group) == ours {
		t.Errorf("the engine's process group is %q (%v), ours %s; want another", group, err, ours)
	}
	if stdout != "running\ninterrupted\n" {
		t.Errorf("the engine printed %q, want one interruption", stdout)
	}
}

// TestOptionsOfTheUser: PULUMI_OPTION_* are for the user's own commands. With this one, the engine would panic.
func TestOptionsOfTheUser(t *testing.T) {
	t.Setenv("PULUMI_OPTION_PARALLEL", "many")
	t.Setenv("PULUMI_HOME", "/of/the/user")
	for name, base := range map[string][]string{"the user's": nil, "a stated one": {"PULUMI_OPTION_JSON=true", "PATH=/bin"}} {
		environment := engineEnvironment(base)
		for _, variable := range environment {
			if strings.HasPrefix(variable, "PULUMI_OPTION_") {
				t.Errorf("%s environment has %s", name, variable)
			}
		}
		if got := slices.Contains(environment, "PULUMI_HOME=/of/the/user"); got != (base == nil) {
			t.Errorf("%s environment has the user's PULUMI_HOME: %t", name, got)
		}
	}
}
