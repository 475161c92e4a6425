package github

import (
	"context"
	"errors"
	"os/exec"
	"strings"
	"testing"
)

func TestFailuresSayWhy(t *testing.T) {
	c := newCheckout(t)
	c.commit("first", map[string]string{"a.txt": "1"})
	tests := []struct {
		name string
		args []string
		want string
	}{
		{"to standard error", []string{"log", "nowhere"}, "git log: fatal: ambiguous argument 'nowhere'"},
		{"to standard output", []string{"-c", "user.name=A", "-c", "core.abbrev=7", "commit", "--message", "m"}, "nothing to commit, working tree clean: exit status 1"},
		{"a subcommand after settings", []string{"-c", "user.name=A", "commit", "--message", "m"}, "git commit: On branch work"},
		{"not at all", []string{"rev-parse", "--quiet", "--verify", "nowhere"}, "git rev-parse --quiet --verify nowhere failed without a message: exit status 1"},
		{"no such command", []string{"psuh"}, "git psuh: git: 'psuh' is not a git command"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Setenv("LC_ALL", "C")
			_, err := Git(t.Context(), c.dir, tt.args...)
			var exit *exec.ExitError
			if err == nil || !strings.Contains(err.Error(), tt.want) || !errors.As(err, &exit) {
				t.Errorf("the error is %v, want %q in it", err, tt.want)
			}
		})
	}
	ctx, interrupt := context.WithCancel(t.Context())
	interrupt()
	if _, err := Git(ctx, c.dir, "status"); !errors.Is(err, context.Canceled) {
		t.Errorf("the error of an interrupted command is %v, want context.Canceled", err)
	}
}
