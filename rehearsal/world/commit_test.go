package world

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"cicd/internal/edit"
	"cicd/internal/testproject"
	"cicd/rehearsal/aws/account"
	"cicd/rehearsal/aws/codepipeline"
	"cicd/rehearsal/console"
	"cicd/rehearsal/github"
)

// worldWatching returns a world whose pipeline watches paths, and a working copy with the edits.
func worldWatching(t *testing.T, paths []string, edits ...edit.Edit) (w *World, dir string) {
	t.Helper()
	var includes []any
	for _, pattern := range paths {
		includes = append(includes, pattern)
	}
	acct := account.New(accountID)
	acct.Put(account.Resource{Type: account.Pipeline, URN: "p", ID: "p", Properties: map[string]any{
		"name": "p",
		"stages": []any{map[string]any{"name": "Source", "actions": []any{map[string]any{
			"name": "Source", "configuration": map[string]any{"FullRepositoryId": "o/r", "BranchName": "main", "DetectChanges": "false"},
		}}}},
		"triggers": []any{map[string]any{"gitConfiguration": map[string]any{"sourceActionName": "Source",
			"pushes": []any{map[string]any{"filePaths": map[string]any{"includes": includes}}}}}},
	}})
	w = &World{
		Console: console.New(io.Discard),
		cloud:   &cloud{account: acct, pipelines: &codepipeline.Service{Account: acct, Repository: &github.Repository{FullName: "o/r"}}},
		stack:   &declaredStack{outputs: map[string]any{"pipelineName": "p"}},
	}
	dir = testproject.New(t)
	if len(edits) == 0 {
		return w, dir
	}
	testproject.Apply(t, dir, edits...)
	if _, err := CommitAll(t.Context(), dir, "edits"); err != nil {
		t.Fatal(err)
	}
	return w, dir
}

// TestTouchStartsThePipeline: whatever an application's watchPaths and .gitignore are, the rehearsal's own change is
// committed and starts the pipeline, twice.
func TestTouchStartsThePipeline(t *testing.T) {
	ignoring := edit.Write(".gitignore", "*.txt\n")
	source := edit.Write("src/main.py", "print()\n")
	for name, tt := range map[string]struct {
		watch []string
		edits []edit.Edit
		want  string
	}{
		"the embedded application":       {[]string{"webapp/**", "deploy-scripts/**"}, nil, Greeting},
		"another application":            {[]string{"webapp/**"}, []edit.Edit{edit.Remove(Greeting)}, "webapp/rehearsal.txt"},
		"that ignores text files":        {[]string{"webapp/**"}, []edit.Edit{edit.Remove(Greeting), ignoring}, "webapp/rehearsal.txt"},
		"another folder":                 {[]string{"src/**"}, []edit.Edit{source}, "src/rehearsal.txt"},
		"only files of one kind":         {[]string{"src/*.py"}, []edit.Edit{source}, "src/main.py"},
		"one file":                       {[]string{"webapp/Dockerfile"}, nil, "webapp/Dockerfile"},
		"a binary file, and a text file": {[]string{"src/*.py"}, []edit.Edit{edit.Write("src/a.py", "\x00"), source}, "src/main.py"},
	} {
		t.Run(name, func(t *testing.T) {
			w, dir := worldWatching(t, tt.watch, tt.edits...)
			for _, text := range []string{"first", "second"} {
				file, _, err := w.CommitChange(t.Context(), dir, text)
				if err != nil || file != tt.want {
					t.Fatalf("%s: CommitChange() = %s, %v, want %s", text, file, err, tt.want)
				}
			}
		})
	}
}

func TestTouchNothing(t *testing.T) {
	w, dir := worldWatching(t, []string{"nothing/like/this"})
	if file, err := w.Touch(t.Context(), dir, "x"); err == nil || !strings.Contains(err.Error(), "check watchPaths") {
		t.Errorf("Touch() = %s, %v", file, err)
	}
	if _, err := os.Stat(filepath.Join(dir, "webapp/rehearsal.txt")); err == nil {
		t.Error("a file was written all the same")
	}
}
