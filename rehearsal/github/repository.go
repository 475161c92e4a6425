// Package github is a GitHub repository on this machine: a bare Git repository that real git pushes to and whose
// pushes become events, as a connection's webhook makes them.
package github

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// noCommit is Git's old end of a new branch, and the new end of a deleted one.
const noCommit = "0000000000000000000000000000000000000000"

// ErrNoCommit means that a branch has no commit or does not exist, which Git does not distinguish.
var ErrNoCommit = errors.New("no commit on the branch")

// Repository is a bare repository and the listener to which its post-receive hook reports.
type Repository struct {
	// FullName is GitHub's "owner/name".
	FullName string
	// Dir is the bare repository: the remote to push to.
	Dir string

	hook *hookListener
}

// Push is a branch moved by a push.
type Push struct {
	Branch string
	// Before is the commit that the branch pointed to, "" for a new branch. After is where it points now.
	Before, After string
}

// Commit describes the head of a branch.
type Commit struct {
	ID         string
	Message    string
	AuthorDate string // RFC 3339
}

// Create creates the bare repository fullName below root, with a default branch, which need not exist yet. It calls
// onPush for each pushed branch, one at a time and in the order of the pushes; whoever pushed sees what onPush
// returns, as lines that start with "remote:".
func Create(ctx context.Context, root, fullName, branch string, onPush func(Push) string) (*Repository, error) {
	r := &Repository{FullName: fullName, Dir: filepath.Join(root, filepath.FromSlash(fullName)+".git")}
	if _, err := Git(ctx, "", "init", "--quiet", "--bare", r.Dir); err != nil {
		return nil, err
	}
	if _, err := Git(ctx, r.Dir, "symbolic-ref", "HEAD", "refs/heads/"+branch); err != nil {
		return nil, err
	}
	hooks := filepath.Join(r.Dir, "hooks")
	for _, setting := range append(settings, [2]string{"core.hooksPath", hooks}) {
		if _, err := Git(ctx, r.Dir, "config", setting[0], setting[1]); err != nil {
			return nil, err
		}
	}
	var err error
	if r.hook, err = listenForHook(onPush); err != nil {
		return nil, fmt.Errorf("repository %s: %w", fullName, err)
	}
	if err := errors.Join(os.Mkdir(hooks, 0o755),
		os.WriteFile(filepath.Join(hooks, "pre-receive"), limitScript, 0o755),
		os.WriteFile(filepath.Join(hooks, "post-receive"), r.hook.script(), 0o755)); err != nil {
		r.hook.close()
		return nil, fmt.Errorf("repository %s: hooks: %w", fullName, err)
	}
	return r, nil
}

// settings are the bare repository's own. On a local push the receiving end also runs with the settings of whoever
// pushes, but those do not affect what GitHub accepts.
var settings = [][2]string{
	{"receive.shallowUpdate", "true"}, // the pushed checkout may be a shallow clone, as in CI
	{"receive.advertisePushOptions", "true"},
	{"receive.denyNonFastForwards", "false"},
	{"receive.denyDeletes", "false"},
}

// Close stops listening for pushes. The bare repository stays until its folder is removed.
func (r *Repository) Close() { r.hook.close() }

// Push pushes a revision of a working copy to a branch. It uses the settings of the working copy and its user, with which a
// partial clone fetches what it lacks, except those for their real remotes: hooks, tags, signatures, submodules and
// protocols. An empty revision deletes the branch. It returns Git's output, including onPush's responses.
func (r *Repository) Push(ctx context.Context, dir, revision, branch string) (said string, err error) {
	_, said, err = run(ctx, dir, userEnvironment(), []string{"-c", "protocol.file.allow=always", "push", "--quiet", "--no-verify",
		"--no-follow-tags", "--no-signed", "--recurse-submodules=no", r.Dir, revision + ":refs/heads/" + branch})
	return said, err
}

// Head returns a branch's newest commit, or ErrNoCommit.
func (r *Repository) Head(ctx context.Context, branch string) (Commit, error) {
	id, err := Git(ctx, r.Dir, "for-each-ref", "--format=%(objectname)", "refs/heads/"+branch)
	if err != nil {
		return Commit{}, err
	}
	if id == "" {
		return Commit{}, fmt.Errorf("%s@%s: %w", r.FullName, branch, ErrNoCommit)
	}
	return r.Commit(ctx, strings.TrimSpace(id))
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

// Submodules lists the folders of a commit that are other repositories.
func (r *Repository) Submodules(ctx context.Context, commit string) ([]string, error) {
	out, err := Git(ctx, r.Dir, "ls-tree", "-r", "-z", commit)
	var folders []string
	for entry := range strings.SplitSeq(out, "\x00") {
		if about, folder, _ := strings.Cut(entry, "\t"); strings.HasPrefix(about, "160000 ") { // Git's mode of a commit
			folders = append(folders, folder)
		}
	}
	return folders, err
}

// ChangedFiles lists the paths that a push changed: relative to the branch's previous commit, or all files of a new
// branch.
func (r *Repository) ChangedFiles(ctx context.Context, p Push) ([]string, error) {
	args := []string{"ls-tree", "-r", "-z", "--name-only", p.After}
	if p.Before != "" {
		args = []string{"diff", "--name-only", "--no-renames", "-z", p.Before, p.After}
	}
	out, err := Git(ctx, r.Dir, args...)
	return slices.DeleteFunc(strings.Split(out, "\x00"), func(path string) bool { return path == "" }), err
}
