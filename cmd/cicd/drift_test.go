package main

import (
	"bytes"
	"os"
	"strings"

	"cicd/internal/docker"
	"cicd/operations"
)

// drift compares a stack that is up with what runs: as it was released, without its container, and with it again.
func (d day) drift(declare program) {
	d.t.Helper()
	drift := func(wantCode int, args ...string) (stdout, stderr string) {
		var out, errOut bytes.Buffer
		c := cli{program: declare, check: anything, stdout: &out, stderr: &errOut}
		if code := c.run(d.t.Context(), append([]string{"drift"}, args...)); code != wantCode {
			d.t.Errorf("drift %v: exit code %d, want %d\n%s%s", args, code, wantCode, &out, &errOut)
		}
		return out.String(), errOut.String()
	}
	out, _ := drift(exitOK, "--json")
	wantAnswer(d.t, []string{"drift"}, out)
	answer := decoded[driftAnswer](d.t, out)
	printed, _ := d.cicd(exitOK, "status", "--json")
	status := decoded[struct{ Serving operations.Run }](d.t, printed)
	if len(answer.Containers) != 1 || answer.Containers[0].Commit != status.Serving.Commit || answer.Unchecked != "" {
		d.t.Fatalf("it found %+v, want one container of commit %s", answer, status.Serving.Commit)
	}
	serving := answer.Containers[0].Name
	if _, err := docker.Run(d.t.Context(), "container", "stop", "--time", "1", serving); err != nil {
		d.t.Fatal(err)
	}
	out, stderr := drift(exitDrift)
	d.wants(out, "Resources: 1 unchanged.", "Drift: no container of web runs.")
	d.wants(stderr, "is not as declared and released", "cicd release --stack dev")
	if _, err := docker.Run(d.t.Context(), "container", "start", serving); err != nil {
		d.t.Fatal(err)
	}
	out, _ = drift(exitOK)
	d.wants(out, "Running: web, commit "+operations.Short(status.Serving.Commit)+", in "+serving)

	d.t.Setenv("PATH", strings.ReplaceAll(os.Getenv("PATH"), d.OperatorPath()+string(os.PathListSeparator), "")) // without the plugin
	_, stderr = drift(exitOK)
	d.wants(stderr, "warning: it is not checked what runs: session-manager-plugin is not on PATH")
}
