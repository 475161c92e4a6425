package rehearsaltest

import (
	"path/filepath"
	"testing"

	"cicd/internal/edit"
	"cicd/internal/testproject"
)

// AdoptGitSettings makes user settings that people have for other repositories. Each alone would stop a rehearsal that
// obeyed it, or change what it releases; see TestSettings in package github.
func AdoptGitSettings(t *testing.T) {
	t.Helper()
	dir := t.TempDir()
	testproject.Apply(t, dir, edit.Write("ignored", "*\n"), edit.Write("template/hooks/pre-commit", "#!/bin/sh\nexit 1\n"), edit.Write("hooks/pre-push", "#!/bin/sh\nexit 1\n"), edit.Write("settings", `
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

// NewLFSProject makes a checkout with a file in Git LFS.
func NewLFSProject(t *testing.T) string {
	t.Helper()
	project := testproject.New(t)
	testproject.Apply(t, project, edit.Write(".gitattributes", "*.bin filter=lfs\n"), edit.Write("webapp/logo.bin", "version https://git-lfs.github.com/spec/v1\n"))
	testproject.Commit(t, project, "A large file")
	return project
}
