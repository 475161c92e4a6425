package serve

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"cicd/internal/edit"
	"cicd/internal/testproject"
	"cicd/rehearsal/world"

	"cicd/rehearsal/github"
)

// TestPushCommand runs the command in a shell in the checkout.
func TestPushCommand(t *testing.T) {
	refusing := edit.Write("hooks/pre-push", "#!/bin/sh\nexit 1\n")
	tests := []struct {
		name, folder, branch string
		prepare              func(t *testing.T, checkout string)
		want                 string // REMOTE stands for the folder
	}{
		{"plain", "r", "main", nil, "git push REMOTE HEAD:main"},
		{"a path with a blank", "a b", "main", nil, "git push 'REMOTE' HEAD:main"},
		{"a path with a quote", "it's", "main", nil, ""},
		{"a path and a branch for the shell", "$(touch x)`\"*", "x;y&z'", nil, `git push 'REMOTE' 'HEAD:x;y&z'\'''`},
		{"no local protocol", "r", "main", func(t *testing.T, checkout string) {
			testproject.Git(t, checkout, "config", "protocol.file.allow", "never")
		}, "git -c protocol.file.allow=always push REMOTE HEAD:main"},
		{"no local protocol in the environment", "r", "main", func(t *testing.T, _ string) {
			t.Setenv("GIT_ALLOW_PROTOCOL", "https:ssh")
		}, "GIT_ALLOW_PROTOCOL=file git push REMOTE HEAD:main"},
		{"signed pushes", "r", "main", func(t *testing.T, checkout string) {
			testproject.Git(t, checkout, "config", "push.gpgSign", "yes")
		}, "git push --no-signed REMOTE HEAD:main"},
		{"push options", "r", "main", func(t *testing.T, checkout string) {
			testproject.Git(t, checkout, "config", "push.pushOption", "ci.skip")
		}, "git push REMOTE HEAD:main"},
		{"a hook for the real remote", "r", "main", func(t *testing.T, checkout string) {
			testproject.Apply(t, filepath.Join(checkout, ".git"), refusing)
		}, "git push --no-verify REMOTE HEAD:main"},
		{"such a hook in another folder", "r", "main", func(t *testing.T, checkout string) {
			testproject.Apply(t, checkout, refusing)
			testproject.Git(t, checkout, "config", "core.hooksPath", filepath.Join(checkout, "hooks"))
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
			checkout := testproject.New(t)
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
			testproject.Apply(t, checkout, edit.Write(world.Greeting, "A push.\n"))
			id := testproject.Commit(t, checkout, "Second")
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
