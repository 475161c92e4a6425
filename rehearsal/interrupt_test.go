package rehearsal

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

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
			t.Parallel()
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

// watched calls seen the first time a text is written.
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
	ownRecords(t)
	project := testproject.New(t)
	before, clean := rehearsaltest.Orphans(t), rehearsaltest.WantClean(t, project)
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
	if want := "Removed what " + workspace.NamePrefix(project); !strings.Contains(told.String(), want) {
		t.Errorf("told %q, want %q", told.String(), want)
	}
	if err := work.Remove(t.Context()); err != nil {
		t.Fatal(err)
	}
	clean()
}

// ownRecords gives the test its own records of rehearsals, so that no other test sweeps what it kills. The other caches
// are the user's.
func ownRecords(t *testing.T) {
	t.Helper()
	caches, err := os.UserCacheDir()
	if err != nil {
		t.Fatal(err)
	}
	own := t.TempDir()
	if err := os.Mkdir(filepath.Join(own, "cicd"), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"tools", "codebuild"} {
		if err := os.Symlink(filepath.Join(caches, "cicd", name), filepath.Join(own, "cicd", name)); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("XDG_CACHE_HOME", own)
}
