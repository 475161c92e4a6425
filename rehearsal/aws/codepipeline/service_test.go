package codepipeline

import (
	"archive/zip"
	"bytes"
	"cmp"
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"

	"cicd/rehearsal/aws/account"
	"cicd/rehearsal/github"
)

func TestPushRunsAllStagesWithVariablesAndArtifacts(t *testing.T) {
	w := newWorld(t)
	var built Build
	w.Build = func(_ context.Context, b Build) (BuildResult, error) {
		built = b
		session, err := w.Authority.AssumeRole(roleARN, "codepipeline.amazonaws.com", "test", "")
		if err != nil {
			return BuildResult{}, err
		}
		source, _, err := w.Store.Get(session, b.Input.Bucket, b.Input.Key, b.Input.Version)
		if err != nil {
			return BuildResult{}, err
		}
		content, err := io.ReadAll(source)
		if err != nil {
			return BuildResult{}, err
		}
		if z, err := zip.NewReader(bytes.NewReader(content), int64(len(content))); err != nil || z.File[len(z.File)-1].Name != "webapp/a" {
			t.Errorf("the source artifact is no zip of the commit's files: %v", err)
		}
		v, err := w.Store.Put(session, b.Output.Bucket, b.Output.Key, strings.NewReader("the bundle"))
		return BuildResult{ID: "web:1", OutputVersion: v.ID}, err
	}
	var deployed Deployment
	w.Deploy = func(_ context.Context, d Deployment) (string, error) { deployed = d; return "d-1", nil }

	message := `hostile "} ; $(touch /tmp/pwned)`
	commit, said := w.push("main", "webapp/a", message)
	if got := w.ends(); !slices.Equal(got, []Status{Succeeded}) {
		t.Fatalf("executions ended %v, want one that succeeded: %+v", got, w.events)
	}
	if !strings.Contains(said, "remote: started") {
		t.Errorf("git push said %q, want word of the started execution", said)
	}
	want := []EnvironmentVariable{{Name: "COMMIT_ID", Value: commit}, {Name: "MESSAGE", Value: message}}
	if !slices.Equal(built.Variables, want) || built.SourceVersion != commit || built.Initiator != "codepipeline/web" {
		t.Errorf("the build was asked for with %+v, want variables %+v", built, want)
	}
	if deployed.Bundle != built.Output && deployed.Bundle.Version == "" || deployed.Bundle.Key != built.Output.Key {
		t.Errorf("deployed %+v, want what the build stored at %+v", deployed.Bundle, built.Output)
	}
}

// TestSubmodulesAreTold releases a commit with a folder that is another repository.
func TestSubmodulesAreTold(t *testing.T) {
	w := newWorld(t)
	var notes []string
	w.Note = func(text string) { notes = append(notes, text) }
	commit, _ := w.push("main", "webapp/a", "one")
	if len(notes) > 0 {
		t.Errorf("a commit without submodules is noted: %q", notes)
	}
	for _, args := range [][]string{
		{"update-index", "--add", "--cacheinfo", "160000," + commit + ",webapp/shared"}, {"write-tree"}, {"commit-tree", "-m", "two"},
	} {
		if args[0] == "commit-tree" {
			args = append(args, commit) // the tree that write-tree printed
		}
		out, err := github.Git(t.Context(), w.Repository.Dir, args...)
		if err != nil {
			t.Fatal(err)
		}
		commit = cmp.Or(strings.TrimSpace(out), commit)
	}
	e, err := w.Start(t.Context(), "web", ByHand, commit)
	if err != nil {
		t.Fatal(err)
	}
	if status, err := e.Wait(t.Context()); status != Succeeded || len(notes) != 1 || !strings.Contains(notes[0], "Git submodules are empty folders") || !strings.HasPrefix(notes[0][strings.Index(notes[0], ": ")+2:], "webapp/shared.") {
		t.Errorf("%s, %v, notes %q", status, err, notes)
	}
}

