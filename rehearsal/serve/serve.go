package serve

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"cicd/dashboard"
	"cicd/internal/shellword"
	"cicd/rehearsal/aws/codepipeline"
	"cicd/rehearsal/github"
	"cicd/rehearsal/world"
)

// Scenario keeps everything running for releases of the user's own commits. It makes no second release: that would put a
// commit on the branch that the checkout lacks, and Git would reject the next push from there.
type Scenario struct{}

// Play implements rehearsal.Scenario. It returns nil when ctx ends.
func (Scenario) Play(ctx context.Context, w *world.World) error {
	w.LeaveApprovals()
	w.Chapter("%s serves until you press Ctrl-C. Release a commit:", w.LocalURL())
	fmt.Fprintf(w.Console, "  %s\n", pushCommand(ctx, w.ProjectDir, w.Repository().Dir, w.Branch()))
	operator, err := writeOperator(w)
	if err != nil {
		return err
	}
	page, err := dashboard.Listen(w.Stack, w.Operated(), 0)
	if err != nil {
		return err
	}
	fmt.Fprintf(w.Console, "Watch it, approve and go back on this page, which is for this machine alone:\n  %s\n", page.URL())
	fmt.Fprintf(w.Console, "See it with cicd status, releases, why and the rest, or with aws, after:\n  . %s\n", shellword.Quote(operator))
	if dir := w.LogDir(); dir != "" {
		fmt.Fprintf(w.Console, "What builds and hooks print is in this folder:\n  %s\n", dir)
	}
	var running sync.WaitGroup
	defer running.Wait()
	running.Go(func() {
		if err := page.Serve(ctx); err != nil {
			w.Note("%v", err)
		}
	})
	for {
		select {
		case <-ctx.Done():
			return nil
		case p := <-w.Pushes():
			for _, e := range p.Started {
				running.Go(func() { follow(ctx, w, e, p.At) })
			}
		}
	}
}

// writeOperator writes a file of shell variables with which cicd and aws find the rehearsed account, and the plugin that
// opens sessions with its hosts.
func writeOperator(w *world.World) (path string, err error) {
	var text strings.Builder
	variables := w.Operator()
	for _, name := range slices.Sorted(maps.Keys(variables)) {
		fmt.Fprintf(&text, "export %s=%s\n", name, shellword.Quote(variables[name]))
	}
	fmt.Fprintf(&text, "export PATH=%s:\"$PATH\"\n", shellword.Quote(w.OperatorPath()))
	path = w.Workspace.Path("operator.env")
	return path, os.WriteFile(path, []byte(text.String()), 0o600)
}

// follow reports the outcome of a user's push.
func follow(ctx context.Context, w *world.World, e *codepipeline.Execution, start time.Time) {
	if _, err := w.Follow(ctx, e, start); err != nil && ctx.Err() == nil {
		w.Note("%v", err)
	}
}

// pushCommand returns the command that releases a commit from a shell in the checkout. It is plain unless the checkout's
// settings forbid Git to push to a folder, require a signature, or have a hook for pushes to the real remote. Git LFS's
// hook rejects a folder.
func pushCommand(ctx context.Context, checkout, remote, branch string) string {
	words := []string{"git", "push", shellword.Quote(remote), shellword.Quote("HEAD:" + branch)}
	hook, err := github.UserGit(ctx, checkout, "rev-parse", "--git-path", "hooks/pre-push")
	if hook = strings.TrimSpace(hook); !filepath.IsAbs(hook) {
		hook = filepath.Join(checkout, hook)
	}
	if _, missing := os.Stat(hook); err == nil && missing == nil {
		words = slices.Insert(words, 2, "--no-verify")
	}
	if signed, _ := github.UserGit(ctx, checkout, "config", "--type", "bool", "push.gpgSign"); strings.TrimSpace(signed) == "true" {
		words = slices.Insert(words, 2, "--no-signed")
	}
	if _, err := github.UserGit(ctx, checkout, "ls-remote", remote); err != nil {
		words = slices.Insert(words, 1, "-c", "protocol.file.allow=always")
	}
	if allowed, set := os.LookupEnv("GIT_ALLOW_PROTOCOL"); set && !slices.Contains(strings.Split(allowed, ":"), "file") {
		words = slices.Insert(words, 0, "GIT_ALLOW_PROTOCOL=file")
	}
	return strings.Join(words, " ")
}
