package world

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"time"

	"cicd/rehearsal/aws/codepipeline"
	"cicd/rehearsal/github"
)

// Release is a commit that was pushed and is being served.
type Release struct {
	Commit string
	Took   time.Duration // from the push to the first answer of the new release
	URL    string
}

func (r Release) String() string {
	return fmt.Sprintf("%s served %.7s %.1f s after its push.", r.URL, r.Commit, r.Took.Seconds())
}

// ReleaseCheckout pushes the newest commit of the checkout, and remembers its release as the first.
func (w *World) ReleaseCheckout(ctx context.Context) error {
	commit, err := github.UserGit(ctx, w.ProjectDir, "rev-parse", "HEAD")
	if err != nil {
		return err
	}
	w.Chapter("First release: git push of this checkout's newest commit")
	if note := uncommitted(ctx, w.ProjectDir); note != "" {
		w.Note("%s", note)
	}
	if w.First, err = w.Release(ctx, w.ProjectDir, strings.TrimSpace(commit)); err != nil {
		return err
	}
	return w.checkDomain(ctx)
}

// uncommitted says how many changes of the checkout are not in its newest commit, "" if none. What is declared is not
// among them: the settings are read in the checkout, and infra/ is compiled into this program.
func uncommitted(ctx context.Context, dir string) string {
	changed, err := github.UserGit(ctx, dir, "status", "--porcelain", "--", ".", ":(exclude)Pulumi*.yaml", ":(exclude)infra")
	switch count := strings.Count(changed, "\n"); {
	case err != nil || count == 0:
		return ""
	case count == 1:
		return "1 uncommitted change is not part of it"
	default:
		return fmt.Sprintf("%d uncommitted changes are not part of it", count)
	}
}

// ReleaseChange does what the team does every day: it commits a change in a clone and pushes it. Meanwhile it sends
// requests and counts them.
func (w *World) ReleaseChange(ctx context.Context) (Release, Visits, error) {
	clone, err := w.Clone(ctx)
	if err != nil {
		return Release{}, Visits{}, err
	}
	// No other rehearsal on this machine has the same text, nor so the same image, which Docker would not pull again.
	text := "Released by a second push to " + w.Workspace.Name + "."
	file, commit, err := w.CommitChange(ctx, clone, text)
	if err != nil {
		return Release{}, Visits{}, err
	}
	w.Chapter("Second release: git push of a changed %s, under requests", filepath.Base(file))
	visitors := visit(ctx, w.cloud.internet(), w.stack.output("appUrl"), nil)
	done, err := w.Release(ctx, clone, commit)
	count := visitors.Leave()
	if err != nil {
		return Release{}, Visits{}, err
	}
	if file == Greeting {
		if err := w.cloud.shows(ctx, w.stack.output("appUrl"), text); err != nil {
			return Release{}, Visits{}, err
		}
	}
	if count.usual >= http.StatusInternalServerError {
		w.Note("the application answers with status %d at all times, so that counts as an answer", count.usual)
	}
	w.Note("%s", count)
	if count.Failed > 0 {
		return Release{}, Visits{}, fmt.Errorf("the release cost requests: %s", count)
	}
	return done, count, nil
}

// Release pushes the newest commit of a working copy, and waits until the URL serves it.
func (w *World) Release(ctx context.Context, dir, commit string) (Release, error) {
	watched, stop := context.WithCancel(ctx)
	defer stop()
	start := time.Now()
	first := w.cloud.firstServed(watched, w.stack.output("appUrl"), commit)
	execution, err := w.Push(ctx, dir)
	if err != nil {
		return Release{}, err
	}
	return w.goLive(ctx, execution, start, first)
}

// Follow waits until the URL serves the commit of an execution that began at start.
func (w *World) Follow(ctx context.Context, e *codepipeline.Execution, start time.Time) (Release, error) {
	watched, stop := context.WithCancel(ctx)
	defer stop()
	return w.goLive(ctx, e, start, w.cloud.firstServed(watched, w.stack.output("appUrl"), e.Commit))
}

// goLive waits until an execution has ended and the URL serves its commit. The time that counts is from start to the
// first answer: the deployment goes on after that, to retire the old container and validate the new one.
func (w *World) goLive(ctx context.Context, e *codepipeline.Execution, start time.Time, first <-chan time.Time) (Release, error) {
	if status, err := e.Wait(ctx); status != codepipeline.Succeeded {
		return Release{}, errors.Join(fmt.Errorf("the release of %.7s ended %s", e.Commit, status), err)
	}
	done := Release{Commit: e.Commit, URL: w.LocalURL()}
	if err := w.cloud.serves(ctx, w.stack.output("appUrl"), e.Commit); err != nil {
		return done, err
	}
	select {
	case moment := <-first:
		done.Took = moment.Sub(start)
	case <-time.After(serveTimeout):
		return done, fmt.Errorf("%s has served %.7s, but too briefly to measure since when", done.URL, e.Commit)
	case <-ctx.Done():
		return done, ctx.Err()
	}
	w.Step("live", fmt.Sprintf("%s serves %.7s", done.URL, done.Commit), done.Took)
	return done, nil
}

// Push pushes to the branch that the pipeline watches, and returns the started execution.
func (w *World) Push(ctx context.Context, dir string) (*codepipeline.Execution, error) {
	started, err := w.PushTo(ctx, dir, "HEAD", w.Branch())
	if err != nil {
		return nil, err
	}
	return started[0], nil
}

// PushTo pushes a revision of a working copy to a branch, and returns the started executions: one or more if there is
// no error.
func (w *World) PushTo(ctx context.Context, dir, revision, branch string) ([]*codepipeline.Execution, error) {
	repository := w.cloud.pipelines.Repository
	for len(w.cloud.pushes) > 0 {
		<-w.cloud.pushes // of an earlier push
	}
	start := time.Now()
	said, err := repository.Push(ctx, dir, revision, branch)
	if err != nil {
		return nil, err
	}
	w.Step("git push", "to "+repository.FullName+", branch "+branch, time.Since(start))
	select {
	case p := <-w.cloud.pushes: // before git push returned
		if p.err != nil {
			return nil, fmt.Errorf("the push to %s started nothing: %w", branch, p.err)
		}
		return p.Started, nil
	default:
		return nil, fmt.Errorf("the push to %s arrived but reached no pipeline: the post-receive hook of %s did not report it. git push said: %q", branch, repository.Dir, said)
	}
}

// Branch is the branch of the pipeline's source action.
func (w *World) Branch() string {
	_, branch, _ := w.cloud.pipelines.Source(w.stack.output("pipelineName")) // bringUp has checked it
	return branch
}

// LocalURL is the URL of the application for a browser on this machine.
func (w *World) LocalURL() string {
	address, err := w.cloud.addressOf(w.stack.output("appUrl"))
	if err != nil {
		return w.stack.output("appUrl")
	}
	return "http://" + address
}
