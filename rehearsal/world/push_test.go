package world

import (
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"cicd/internal/edit"
	"cicd/internal/testproject"
	"cicd/rehearsal/console"
	"cicd/rehearsal/workspace"

	"cicd/rehearsal/aws/codepipeline"
	"cicd/rehearsal/github"
)

// TestPushThatNobodyHears has a repository whose hook does not run, as with core.hooksPath, or cannot reach the rehearsal.
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
				testproject.Apply(t, repository.Dir, edit.Write("hooks/post-receive", hook))
			}
			r := &World{
				Console: console.New(io.Discard),
				cloud:   &cloud{pushes: make(chan pushed, 1), pipelines: &codepipeline.Service{Repository: repository}},
			}
			r.cloud.pushes <- pushed{} // of another push
			_, err = r.PushTo(t.Context(), testproject.New(t), "HEAD", "main")
			for _, want := range []string{"arrived", "reached no pipeline", "post-receive hook of " + repository.Dir} {
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

// TestBuildsFindNoRepository looks for one as the commands of builds and hooks do. There is none in CodeBuild or on a
// host, and the checkout's could name another commit than the released one.
func TestBuildsFindNoRepository(t *testing.T) {
	project := testproject.New(t)
	work, err := workspace.New(t.Context(), project, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	defer work.Remove(t.Context())
	build, err := work.MakeDir("builds", "1", "src")
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