func TestExecutionModes(t *testing.T) {
	tests := []struct {
		mode string
		want []Status // of three executions that meet in front of an occupied stage
	}{
		{modeSuperseded, []Status{Superseded, Succeeded, Succeeded}},
		{modeQueued, []Status{Succeeded, Succeeded, Succeeded}},
		{modeParallel, []Status{Succeeded, Succeeded, Succeeded}},
	}
	for _, tt := range tests {
		t.Run(tt.mode, func(t *testing.T) {
			w := newWorld(t)
			w.pipeline["executionMode"] = tt.mode
			w.declare()
			var order []string
			building, goOn, superseded := make(chan string, 3), make(chan bool), make(chan bool, 3)
			record := w.Observe
			w.Observe = func(e Event) {
				record(e)
				if e.Status == Superseded {
					superseded <- true
				}
			}
			w.Build = func(_ context.Context, b Build) (BuildResult, error) {
				w.mu.Lock()
				order = append(order, b.SourceVersion)
				w.mu.Unlock()
				building <- b.SourceVersion
				<-goOn
				return BuildResult{}, nil
			}
			var commits []string
			for _, name := range []string{"one", "two", "three"} {
				commit, _ := w.push("main", "webapp/a", name)
				commits = append(commits, commit)
				if len(commits) == 1 {
					<-building // the first holds the stage before the others come
				}
			}
			if tt.mode == modeSuperseded {
				<-superseded // while the first still holds the stage
			}
			close(goOn)
			got := w.ends()
			if !slices.Equal(got, tt.want) {
				t.Errorf("executions ended %v, want %v", got, tt.want)
			}
			if tt.mode == modeSuperseded {
				commits = slices.Delete(commits, 1, 2)
			}
			if tt.mode != modeParallel && !slices.Equal(order, commits) {
				t.Errorf("built %v, want %v", order, commits)
			}
		})
	}
}

func TestFailures(t *testing.T) {
	broken := errors.New("tests fail")
	tests := []struct {
		name   string
		change func(*world)
		want   string
	}{
		{"build", func(w *world) {
			w.Build = func(context.Context, Build) (BuildResult, error) { return BuildResult{}, broken }
		}, "stage Build, action Image: tests fail"},
		{"approval", func(w *world) {
			stages := w.pipeline["stages"].([]any)
			w.pipeline["stages"] = slices.Insert(stages, 2, any(stageOf("Approval", map[string]any{"name": "Approve", "provider": "Manual"})))
			w.Approve = func(context.Context, Event) error { return errors.New("rejected") }
		}, "stage Approval, action Approve: rejected"},
		{"variable of nobody", func(w *world) {
			w.pipeline["stages"].([]any)[0].(map[string]any)["actions"].([]any)[0].(map[string]any)["namespace"] = "Other"
		}, "#{SourceVariables.CommitId}"},
		{"pending connection", func(w *world) {
			w.put(account.Connection, "c", map[string]any{"arn": connectionARN, "connectionStatus": "PENDING"})
		}, "is not available"},
		{"other repository", func(w *world) {
			config := w.pipeline["stages"].([]any)[0].(map[string]any)["actions"].([]any)[0].(map[string]any)["configuration"].(map[string]any)
			config["FullRepositoryId"] = "example/other"
		}, "example/other was not found"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t)
			deployed := false
			w.Deploy = func(context.Context, Deployment) (string, error) { deployed = true; return "", nil }
			tt.change(w)
			w.declare()
			w.push("elsewhere", "webapp/a", "a")
			e, err := w.Start(t.Context(), "web", ByHand, mustHead(t, w, "elsewhere"))
			if err != nil {
				t.Fatal(err)
			}
			status, err := e.Wait(t.Context())
			if status != Failed || err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("the execution ended %s: %v, want Failed and %q", status, err, tt.want)
			}
			if deployed {
				t.Errorf("a failed execution was deployed")
			}
		})
	}
}

func TestNoCommitOnTheBranch(t *testing.T) {
	w := newWorld(t)
	e, err := w.Start(t.Context(), "web", ByCreation, "")
	if err != nil {
		t.Fatal(err)
	}
	if status, err := e.Wait(t.Context()); status != Failed || !strings.Contains(err.Error(), "no branch main found in example/webapp") {
		t.Errorf("the execution ended %s: %v, want Failed and the missing branch", status, err)
	}
}

func TestInterruption(t *testing.T) {
	w := newWorld(t)
	ctx, interrupt := context.WithCancel(t.Context())
	building := make(chan bool, 3) // one that waits may get there, too, in the moment of the interruption
	w.Build = func(ctx context.Context, _ Build) (BuildResult, error) {
		building <- true
		<-ctx.Done()
		return BuildResult{}, ctx.Err()
	}
	w.push("elsewhere", "webapp/a", "a")
	var executions []*Execution
	for range 3 { // one builds, two wait
		e, err := w.Start(ctx, "web", ByHand, mustHead(t, w, "elsewhere"))
		if err != nil {
			t.Fatal(err)
		}
		executions = append(executions, e)
	}
	<-building
	interrupt()
	for i, e := range executions {
		if status, err := e.Wait(t.Context()); status != Stopped && status != Superseded {
			t.Errorf("execution %d ended %s: %v, want Stopped or Superseded", i, status, err)
		}
	}
}
