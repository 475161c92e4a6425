package main

import (
	"bytes"
	"strings"
	"time"

	"cicd/internal/edit"
	"cicd/internal/testproject"
	"cicd/rehearsal/aws/codepipeline"
	"cicd/rehearsal/world"
)

// approvals is the same day with approvals: one release is rejected, the next approved.
func (d day) approvals(good string) {
	d.t.Helper()
	_, stderr := d.cicd(exitFailure, "approve", "--yes")
	d.wants(stderr, `no release of stack "dev" waits`)
	if _, err := d.Configure(d.t.Context(), map[string]any{"approval": true}); err != nil {
		d.t.Fatal(err)
	}
	d.LeaveApprovals()
	d.waitsForNobody()
	for _, verb := range []string{"reject", "approve"} {
		testproject.Apply(d.t, d.dir, edit.Write(world.Greeting, "To "+verb+"\n"))
		commit := testproject.Commit(d.t, d.dir, "To "+verb)
		execution, err := d.Push(d.t.Context(), d.dir)
		if err != nil {
			d.t.Fatal(err)
		}
		d.waits(commit)
		_, stderr = d.cicd(exitUsage, verb)
		d.wants(stderr, "there is no terminal: add --yes")
		_, stderr = d.cicd(exitFailure, verb, good[:7], "--yes")
		d.wants(stderr, commit[:7]+" To "+verb, "nothing is decided")
		out, _ := d.cicd(exitOK, verb, commit[:7], "--yes", "--note", "said so")
		d.wants(out, commit[:7]+" To "+verb)
		status, _ := execution.Wait(d.t.Context())
		serves, approved := d.Serves(d.t.Context(), commit) == nil, verb == "approve"
		if serves != approved || (status == codepipeline.Succeeded) != approved {
			d.t.Errorf("to %s a release: it ended %s, and serves: %v", verb, status, serves)
		}
		if verb == "reject" {
			why, _ := d.cicd(exitOK, "why")
			d.wants(why, "failed in stage Approval", "decided by arn:aws:sts::123456789012:assumed-role/", "said so")
		}
	}
}

// waits waits until a commit waits for an approval.
func (d day) waits(commit string) {
	d.t.Helper()
	for {
		status, stderr := d.cicd(exitOK, "status")
		if strings.Contains(stderr, "cicd approve --stack dev") {
			d.wants(status, "of "+commit[:7], "Approval    InProgress")
			return
		}
		select {
		case <-d.t.Context().Done():
			d.t.Fatal("it does not wait")
		case <-time.After(200 * time.Millisecond):
		}
	}
}

// waitsForNobody releases by hand without a terminal, which waits for no person, and rejects that at one, after a second thought.
func (d day) waitsForNobody() {
	d.t.Helper()
	_, stderr := d.cicd(exitOK, "release")
	d.wants(stderr, "It waits for an approval:", "cicd approve --stack dev, or cicd reject --stack dev")
	d.rejects("no\n", exitFailure)
	d.rejects("yes\n", exitOK)
}

// rejects rejects what waits, at a terminal.
func (d day) rejects(typed string, wantCode int) {
	d.t.Helper()
	var out, errOut bytes.Buffer
	c := cli{program: always(good), check: anything, stdin: strings.NewReader(typed), interactive: true, stdout: &out, stderr: &errOut}
	if code := c.run(d.t.Context(), []string{"reject"}); code != wantCode {
		d.t.Errorf("reject, and %q: exit code %d, want %d\n%s%s", typed, code, wantCode, &out, &errOut)
	}
	d.wants(errOut.String(), " for an approval.\nType yes to reject it: ")
	d.wants(out.String()+errOut.String(), map[int]string{exitOK: "Rejected ", exitFailure: `the approval is unchanged: you typed "no"`}[wantCode])
}
