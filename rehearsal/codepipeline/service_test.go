package codepipeline

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"cicd/rehearsal/account"
	"cicd/rehearsal/github"
	"cicd/rehearsal/iam"
	"cicd/rehearsal/s3"
)

const (
	roleARN       = "arn:aws:iam::123456789012:role/pipeline"
	connectionARN = "arn:aws:codeconnections:eu-central-1:123456789012:connection/c"
)

// world is an account with one pipeline over a real Git repository, whose builds and deployments the test decides on.
type world struct {
	*Service
	t        *testing.T
	pipeline map[string]any // the pipeline's properties

	mu     sync.Mutex
	events []Event
}

func newWorld(t *testing.T) *world {
	t.Helper()
	acct := account.New("123456789012")
	acct.SetRegion("eu-central-1")
	authority := iam.NewAuthority(acct)
	w := &world{t: t, Service: &Service{
		Account: acct, Authority: authority, Store: s3.NewStore(t.TempDir(), acct, authority), Dir: t.TempDir(),
		Deaf:    func(string) bool { return false },
		Build:   func(context.Context, Build) (BuildResult, error) { return BuildResult{ID: "p:1"}, nil },
		Deploy:  func(context.Context, Deployment) (string, error) { return "d-1", nil },
		Approve: func(context.Context, Event) error { return nil },
	}}
	w.Observe = func(e Event) {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.events = append(w.events, e)
	}
	w.put("aws:iam/role:Role", "pipeline", map[string]any{"arn": roleARN, "name": "pipeline",
		"assumeRolePolicy": `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"Service":"codepipeline.amazonaws.com"}}}`})
	w.put("aws:iam/rolePolicy:RolePolicy", "p", map[string]any{"role": "pipeline",
		"policy": `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}`})
	w.put("aws:s3/bucketV2:BucketV2", "artifacts", map[string]any{"bucket": "artifacts", "arn": "arn:aws:s3:::artifacts"})
	w.put("aws:codeconnections/connection:Connection", "c", map[string]any{"arn": connectionARN, "connectionStatus": "AVAILABLE"})
	w.pipeline = declaredPipeline()
	w.declare()
	var err error
	w.Repository, err = github.Create(t.Context(), t.TempDir(), "example/webapp", func(p github.Push) string {
		started, err := w.Push(t.Context(), p)
		if err != nil {
			return err.Error()
		}
		return strings.Repeat("started\n", len(started))
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.Wait(); w.Repository.Close() })
	return w
}

func declaredPipeline() map[string]any {
	return map[string]any{
		"name": "web", "arn": "arn:aws:codepipeline:eu-central-1:123456789012:web", "roleArn": roleARN,
		"artifactStores": []any{map[string]any{"location": "artifacts"}},
		"triggers": []any{map[string]any{"gitConfiguration": map[string]any{"sourceActionName": "GitHub", "pushes": []any{map[string]any{
			"branches": map[string]any{"includes": []any{"main"}}, "filePaths": map[string]any{"includes": []any{"webapp/**"}}}}}}},
		"stages": []any{
			stageOf("Source", map[string]any{"name": "GitHub", "provider": "CodeStarSourceConnection", "namespace": "SourceVariables",
				"outputArtifacts": []any{"source"}, "configuration": map[string]any{"ConnectionArn": connectionARN,
					"FullRepositoryId": "example/webapp", "BranchName": "main", "DetectChanges": "false"}}),
			stageOf("Build", map[string]any{"name": "Image", "provider": "CodeBuild", "namespace": "BuildVariables",
				"inputArtifacts": []any{"source"}, "outputArtifacts": []any{"bundle"}, "configuration": map[string]any{"ProjectName": "web",
					"EnvironmentVariables": `[{"name":"COMMIT_ID","value":"#{SourceVariables.CommitId}"},{"name":"MESSAGE","value":"#{SourceVariables.CommitMessage}"}]`}}),
			stageOf("Deploy", map[string]any{"name": "Hosts", "provider": "CodeDeploy", "inputArtifacts": []any{"bundle"},
				"configuration": map[string]any{"ApplicationName": "web", "DeploymentGroupName": "web"}}),
		},
	}
}

func stageOf(name string, actions ...any) map[string]any {
	return map[string]any{"name": name, "actions": actions}
}

func (w *world) put(token, id string, properties map[string]any) {
	w.Account.Put(account.Resource{Type: token, Name: id, URN: token + "::" + id, ID: id, Properties: properties})
}

// declare records the pipeline as it stands in w.pipeline.
func (w *world) declare() { w.put(pipelineType, "web", w.pipeline) }

