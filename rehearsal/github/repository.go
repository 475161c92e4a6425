// Package github is a GitHub repository on this machine: a bare Git repository that real git pushes to and whose
// pushes become events, as a connection's webhook makes them.
package github

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// noCommit is what git sends for the old end of a branch that is created, and for the new end of one that is deleted.
const noCommit = "0000000000000000000000000000000000000000"

// ErrNoCommit says that a branch has no commit, or does not exist, which for Git is the same.
var ErrNoCommit = errors.New("no commit on the branch")

// Repository is one bare repository and the listener that its post-receive hook reports to.
type Repository struct {
	// FullName is GitHub's "owner/name".
	FullName string
	// Dir is the bare repository: the remote to push to.
	Dir string

	hook *hookListener
}

// Push is a branch that a push moved.
type Push struct {
	Branch string
	// Before is the commit that the branch pointed at, "" for a new branch. After is where it points now.
	Before, After string
}

// Commit describes the head of a branch.
type Commit struct {
	ID         string
	Message    string
	AuthorDate string // RFC 3339
}

// Create makes the bare repository fullName below root. Each pushed branch is handed to onPush, one at a time and in
// the order of the pushes; what onPush returns is shown to whoever pushed, as lines that start with "remote:".
func Create(ctx context.Context, root, fullName string, onPush func(Push) string) (*Repository, error) {
	r := &Repository{FullName: fullName, Dir: filepath.Join(root, filepath.FromSlash(fullName)+".git")}
	if _, err := Git(ctx, "", "init", "--quiet", "--bare", r.Dir); err != nil {
		return nil, err
	}
	// The checkout that is pushed may be a shallow clone, as in CI.
	if _, err := Git(ctx, r.Dir, "config", "receive.shallowUpdate", "true"); err != nil {
		return nil, err
	}
	var err error
	if r.hook, err = listenForHook(onPush); err != nil {
		return nil, fmt.Errorf("repository %s: %w", fullName, err)
	}
	hooks := filepath.Join(r.Dir, "hooks")
	// A template folder of the machine's own may have brought other hooks along: they are not GitHub's.
	if err := errors.Join(os.RemoveAll(hooks), os.Mkdir(hooks, 0o755), os.WriteFile(filepath.Join(hooks, "post-receive"), r.hook.script(), 0o755)); err != nil {
		r.hook.close()
		return nil, fmt.Errorf("repository %s: post-receive hook: %w", fullName, err)
	}
	return r, nil
}

// Close stops listening for pushes. The bare repository stays until its folder is removed.
func (r *Repository) Close() { r.hook.close() }

// Head returns the newest commit of a branch, or ErrNoCommit.
func (r *Repository) Head(ctx context.Context, branch string) (Commit, error) {
	if _, err := Git(ctx, r.Dir, "rev-parse", "--quiet", "--verify", "refs/heads/"+branch); err != nil {
		return Commit{}, fmt.Errorf("%s@%s: %w", r.FullName, branch, ErrNoCommit)
	}
	return r.Commit(ctx, "refs/heads/"+branch)
}

// Commit describes the commit that a revision names.
func (r *Repository) Commit(ctx context.Context, revision string) (Commit, error) {
	out, err := Git(ctx, r.Dir, "log", "-1", "--format=%H%x00%aI%x00%B", revision, "--")
	if err != nil {
		return Commit{}, err
	}
	fields := strings.SplitN(out, "\x00", 3)
	if len(fields) != 3 {
		return Commit{}, fmt.Errorf("%s: commit %s: git log printed %q", r.FullName, revision, out)
	}
	return Commit{ID: fields[0], AuthorDate: fields[1], Message: strings.TrimSpace(fields[2])}, nil
}

// ChangedFiles lists the paths that a push changed: against the commit that the branch pointed at before, or all
// files of a new branch.
func (r *Repository) ChangedFiles(ctx context.Context, p Push) ([]string, error) {
	args := []string{"ls-tree", "-r", "-z", "--name-only", p.After}
	if p.Before != "" {
		args = []string{"diff", "--name-only", "--no-renames", "-z", p.Before, p.After}
	}
	out, err := Git(ctx, r.Dir, args...)
	return slices.DeleteFunc(strings.Split(out, "\x00"), func(path string) bool { return path == "" }), err
}

// Git runs git in dir ("" for the current directory) and returns what it prints.
func Git(ctx context.Context, dir string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, "git", args...)
	cmd.Dir, cmd.Env = dir, Environment()
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("git %s: %w: %s", args[0], err, strings.TrimSpace(stderr.String()))
	}
	return stdout.String(), nil
}

// Environment is this process's environment without the variables that would point git at another repository, as
// they do when this program is started by a Git hook.
func Environment() []string {
	return slices.DeleteFunc(os.Environ(), func(kv string) bool {
		name, _, _ := strings.Cut(kv, "=")
		return slices.Contains([]string{"GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY", "GIT_PREFIX",
			"GIT_COMMON_DIR", "GIT_NAMESPACE", "GIT_QUARANTINE_PATH", "GIT_ALTERNATE_OBJECT_DIRECTORIES"}, name)
	})
}
