package drill

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"

	"cicd/internal/edit"
	"cicd/rehearsal/world"

	"cicd/rehearsal/github"
)

// drillEnv is the rehearsal in which drills run one after the other. Each finds a good release serving, and the good
// push at its end leaves one.
type drillEnv struct {
	*world.World
	dir string // the clone to push from
	// good is the commit that serves between drills; every change starts from its files.
	good string
	// released are the commits that may have answered during the drill, in the order of their releases.
	released []string
	// progress has what the console showed during the drill, and watcher shows it to whoever watches.
	progress *progress
	watcher  io.Writer
}

// progress collects what the console shows during a drill.
type progress struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (p *progress) Write(text []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.text.Write(text)
}

func (p *progress) String() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.text.String()
}

// newDrillEnv clones the repository that the first release was pushed to. From then on, watcher gets the console's text.
func newDrillEnv(ctx context.Context, w *world.World, watcher io.Writer) (*drillEnv, error) {
	dir, err := w.Clone(ctx)
	if err != nil {
		return nil, err
	}
	head, err := github.Git(ctx, dir, "rev-parse", "HEAD")
	return &drillEnv{World: w, dir: dir, good: strings.TrimSpace(head), watcher: watcher}, err
}

// begin resets the state of the previous drill.
func (g *drillEnv) begin() {
	g.released = []string{g.good}
	g.progress = &progress{}
	g.SetOutput(io.MultiWriter(g.progress, g.watcher))
}

// said reports whether the console has shown a text since the drill began. Lines are wrapped, so a text with blanks may
// not be found.
func (g *drillEnv) said(text string) bool {
	return strings.Contains(g.progress.String(), text)
}

// commit commits the good release's files with the edits, on top of the last push.
func (g *drillEnv) commit(ctx context.Context, message string, edits ...edit.Edit) (id string, err error) {
	if _, err := github.Git(ctx, g.dir, "read-tree", "--reset", "-u", g.good); err != nil {
		return "", err
	}
	for _, e := range edits {
		if err := e(g.dir); err != nil {
			return "", err
		}
	}
	return world.CommitAll(ctx, g.dir, message)
}

// releases releases a change, which must succeed.
func (g *drillEnv) releases(ctx context.Context, message string, edits ...edit.Edit) (world.Release, error) {
	id, err := g.commit(ctx, message, edits...)
	if err != nil {
		return world.Release{}, err
	}
	g.released = append(g.released, id)
	done, err := g.Release(ctx, g.dir, id)
	if err != nil {
		return done, fmt.Errorf("a release that has to succeed failed: %w", err)
	}
	return done, nil
}

// refuses releases a change, which must fail with a message that contains all the texts.
func (g *drillEnv) refuses(ctx context.Context, edits []edit.Edit, texts ...string) error {
	id, err := g.commit(ctx, "A change that must not get through", edits...)
	if err != nil {
		return err
	}
	_, err = g.Release(ctx, g.dir, id)
	if err == nil {
		return fmt.Errorf("the release of %.7s succeeded, but must fail", id)
	}
	return g.checkFailure(ctx, err, texts...)
}

// checkFailure checks that a failure's message contains the texts, that the previous release still answers, and that `cicd
// why` explains it.
func (g *drillEnv) checkFailure(ctx context.Context, failure error, texts ...string) error {
	g.Note("the message: %v", failure)
	var errs []error
	for _, text := range texts {
		if !strings.Contains(failure.Error(), text) {
			errs = append(errs, fmt.Errorf("the message lacks %q", text))
		}
	}
	if errs != nil {
		errs = append(errs, fmt.Errorf("the message is:\n%s", indented(failure.Error())))
	}
	if err := g.Serves(ctx, g.good); err != nil {
		errs = append(errs, fmt.Errorf("the previous release does not go on: %w", err))
	}
	return errors.Join(append(errs, g.explains(ctx, texts))...)
}

// repair makes the next good push: it only changes a file that the pipeline watches.
func (g *drillEnv) repair(ctx context.Context, drill string) error {
	done, err := g.releases(ctx, "Good again after "+drill, g.harmless(ctx, drill))
	if err == nil {
		g.good = done.Commit
	}
	return err
}

// harmless is a change that no application minds, and that the embedded application's page shows.
func (g *drillEnv) harmless(ctx context.Context, text string) edit.Edit {
	return func(dir string) error {
		_, err := g.Touch(ctx, dir, "Released after: "+text+".")
		return err
	}
}

// inOrder returns an error if a commit answered that was not released, or an older one answered after a newer one.
func (g *drillEnv) inOrder(served []string) error {
	rest := g.released
	for _, commit := range served {
		i := slices.Index(rest, commit)
		if i < 0 {
			return fmt.Errorf("%.7s answered out of order: released were %.7s, answers came from %.7s", commit, g.released, served)
		}
		rest = rest[i:]
	}
	return nil
}
