package rehearsal

import (
	"bytes"
	"io"
	"os"
	"os/exec"
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

// TestBuildsFindNoRepository looks for one as the commands of builds and hooks do. There is none in CodeBuild or on a host,
// and that of the checkout would say something else than the commit that is released.
func TestBuildsFindNoRepository(t *testing.T) {
	project := newProject(t)
	work, err := newWorkspace(t.Context(), project, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	defer work.remove(t.Context())
	build, err := work.makeDir("builds", "1", "src")
	if err != nil {
		t.Fatal(err)
	}
	for dir, want := range map[string]bool{build: false, filepath.Join(project, "webapp"): true} {
		cmd := exec.Command("git", "rev-parse", "HEAD")
		cmd.Dir, cmd.Env = dir, machine{path: os.Getenv("PATH")}.environment(work)
		if out, err := cmd.CombinedOutput(); (err == nil) != want {
			t.Errorf("git rev-parse HEAD in %s: %v, %s", dir, err, out)
		}
	}
}

// TestPushCommand pastes the command in a shell in the checkout.
func TestPushCommand(t *testing.T) {
	refusing := write("hooks/pre-push", "#!/bin/sh\nexit 1\n")
	tests := []struct {
		name, folder, branch string
		prepare              func(t *testing.T, checkout string)
		want                 string // with REMOTE for the folder
	}{
		{"plain", "r", "main", nil, "git push REMOTE HEAD:main"},
		{"a path with a blank", "a b", "main", nil, "git push 'REMOTE' HEAD:main"},
		{"a path with a quote", "it's", "main", nil, ""},
		{"a path and a branch for the shell", "$(touch x)`\"*", "x;y&z'", nil, `git push 'REMOTE' 'HEAD:x;y&z'\'''`},
		{"no local protocol", "r", "main", func(t *testing.T, checkout string) {
			run(t, checkout, "config", "protocol.file.allow", "never")
		}, "git -c protocol.file.allow=always push REMOTE HEAD:main"},
		{"a hook for the real remote", "r", "main", func(t *testing.T, checkout string) {
			apply(t, filepath.Join(checkout, ".git"), refusing)
		}, "git push --no-verify REMOTE HEAD:main"},
		{"such a hook in another folder", "r", "main", func(t *testing.T, checkout string) {
			apply(t, checkout, refusing)
			run(t, checkout, "config", "core.hooksPath", filepath.Join(checkout, "hooks"))
		}, "git push --no-verify REMOTE HEAD:main"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			heard := make(chan github.Push, 2)
			root := filepath.Join(t.TempDir(), tt.folder)
			repository, err := github.Create(t.Context(), root, "o/r", tt.branch, func(p github.Push) string { heard <- p; return "" })
			if err != nil {
				t.Fatal(err)
			}
			defer repository.Close()
			checkout := newProject(t)
			if tt.prepare != nil {
				tt.prepare(t, checkout)
			}
			if _, err := repository.Push(t.Context(), checkout, "HEAD", tt.branch); err != nil { // the first release
				t.Fatal(err)
			}
			<-heard
			command := pushCommand(t.Context(), checkout, repository.Dir, tt.branch)
			if want := strings.ReplaceAll(tt.want, "REMOTE", repository.Dir); tt.want != "" && command != want {
				t.Errorf("the command is %s, want %s", command, want)
			}
			apply(t, checkout, harmless("a push"))
			id := commit(t, checkout, "Second")
			cmd := exec.Command("bash", "-c", command)
			cmd.Dir = checkout
			if out, err := cmd.CombinedOutput(); err != nil || len(heard) != 1 {
				t.Fatalf("%s: %v, heard of %d pushes\n%s", command, err, len(heard), out)
			}
			if p := <-heard; p.Branch != tt.branch || p.After != id {
				t.Errorf("%s pushed %+v, want %s to %s", command, p, id, tt.branch)
			}
		})
	}
}
