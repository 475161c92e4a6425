package world_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"cicd/internal/edit"
	"cicd/internal/testproject"
	"cicd/rehearsal/rehearsaltest"
)

// TestScriptsOfTheStack releases an application whose repository has a Dockerfile and what that needs, in a subfolder, and
// beside it scripts and a Makefile that leave a trace. None of them may run, until the stack takes its scripts from the
// repository.
func TestScriptsOfTheStack(t *testing.T) {
	trace := filepath.Join(t.TempDir(), "trace")
	r, log := rehearsaltest.Started(t, shop(t, trace))
	release, _, err := r.ReleaseChange(t.Context())
	if err != nil {
		t.Fatalf("%v\n%s", err, rehearsaltest.Tail(log))
	}
	if _, err := os.Stat(trace); err == nil {
		t.Fatalf("something of the repository has run outside docker build:\n%s", rehearsaltest.Tail(log))
	}
	const note = "apps/shop/Makefile is not used, because of deployScripts: test the application in its Dockerfile"
	if shown := strings.Join(strings.Fields(log.String()), " "); !strings.Contains(shown, note) {
		t.Errorf("the console lacks %q:\n%s", note, log)
	}

	restore, err := r.Configure(t.Context(), map[string]any{"deployScripts": "repository"})
	if err != nil {
		t.Fatal(err)
	}
	clone := r.Workspace.Path("clone")
	_, commit, err := r.CommitChange(t.Context(), clone, "with the repository's scripts")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.Release(t.Context(), clone, commit); err == nil {
		t.Error("a release with the repository's scripts succeeds")
	}
	if _, err := os.Stat(trace); err != nil {
		t.Errorf("the scripts of the repository leave no trace: %v", err)
	}
	if err := r.Serves(t.Context(), release.Commit); err != nil {
		t.Errorf("the previous release does not go on serving: %v", err)
	}
	if err := errors.Join(restore(t.Context()), r.TearDown(t.Context())); err != nil {
		t.Error(err)
	}
}

// shop returns a checkout of an application's repository, with the stack's settings and tools, which are not committed.
func shop(t *testing.T, trace string) (project string) {
	t.Helper()
	project = testproject.New(t)
	testproject.ReplaceByC(t, project, "rehearsal/testdata/other/main.c")
	if err := errors.Join(
		os.Mkdir(filepath.Join(project, "apps"), 0o755),
		os.Rename(filepath.Join(project, "webapp"), filepath.Join(project, "apps", "shop")),
		os.RemoveAll(filepath.Join(project, "deploy-scripts")),
		os.RemoveAll(filepath.Join(project, ".git")),
	); err != nil {
		t.Fatal(err)
	}
	for _, script := range []string{"build/image.sh", "build/bundle.sh", "build/environment.sh", "hooks/prepare.sh", "hooks/start.sh", "hooks/validate.sh"} {
		testproject.Apply(t, project, edit.Write("deploy-scripts/"+script, "#!/bin/bash\ntouch '"+trace+"'\nexit 1\n"))
	}
	testproject.Apply(t, project,
		edit.Write("deploy-scripts/buildspec.yml", "version: 0.2\nphases:\n  build:\n    commands:\n      - bash deploy-scripts/build/image.sh\n"),
		edit.Write("deploy-scripts/appspec.yml", "version: 0.0\nos: linux\n"),
		edit.Write("deploy-scripts/edge/Caddyfile", "no Caddyfile\n"),
		edit.Write("apps/shop/Makefile", "$(shell touch '"+trace+"')\ntest image:\n\texit 1\n"),
		edit.Replace("Pulumi.dev.yaml", "cicd:connectionAuthorized: false",
			"cicd:connectionAuthorized: false\n  cicd:appPath: apps/shop\n  cicd:deployScripts: stack"))
	testproject.Git(t, project, "init", "--quiet", "--initial-branch=main")
	testproject.Apply(t, project, edit.Write(".git/info/exclude", "/Pulumi*.yaml\n/tools/\n"))
	testproject.Commit(t, project, "A shop")
	return project
}
