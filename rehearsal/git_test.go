package rehearsal

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"cicd/rehearsal/codepipeline"
	"cicd/rehearsal/github"
)

// adoptGitSettings makes settings the user's that people have for other repositories. Each alone would stop a rehearsal
// that obeyed it, or change what it releases; see TestSettings in package github.
func adoptGitSettings(t *testing.T) {
	t.Helper()
	dir := t.TempDir()
	apply(t, dir, write("ignored", "*\n"), write("template/hooks/pre-commit", "#!/bin/sh\nexit 1\n"), write("hooks/pre-push", "#!/bin/sh\nexit 1\n"), write("settings", `
[core]
	hooksPath = `+dir+`/hooks
	autocrlf = true
	excludesFile = `+dir+`/ignored
[safe]
	bareRepository = explicit
[protocol "file"]
	allow = never
[filter "lfs"]
	smudge = false
	clean = cat
	required = true
[commit]
	gpgSign = true
[gpg]
	program = false
[init]
	defaultObjectFormat = sha256
	templateDir = `+dir+`/template
[user]
	useConfigOnly = true
[push]
	followTags = true
	pushOption = ci.skip
[receive]
	denyNonFastForwards = true
`))
	t.Setenv("GIT_CONFIG_GLOBAL", filepath.Join(dir, "settings"))
	t.Setenv("GIT_DEFAULT_HASH", "sha256")
}

// newLFSProject makes a checkout that has a file in Git LFS.
func newLFSProject(t *testing.T) string {
	t.Helper()
	project := newProject(t)
	apply(t, project, write(".gitattributes", "*.bin filter=lfs\n"), write("webapp/logo.bin", "version https://git-lfs.github.com/spec/v1\n"))
	commit(t, project, "A large file")
	return project
}

func TestForeignGitSettings(t *testing.T) {
	needDocker(t)
	project := newLFSProject(t)
	clean := wantClean(t, project)
	adoptGitSettings(t)
	var stderr bytes.Buffer
	if err := Run(t.Context(), Options{ProjectDir: project, Stack: DefaultStack, Stdout: io.Discard, Stderr: &stderr}); err != nil {
		t.Errorf("%v\n%s", err, &stderr)
	}
	clean()
}

// TestPushThatNobodyHears has a repository whose hook does not run, as with core.hooksPath, or does not reach the rehearsal.
func TestPushThatNobodyHears(t *testing.T) {
	for name, hook := range map[string]string{"no hook": "", "a hook that says why": "#!/bin/sh\necho 'the line is dead'\n"} {
		t.Run(name, func(t *testing.T) {
			repository, err := github.Create(t.Context(), t.TempDir(), "o/r", "main", func(github.Push) string { return "" })
			if err != nil {
				t.Fatal(err)
			}
			defer repository.Close()
			file := filepath.Join(repository.Dir, "hooks", "post-receive")
			if err := os.Remove(file); err != nil {
				t.Fatal(err)
			}
			if hook != "" {
				apply(t, repository.Dir, write("hooks/post-receive", hook))
			}
			r := &rehearsal{
				console: &console{out: io.Discard},
				cloud:   &cloud{heard: make(chan pushed, 1), pipelines: &codepipeline.Service{Repository: repository}},
			}
			r.cloud.heard <- pushed{} // of another push
			_, err = r.pushTo(t.Context(), newProject(t), "HEAD", "main")
			for _, want := range []string{"arrived", "no pipeline heard of it", "post-receive hook of " + repository.Dir} {
				if err == nil || !strings.Contains(err.Error(), want) {
					t.Errorf("the error is %v, want %q in it", err, want)
				}
			}
			if err != nil && (strings.Contains(err.Error(), "watchPaths") || strings.Contains(err.Error(), "the line is dead") != (hook != "")) {
				t.Errorf("the error is %v, want the hook's own words if it has any, and nothing about watchPaths", err)
			}
		})
	}
}
