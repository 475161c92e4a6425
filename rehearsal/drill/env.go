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

// drillEnv is the rehearsal that drills run on, one after the other. Each finds a good release that serves, and the good
// push at its end leaves one.
type drillEnv struct {
	*world.World
	dir string // the clone that is pushed from
	// good is the commit that serves between drills; every change starts from its files.
	good string
	// released are the commits that may have answered during the drill, in the order in which they were released.
	released []string
	// progress is what the console has shown during the drill, and watcher shows it to whoever watches.
	progress *progress
	watcher  io.Writer
}

// progress is what the console has shown during a drill.
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

// newDrillEnv clones what the first release was pushed to. From then on the console's text goes to watcher.
func newDrillEnv(ctx context.Context, w *world.World, watcher io.Writer) (*drillEnv, error) {
	dir, err := w.Clone(ctx)
	if err != nil {
		return nil, err
	}
	head, err := github.Git(ctx, dir, "rev-parse", "HEAD")
	return &drillEnv{World: w, dir: dir, good: strings.TrimSpace(head), watcher: watcher}, err
}

// begin forgets the drill before.
func (g *drillEnv) begin() {
	g.released = []string{g.good}
	g.progress = &progress{}
	g.SetOutput(io.MultiWriter(g.progress, g.watcher))
}

// said tells whether the console has shown a word or text since the drill began. Lines are wrapped, so a text may not be
// found where it has blanks.
func (g *drillEnv) said(text string) bool {
	return strings.Contains(g.progress.String(), text)
}

// commit commits the good release's files with the edits, on top of whatever was pushed last.
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

// refuses releases a change, which must fail, with a message that has every one of the texts.
func (g *drillEnv) refuses(ctx context.Context, edits []edit.Edit, texts ...string) error {
	id, err := g.commit(ctx, "A change that must not get through", edits...)
	if err != nil {
		return err
	}
	_, err = g.Release(ctx, g.dir, id)
	if err == nil {
		return fmt.Errorf("the release of %.7s succeeded, and must not", id)
	}
	return g.checkFailure(ctx, err, texts...)
}

// checkFailure checks whether a failure says what it must, and whether the release before goes on answering.
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
		errs = append(errs, fmt.Errorf("the release before does not go on: %w", err))
	}
	return errors.Join(errs...)
}

// repair makes the next good push: a change of a file that the pipeline watches, and nothing else.
func (g *drillEnv) repair(ctx context.Context, drill string) error {
	done, err := g.releases(ctx, "Good again after "+drill, harmless(drill))
	if err == nil {
		g.good = done.Commit
	}
	return err
}

// harmless is a change that any application can bear, and of which webapp's page tells.
func harmless(text string) edit.Edit {
	return func(dir string) error { return edit.Write(world.HarmlessFile(dir), "Released after: "+text+".\n")(dir) }
}

// inOrder returns an error when a commit has answered that was not released, or an older one after a newer one.
func (g *drillEnv) inOrder(served []string) error {
	rest := g.released
	for _, commit := range served {
		i := slices.Index(rest, commit)
		if i < 0 {
			return fmt.Errorf("%.7s has answered out of order: released were %.7s, and answers came from %.7s", commit, g.released, served)
		}
		rest = rest[i:]
	}
	return nil
}
