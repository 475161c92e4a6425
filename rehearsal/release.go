package rehearsal

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"cicd/rehearsal/codepipeline"
	"cicd/rehearsal/github"
)

// greeting is the file of the embedded application whose one line its page shows. Another application has none:
// there the change that is pushed is a file that it does not know.
const greeting = "webapp/greeting.txt"

// release is a commit that was pushed and is being served.
type release struct {
	commit string
	took   time.Duration // from the push to the first answer of the new release
	url    string
}

func (r release) String() string {
	return fmt.Sprintf("%s served %.7s %.1f s after its push.", r.url, r.commit, r.took.Seconds())
}

// releaseCheckout pushes the newest commit of the checkout.
func (r *rehearsal) releaseCheckout(ctx context.Context) (string, error) {
	commit, err := github.UserGit(ctx, r.ProjectDir, "rev-parse", "HEAD")
	if err != nil {
		return "", err
	}
	r.chapter("First release: git push of this checkout's newest commit")
	if changed, err := github.UserGit(ctx, r.ProjectDir, "status", "--porcelain"); err == nil && changed != "" {
		r.note("%d uncommitted changes are not part of it", strings.Count(changed, "\n"))
	}
	done, err := r.release(ctx, r.ProjectDir, strings.TrimSpace(commit))
	return done.String(), err
}

// releaseChange does what the team does every day: it commits a change in a clone and pushes it, while requests
// come in.
func (r *rehearsal) releaseChange(ctx context.Context) (string, error) {
	clone, err := r.clone(ctx)
	if err != nil {
		return "", err
	}
	const text = "Released by a second push."
	file, commit, err := r.commitChange(ctx, clone, text)
	if err != nil {
		return "", err
	}
	r.chapter("Second release: git push of a changed %s, under requests", filepath.Base(file))
	visitors := visit(ctx, r.cloud.internet(), r.stack.output("appUrl"), nil)
	done, err := r.release(ctx, clone, commit)
	count := visitors.leave()
	if err != nil {
		return "", err
	}
	if file == greeting {
		if err := r.cloud.shows(ctx, r.stack.output("appUrl"), text); err != nil {
			return "", err
		}
	}
	r.note("%s", count)
	if count.failed > 0 {
		return "", fmt.Errorf("the release cost requests: %s", count)
	}
	return fmt.Sprintf("%s %s", done, count), nil
}

// clone makes a working copy of what is on GitHub, as each of the team has one.
func (r *rehearsal) clone(ctx context.Context) (dir string, err error) {
	dir = r.work.path("clone")
	_, err = github.Git(ctx, "", "clone", "--quiet", "--branch", r.branch(), r.cloud.pipelines.Repository.Dir, dir)
	return dir, err
}

// commitChange commits a changed file, of one line of text, in a working copy.
func (r *rehearsal) commitChange(ctx context.Context, dir, text string) (file, commit string, err error) {
	file = harmlessFile(dir)
	if err := os.WriteFile(filepath.Join(dir, file), []byte(text+"\n"), 0o644); err != nil {
		return "", "", err
	}
	commit, err = commitAll(ctx, dir, "Change "+file)
	return file, commit, err
}

// harmlessFile names a file in a working copy that any application can bear a change of: see greeting.
func harmlessFile(dir string) string {
	if _, err := os.Stat(filepath.Join(dir, greeting)); err == nil {
		return greeting
	}
	return "webapp/rehearsal.txt"
}

// commitAll commits everything that has changed in a clone, what the repository ignores too.
func commitAll(ctx context.Context, dir, message string) (id string, err error) {
	for _, args := range [][]string{{"add", "--all", "--force"}, {"commit", "--quiet", "--message", message}} {
		if _, err := github.Git(ctx, dir, args...); err != nil {
			return "", err
		}
	}
	head, err := github.Git(ctx, dir, "rev-parse", "HEAD")
	return strings.TrimSpace(head), err
}

// release pushes the newest commit of a working copy, and waits until the URL serves it.
func (r *rehearsal) release(ctx context.Context, dir, commit string) (release, error) {
	watched, stop := context.WithCancel(ctx)
	defer stop()
	start := time.Now()
	first := r.cloud.firstServed(watched, r.stack.output("appUrl"), commit)
	execution, err := r.push(ctx, dir)
	if err != nil {
		return release{}, err
	}
	return r.goLive(ctx, execution, start, first)
}

