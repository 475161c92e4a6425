package examples

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"cicd/internal/edit"
	"cicd/internal/testproject"
	"cicd/rehearsal/rehearsaltest"
	"cicd/rehearsal/world"
)

// example is a team's repository, being rehearsed.
type example struct {
	*world.World
	t   *testing.T
	dir string // a clone to push from
}

// rehearse rehearses the repository in a folder until its first release serves. Its Dockerfile starts from the stand-in for its
// base. The files with which this project is used are there too, and not committed: a team's checkout has them, or not.
func rehearse(t *testing.T, folder string, b base, dockerfile string, secrets map[string]string) example {
	t.Helper()
	dir := t.TempDir()
	root := testproject.Root(t)
	parts := []string{"Pulumi.yaml", "tools"}
	if !strings.Contains(read(t, filepath.Join(folder, "Pulumi.dev.yaml")), "deployScripts: stack") {
		parts = append(parts, "deploy-scripts")
	}
	copyAll(t, folder+"/.", dir)
	for _, part := range parts {
		copyAll(t, filepath.Join(root, part), dir)
	}
	values := ""
	for name, value := range secrets {
		values += fmt.Sprintf("%s='%s'\n", name, value)
	}
	testproject.Git(t, dir, "init", "--quiet", "--initial-branch=main")
	testproject.Apply(t, dir,
		edit.Replace(dockerfile, "FROM "+b.reference, "FROM "+b.image(t)),
		edit.Write(".env.rehearsal", values),
		edit.Write(".git/info/exclude", "/Pulumi*.yaml\n/tools/\n/.env.rehearsal\n"),
	)
	testproject.Commit(t, dir, "First")
	w, log := rehearsaltest.Started(t, dir)
	clone, err := w.Clone(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Log(rehearsaltest.Tail(log))
		}
	})
	return example{World: w, t: t, dir: clone}
}

func copyAll(t *testing.T, from, to string) {
	t.Helper()
	if out, err := exec.Command("cp", "-R", from, to).CombinedOutput(); err != nil {
		t.Fatalf("cp: %v: %s", err, out)
	}
}

// release releases a change, and returns its commit.
func (e example) release(message string, edits ...edit.Edit) (commit string) {
	e.t.Helper()
	testproject.Apply(e.t, e.dir, edits...)
	commit = testproject.Commit(e.t, e.dir, message)
	done, err := e.Release(e.t.Context(), e.dir, commit)
	if err != nil {
		e.t.Fatal(err)
	}
	e.t.Logf("%s: %.1f s", message, done.Took.Seconds())
	return commit
}

// refuses releases a change that must fail with a text in its message. The release before goes on, and the clone is as before.
func (e example) refuses(message, text string, edits ...edit.Edit) {
	e.t.Helper()
	before := testproject.Git(e.t, e.dir, "rev-parse", "HEAD")
	testproject.Apply(e.t, e.dir, edits...)
	commit := testproject.Commit(e.t, e.dir, message)
	if _, err := e.Release(e.t.Context(), e.dir, commit); err == nil || !strings.Contains(err.Error(), text) {
		e.t.Errorf("%s: error %v, want one with %q", message, err, text)
	}
	if err := e.Serves(e.t.Context(), before); err != nil {
		e.t.Error(err)
	}
	testproject.Git(e.t, e.dir, "revert", "--no-edit", "HEAD")
}

// replaceHost replaces the host, which serves nothing until the release of a change.
func (e example) replaceHost(edits ...edit.Edit) {
	e.t.Helper()
	if err := e.ReplaceHost(e.t.Context()); err != nil {
		e.t.Fatal(err)
	}
	e.release("Release on the new host", edits...)
}
