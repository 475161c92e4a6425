package rehearsal

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"cicd/internal/docker/dockertest"
	"cicd/internal/testproject"
	"cicd/rehearsal/change"
	"cicd/rehearsal/rehearsaltest"
	"cicd/rehearsal/workspace"
)

func TestInterruptLeavesNothing(t *testing.T) {
	dockertest.Need(t)
	for _, moment := range []string{"handshake", "git push", "BeforeInstall", "Second release"} {
		t.Run(moment, func(t *testing.T) {
			project := testproject.New(t)
			clean := rehearsaltest.WantClean(t, project)
			ctx, interrupt := context.WithCancel(t.Context())
			defer interrupt()
			log := &watched{moment: moment, seen: interrupt}
			err := Run(ctx, rehearsaltest.Options(project, DefaultStack, log), change.Scenario{Out: io.Discard})
			if !errors.Is(err, context.Canceled) {
				t.Errorf("the rehearsal ended with %v, want it canceled\n%s", err, log.text.String())
			}
			clean()
		})
	}
}

// watched calls seen when a text is written for the first time.
type watched struct {
	moment string
	seen   func()
	text   strings.Builder
}

func (w *watched) Write(p []byte) (int, error) {
	if strings.Contains(string(p), w.moment) {
		w.seen()
	}
	return w.text.Write(p)
}

// TestKilledRehearsalIsSwept kills a rehearsal in the middle of its first release.
func TestKilledRehearsalIsSwept(t *testing.T) {
	dockertest.Need(t)
	project := testproject.New(t)
	before := rehearsaltest.Orphans(t)
	cmd := rehearse(project)
	stderr, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	killed := &watched{moment: "ApplicationStart", seen: func() { cmd.Process.Kill() }}
	if _, err := io.Copy(killed, stderr); err != nil {
		t.Fatal(err)
	}
	cmd.Wait()
	if left := rehearsaltest.Leftovers(t, project, before); len(left) == 0 {
		t.Fatalf("the killed rehearsal left nothing, so there is nothing to sweep\n%s", killed.text.String())
	}
	var told strings.Builder
	work, err := workspace.New(t.Context(), t.TempDir(), &told)
	if err != nil {
		t.Fatal(err)
	}
	defer work.Remove(context.Background())
	if logs := logsOf(t, project); len(logs) == 0 {
		t.Error("the logs of the killed rehearsal are gone, and nobody has seen them")
	}
	if want := "Removed what " + workspace.NamePrefix(project); !strings.Contains(told.String(), want) { // beside those of other tests
		t.Errorf("told %q, want %q", told.String(), want)
	}
	if err := work.Remove(t.Context()); err != nil {
		t.Fatal(err)
	}
	deadline := time.Now().Add(10 * time.Second)
	for left := rehearsaltest.Leftovers(t, project, before); len(left) > 0; left = rehearsaltest.Leftovers(t, project, before) {
		if time.Now().After(deadline) { // processes that were killed take a moment to be gone
			t.Fatalf("left behind: %q", left)
		}
	}
}