// goLive waits for an execution to end and the URL to serve its commit. The time that counts is from the start to the first
// answer: the deployment goes on after it, to retire the old container and to prove the new one.
func (r *rehearsal) goLive(ctx context.Context, e *codepipeline.Execution, start time.Time, first <-chan time.Time) (release, error) {
	if status, err := e.Wait(ctx); status != codepipeline.Succeeded {
		return release{}, errors.Join(fmt.Errorf("the release of %.7s ended %s", e.Commit, status), err)
	}
	done := release{commit: e.Commit, url: r.localURL()}
	if err := r.cloud.serves(ctx, r.stack.output("appUrl"), e.Commit); err != nil {
		return done, err
	}
	select {
	case moment := <-first:
		done.took = moment.Sub(start)
	case <-ctx.Done():
		return done, ctx.Err()
	}
	r.step("live", fmt.Sprintf("%s serves %.7s", done.url, done.commit), done.took)
	return done, nil
}

// push pushes to the branch that the pipeline watches, and returns the execution that this started.
func (r *rehearsal) push(ctx context.Context, dir string) (*codepipeline.Execution, error) {
	started, err := r.pushTo(ctx, dir, "HEAD", r.branch())
	if err != nil {
		return nil, err
	}
	return started[0], nil
}

// pushTo pushes a revision of a working copy to a branch, and returns the executions that this started: one or more where
// there is no error.
func (r *rehearsal) pushTo(ctx context.Context, dir, revision, branch string) ([]*codepipeline.Execution, error) {
	repository := r.cloud.pipelines.Repository
	for len(r.cloud.heard) > 0 {
		<-r.cloud.heard // of an earlier push
	}
	start := time.Now()
	said, err := repository.Push(ctx, dir, revision, branch)
	if err != nil {
		return nil, err
	}
	r.step("git push", "to "+repository.FullName+", branch "+branch, time.Since(start))
	select {
	case p := <-r.cloud.heard: // before git push returned
		if p.err != nil {
			return nil, fmt.Errorf("the push to %s started nothing: %w (config branch, watchPaths)", branch, p.err)
		}
		return p.started, nil
	default:
		return nil, fmt.Errorf("the push to %s arrived and no pipeline heard of it: the post-receive hook of %s did not report it. git push said: %q", branch, repository.Dir, said)
	}
}

// branch is what the pipeline's source action names.
func (r *rehearsal) branch() string {
	_, branch, _ := r.cloud.pipelines.Source(r.stack.output("pipelineName")) // which bringUp has made sure of
	return branch
}

// localURL is where a browser on this machine finds what appUrl leads to.
func (r *rehearsal) localURL() string {
	address, err := r.cloud.addressOf(r.stack.output("appUrl"))
	if err != nil {
		return r.stack.output("appUrl")
	}
	return "http://" + address
}

// serve keeps everything running until ctx ends, for releases of the user's own commits.
func (r *rehearsal) serve(ctx context.Context) {
	r.chapter("%s serves until you press Ctrl-C. Release a commit:", r.localURL())
	fmt.Fprintf(r.console, "  %s\n", pushCommand(ctx, r.ProjectDir, r.cloud.pipelines.Repository.Dir, r.branch()))
	var releases sync.WaitGroup
	defer releases.Wait()
	for {
		select {
		case <-ctx.Done():
			return
		case p := <-r.cloud.heard:
			for _, e := range p.started {
				releases.Go(func() { r.follow(ctx, e, p.at) })
			}
		}
	}
}

// follow reports how the release of a user's push ends.
func (r *rehearsal) follow(ctx context.Context, e *codepipeline.Execution, start time.Time) {
	watched, stop := context.WithCancel(ctx)
	defer stop()
	first := r.cloud.firstServed(watched, r.stack.output("appUrl"), e.Commit)
	if _, err := r.goLive(ctx, e, start, first); err != nil && ctx.Err() == nil {
		r.note("%v", err)
	}
}

// pushCommand is what releases a commit when it is pasted in a shell in the checkout: plain, unless the checkout's settings
// forbid Git to push to a folder, or have a hook for pushes to the real remote. That of Git LFS refuses a folder.
func pushCommand(ctx context.Context, checkout, remote, branch string) string {
	words := []string{"git", "push", shellWord(remote), shellWord("HEAD:" + branch)}
	hook, err := github.UserGit(ctx, checkout, "rev-parse", "--git-path", "hooks/pre-push")
	if hook = strings.TrimSpace(hook); !filepath.IsAbs(hook) {
		hook = filepath.Join(checkout, hook)
	}
	if _, missing := os.Stat(hook); err == nil && missing == nil {
		words = slices.Insert(words, 2, "--no-verify")
	}
	if _, err := github.UserGit(ctx, checkout, "ls-remote", remote); err != nil {
		words = slices.Insert(words, 1, "-c", "protocol.file.allow=always")
	}
	return strings.Join(words, " ")
}

// shellWord writes a text as one word of a shell's, in quotes where it has more than letters, digits and a few signs.
func shellWord(text string) string {
	if plainWord.MatchString(text) {
		return text
	}
	return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'"
}

var plainWord = regexp.MustCompile(`^[A-Za-z0-9_./:@+-]+$`)
