package codepipeline

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"cicd/rehearsal/aws/account"
	"cicd/rehearsal/aws/iam"
	"cicd/rehearsal/aws/s3"
	"cicd/rehearsal/github"
)

const (
	roleARN       = "arn:aws:iam::123456789012:role/pipeline"
	connectionARN = "arn:aws:codeconnections:eu-central-1:123456789012:connection/c"
)

// world is an account with one pipeline over a real Git repository; the test decides how builds and deployments end.
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
		NoWebhook: func(string) bool { return false },
		Build:     func(context.Context, Build) (BuildResult, error) { return BuildResult{ID: "p:1"}, nil },
		Deploy:    func(context.Context, Deployment) (string, error) { return "d-1", nil },
		Approve:   func(context.Context, Event) error { return nil },
	}}
	w.Observe = func(e Event) {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.events = append(w.events, e)
	}
	w.put(account.Role, "pipeline", map[string]any{"arn": roleARN, "name": "pipeline",
		"assumeRolePolicy": `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"Service":"codepipeline.amazonaws.com"}}}`})
	w.put(account.RolePolicy, "p", map[string]any{"role": "pipeline",
		"policy": `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}`})
	w.put(account.Bucket, "artifacts", map[string]any{"bucket": "artifacts", "arn": "arn:aws:s3:::artifacts"})
	w.put(account.Connection, "c", map[string]any{"arn": connectionARN, "connectionStatus": "AVAILABLE"})
	w.pipeline = declaredPipeline()
	w.declare()
	var err error
	w.Repository, err = github.Create(t.Context(), t.TempDir(), "example/webapp", "main", func(p github.Push) string {
		started, err := w.Push(t.Context(), p)
		if err != nil {
			return err.Error()
		}
		return strings.Repeat("started\n", len(started))
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.running.Wait(); w.Repository.Close() })
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

// declare records the pipeline in w.pipeline.
func (w *world) declare() { w.put(account.Pipeline, "web", w.pipeline) }

// push commits one file in a fresh clone of branch and pushes it. It returns the commit and git's output.
func (w *world) push(branch, file, message string) (commit, said string) {
	w.t.Helper()
	dir := w.t.TempDir()
	git := func(args ...string) string {
		out, err := github.Git(w.t.Context(), dir, args...)
		if err != nil {
			w.t.Fatal(err)
		}
		return strings.TrimSpace(out)
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
	said, err := w.Repository.Push(w.t.Context(), dir, "HEAD", branch)
	if err != nil {
		w.t.Fatal(err)
	}
	return git("rev-parse", "HEAD"), said
}

// ends returns the statuses of the ended executions, in order of ending.
func (w *world) ends() []Status {
	w.running.Wait()
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

func mustHead(t *testing.T, w *world, branch string) string {
	t.Helper()
	head, err := w.Repository.Head(t.Context(), branch)
	if err != nil {
		t.Fatal(err)
	}
	return head.ID
}
