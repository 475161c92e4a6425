package world

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"cicd/rehearsal/github"
)

// Greeting is a file of the embedded application; its page shows the file's one line. Another application has no such
// file: there the pushed change is one that the application does not notice, see Touch.
const Greeting = "webapp/greeting.txt"

// Clone clones the repository on GitHub, as each member of the team does.
func (w *World) Clone(ctx context.Context) (dir string, err error) {
	dir = w.Workspace.Path("clone")
	_, err = github.Git(ctx, "", "clone", "--quiet", "--branch", w.Branch(), w.cloud.pipelines.Repository.Dir, dir)
	return dir, err
}

// CommitChange commits a change to a file in a working copy, see Touch.
func (w *World) CommitChange(ctx context.Context, dir, text string) (file, commit string, err error) {
	if file, err = w.Touch(ctx, dir, text); err != nil {
		return "", "", err
	}
	commit, err = CommitAll(ctx, dir, "Change "+file)
	return file, commit, err
}

// CommitAll commits everything that has changed in a clone, including ignored files.
func CommitAll(ctx context.Context, dir, message string) (id string, err error) {
	for _, args := range [][]string{{"add", "--all", "--force"}, {"commit", "--quiet", "--message", message}} {
		if _, err := github.Git(ctx, dir, args...); err != nil {
			return "", err
		}
	}
	head, err := github.Git(ctx, dir, "rev-parse", "HEAD")
	return strings.TrimSpace(head), err
}

// Touch changes a working copy in a way that starts the pipeline and that no application minds: it writes a line of text
// to Greeting or else to a file that the application does not know. If the pipeline watches no such file, it appends
// empty lines to one that is there.
func (w *World) Touch(ctx context.Context, dir, text string) (file string, err error) {
	tracked, err := trackedFiles(ctx, dir)
	if err != nil {
		return "", err
	}
	candidates := []string{"webapp/rehearsal.txt"}
	if slices.Contains(tracked, Greeting) {
		candidates = []string{Greeting}
	}
	for _, known := range tracked {
		if file := path.Join(path.Dir(known), "rehearsal.txt"); file != candidates[len(candidates)-1] {
			candidates = append(candidates, file)
		}
	}
	file, err = w.firstWatched(candidates, func(file string) (bool, error) {
		file = filepath.Join(dir, file)
		return true, errors.Join(os.MkdirAll(filepath.Dir(file), 0o755), os.WriteFile(file, []byte(text+"\n"), 0o644))
	})
	if file == "" && err == nil {
		file, err = w.firstWatched(tracked, func(file string) (bool, error) { return appendLines(ctx, dir, file) })
	}
	if file == "" && err == nil {
		err = errors.New("no text file of the commit is watched, so no change of it starts the pipeline: check watchPaths")
	}
	return file, err
}

// firstWatched returns the first file that the pipeline watches and that change takes, or "".
func (w *World) firstWatched(files []string, change func(file string) (bool, error)) (string, error) {
	for _, file := range files {
		watched, err := w.Watches(file)
		if err != nil {
			return "", err
		}
		if !watched {
			continue
		}
		if taken, err := change(file); taken || err != nil {
			return file, err
		}
	}
	return "", nil
}

// Watches reports whether a push that changes one of the files starts the pipeline.
func (w *World) Watches(files ...string) (bool, error) {
	return w.cloud.pipelines.Watches(w.stack.output("pipelineName"), files)
}

// trackedFiles lists the files that are in a working copy's index.
func trackedFiles(ctx context.Context, dir string) ([]string, error) {
	list, err := github.Git(ctx, dir, "ls-files", "-z")
	return strings.FieldsFunc(list, func(c rune) bool { return c == 0 }), err
}

// appendLines appends one or two empty lines to a text file, in turn with the commits, so that it always differs from the
// last commit's. It leaves other files alone: links, and binary ones.
func appendLines(ctx context.Context, dir, file string) (appended bool, err error) {
	file = filepath.Join(dir, file)
	about, err := os.Lstat(file)
	if err != nil || !about.Mode().IsRegular() {
		return false, err
	}
	content, err := os.ReadFile(file)
	if err != nil || bytes.IndexByte(content, 0) >= 0 {
		return false, err
	}
	commits, err := github.Git(ctx, dir, "rev-list", "--count", "HEAD")
	if err != nil {
		return false, err
	}
	count, err := strconv.Atoi(strings.TrimSpace(commits))
	if err != nil {
		return false, err
	}
	return true, os.WriteFile(file, append(content, "\n\n"[:1+count%2]...), about.Mode().Perm())
}