// push commits one file in a fresh clone of branch and pushes it there. It returns the commit and what git said.
func (w *world) push(branch, file, message string) (commit, said string) {
	w.t.Helper()
	dir := w.t.TempDir()
	git := func(args ...string) string {
		cmd := exec.Command("git", args...)
		cmd.Dir, cmd.Env = dir, append(github.Environment(), "GIT_AUTHOR_NAME=A", "GIT_AUTHOR_EMAIL=a@example.com",
			"GIT_COMMITTER_NAME=A", "GIT_COMMITTER_EMAIL=a@example.com")
		out, err := cmd.CombinedOutput()
		if err != nil {
			w.t.Fatalf("git %v: %v\n%s", args, err, out)
		}
		return strings.TrimSpace(string(out))
	}
	if _, err := w.Repository.Head(w.t.Context(), branch); err == nil {
		git("clone", "--quiet", "--branch", branch, w.Repository.Dir, ".")
	} else {
		git("init", "--quiet")
	}
	path := filepath.Join(dir, filepath.FromSlash(file))
	if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(message), 0o644)); err != nil {
		w.t.Fatal(err)
	}
	git("add", "--all")
	git("commit", "--quiet", "--message", message)
	return git("rev-parse", "HEAD"), git("push", w.Repository.Dir, "HEAD:refs/heads/"+branch)
}

// ends returns the status with which each ended execution ended, in the order of their ends.
func (w *world) ends() []Status {
	w.Wait()
	w.mu.Lock()
	defer w.mu.Unlock()
	var all []Status
	for _, e := range w.events {
		if e.Stage == "" {
			all = append(all, e.Status)
		}
	}
	return all
}

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

func TestTriggers(t *testing.T) {
	tests := []struct {
		name, branch, file string
		change             func(*world)
		want               int
	}{
		{"watched", "main", "webapp/deep/down.go", nil, 1},
		{"another branch", "feature", "webapp/a", nil, 0},
		{"unwatched path", "main", "docs/a.md", nil, 0},
		{"pipeline made while its connection was pending", "main", "webapp/a", func(w *world) { w.Deaf = func(string) bool { return true } }, 0},
		{"no trigger, change detection off", "main", "webapp/a", func(w *world) { w.pipeline["triggers"] = nil }, 0},
		{"no trigger, change detection on", "main", "docs/a.md", func(w *world) {
			w.pipeline["triggers"] = nil
			actions := w.pipeline["stages"].([]any)[0].(map[string]any)["actions"].([]any)
			delete(actions[0].(map[string]any)["configuration"].(map[string]any), "DetectChanges")
		}, 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t)
			if tt.change != nil {
				tt.change(w)
				w.declare()
			}
			w.push(tt.branch, tt.file, "change")
			if got := len(w.ends()); got != tt.want {
				t.Errorf("%d executions, want %d", got, tt.want)
			}
		})
	}
}

func TestPatterns(t *testing.T) {
	tests := []struct {
		p    patterns
		name string
		want bool
	}{
		{patterns{}, "any", true},
		{patterns{Includes: []string{"webapp/*"}}, "webapp/a", true},
		{patterns{Includes: []string{"webapp/*"}}, "webapp/a/b", false},
		{patterns{Includes: []string{"webapp/**"}}, "webapp/a/b", true},
		{patterns{Includes: []string{"webapp/**"}}, "webapp2/a", false},
		{patterns{Includes: []string{"*.{go,md}"}}, "a.md", true},
		{patterns{Includes: []string{"a?c"}}, "a/c", false},
		{patterns{Includes: []string{"**"}, Excludes: []string{"**.md"}}, "docs/a.md", false},
		{patterns{Excludes: []string{"docs/**"}}, "webapp/a", true},
	}
	for _, tt := range tests {
		if got, err := tt.p.match(tt.name); err != nil || got != tt.want {
			t.Errorf("%+v.match(%q) = %v, %v, want %v", tt.p, tt.name, got, err, tt.want)
		}
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
			w.put("aws:codeconnections/connection:Connection", "c", map[string]any{"arn": connectionARN, "connectionStatus": "PENDING"})
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
	building := make(chan bool)
	w.Build = func(ctx context.Context, _ Build) (BuildResult, error) {
		close(building)
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

func mustHead(t *testing.T, w *world, branch string) string {
	t.Helper()
	head, err := w.Repository.Head(t.Context(), branch)
	if err != nil {
		t.Fatal(err)
	}
	return head.ID
}
