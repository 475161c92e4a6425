package world

import (
	"strings"
	"testing"

	"cicd/rehearsal/aws/codedeploy"
	"cicd/rehearsal/aws/codedeploy/agent"
	"cicd/rehearsal/console"
)

// TestHooksWarn: what a hook that succeeds warns of is shown, and kept for the end.
func TestHooksWarn(t *testing.T) {
	var out strings.Builder
	r := &reporter{Console: console.New(&out)}
	for _, text := range []string{
		"[stderr]start.sh: commit 1234 serves",
		"[stderr]start.sh: warning: the container of commit 1234 was killed",
		"[stdout]start.sh: warning: not from log",
	} {
		r.deployment(codedeploy.Event{Line: &agent.Line{Kind: agent.ScriptLine, Text: text}})
	}
	const want = "warning: the container of commit 1234 was killed"
	if strings.TrimSpace(out.String()) != want || len(r.notes.all) != 1 || r.notes.all[0] != want {
		t.Errorf("shown %q, kept %q; want only %q", &out, r.notes.all, want)
	}
}
