package codepipeline

import (
	"context"
	"slices"
	"strings"
	"testing"

	"cicd/rehearsal/aws/account"
	"cicd/rehearsal/aws/awstest"
	"cicd/rehearsal/aws/iam"
)

// broken is an error as CodeBuild's, of which CodePipeline tells a part.
type broken struct{}

func (broken) Error() string {
	return "build p:2: Build terminated with state: FAILED\n  what the build printed"
}
func (broken) Reported() string { return "Build terminated with state: FAILED" }

// released is a world in which two commits were pushed, of which the second could not be built, and a person.
func released(t *testing.T) (w *world, person iam.Session, commits []string) {
	t.Helper()
	w = newWorld(t)
	builds := 0
	w.Build = func(_ context.Context, b Build) (BuildResult, error) {
		builds++
		if b.Started("p:1"); builds == 2 {
			return BuildResult{}, broken{}
		}
		return BuildResult{ID: "p:1"}, nil
	}
	w.Deploy = func(_ context.Context, d Deployment) (string, error) { d.Started("d-1"); return "d-1", nil }
	for _, message := range []string{"First\n\nWith a body.", "Second"} {
		commit, _ := w.push("main", "webapp/"+message[:5], message)
		commits = append(commits, commit)
		w.ends()
	}
	return w, w.Authority.Administrator("jane"), commits
}

func TestListPipelineExecutions(t *testing.T) {
	w, person, commits := released(t)
	got, err := w.ListPipelineExecutions(person, ListPipelineExecutionsInput{PipelineName: "web"})
	if err != nil || len(got.PipelineExecutionSummaries) != 2 {
		t.Fatalf("%+v, %v, want two executions", got, err)
	}
	for i, want := range []struct {
		status  Status
		commit  string
		summary string
	}{{Failed, commits[1], `"CommitMessage":"Second"`}, {Succeeded, commits[0], `"CommitMessage":"First\n\nWith a body."`}} {
		e := got.PipelineExecutionSummaries[i]
		if e.Status != want.status || len(e.SourceRevisions) != 1 || e.SourceRevisions[0].RevisionID != want.commit || !strings.Contains(e.SourceRevisions[0].RevisionSummary, want.summary) ||
			e.Trigger != (executionTrigger{ByWebhook, connectionARN}) || e.StartTime == 0 || e.LastUpdateTime < e.StartTime {
			t.Errorf("execution %d is %+v, want %+v", i, e, want)
		}
	}
	first, err := w.ListPipelineExecutions(person, ListPipelineExecutionsInput{PipelineName: "web", MaxResults: 1})
	if err != nil || len(first.PipelineExecutionSummaries) != 1 || first.NextToken == "" {
		t.Fatalf("%+v, %v, want a page of one", first, err)
	}
	second, err := w.ListPipelineExecutions(person, ListPipelineExecutionsInput{PipelineName: "web", MaxResults: 1, NextToken: first.NextToken})
	if err != nil || second.NextToken != "" || second.PipelineExecutionSummaries[0].PipelineExecutionID != got.PipelineExecutionSummaries[1].PipelineExecutionID {
		t.Errorf("%+v, %v, want the last page", second, err)
	}
}

func TestListActionExecutions(t *testing.T) {
	w, person, _ := released(t)
	all, err := w.ListActionExecutions(person, ListActionExecutionsInput{PipelineName: "web"})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, a := range all.ActionExecutionDetails {
		line := a.StageName + " " + string(a.Status)
		if r := a.Output.ExecutionResult; r != nil && r.ErrorDetails != nil {
			line += " " + r.ExternalExecutionID + " " + r.ErrorDetails.Message
		}
		got = append(got, line)
	}
	if want := []string{"Build Failed p:1 Build terminated with state: FAILED", "Source Succeeded", "Deploy Succeeded", "Build Succeeded", "Source Succeeded"}; !slices.Equal(got, want) {
		t.Errorf("actions %q, want %q", got, want)
	}
	in := ListActionExecutionsInput{PipelineName: "web"}
	in.Filter.PipelineExecutionID = all.ActionExecutionDetails[0].PipelineExecutionID
	one, err := w.ListActionExecutions(person, in)
	if err != nil || len(one.ActionExecutionDetails) != 2 {
		t.Errorf("%+v, %v, want the two actions of the last execution", one, err)
	}
	deploy := all.ActionExecutionDetails[2].Output.ExecutionResult
	if deploy == nil || deploy.ExternalExecutionID != "d-1" || deploy.ExternalExecutionSummary != "Deployment Succeeded" ||
		deploy.ExternalExecutionURL != "https://console.aws.amazon.com/codedeploy/home?region=eu-central-1#/deployments/d-1" {
		t.Errorf("the deployment's result is %+v", deploy)
	}
}

func TestGetPipelineState(t *testing.T) {
	w, person, commits := released(t)
	got, err := w.GetPipelineState(person, GetPipelineStateInput{"web"})
	if err != nil || len(got.StageStates) != 3 {
		t.Fatalf("%+v, %v, want three stages", got, err)
	}
	for i, want := range []Status{Succeeded, Failed, Succeeded} {
		if s := got.StageStates[i]; s.LatestExecution.Status != want || s.ActionStates[0].LatestExecution.Status != want {
			t.Errorf("stage %s is %+v, want %s", s.StageName, s.LatestExecution, want)
		}
	}
	if source := got.StageStates[0].ActionStates[0]; source.CurrentRevision == nil || source.CurrentRevision.RevisionID != commits[1] {
		t.Errorf("the source is at %+v, want %s", source.CurrentRevision, commits[1])
	}
	if got.StageStates[1].LatestExecution.PipelineExecutionID == got.StageStates[2].LatestExecution.PipelineExecutionID {
		t.Error("the failed execution has been in stage Deploy")
	}
}

func TestStartPipelineExecution(t *testing.T) {
	w, person, commits := released(t)
	in := StartPipelineExecutionInput{Name: "web"}
	in.SourceRevisions = append(in.SourceRevisions, struct {
		ActionName    string `json:"actionName"`
		RevisionType  string `json:"revisionType"`
		RevisionValue string `json:"revisionValue"`
	}{"GitHub", "COMMIT_ID", commits[0]})
	started, err := w.StartPipelineExecution(person, in)
	if err != nil {
		t.Fatal(err)
	}
	w.ends()
	got, err := w.GetPipelineExecution(person, GetPipelineExecutionInput{"web", started.PipelineExecutionID})
	if e := got.PipelineExecution; err != nil || e.Status != Succeeded || e.ArtifactRevisions[0].RevisionID != commits[0] || e.Trigger != (executionTrigger{ByHand, person.ARN()}) {
		t.Errorf("%+v, %v, want that it has released %s", e, err, commits[0])
	}
	in.SourceRevisions[0].ActionName = "Elsewhere"
	_, err = w.StartPipelineExecution(person, in)
	awstest.WantError(t, err, "ValidationException: Source action Elsewhere")
}

func TestQueriesAreRefused(t *testing.T) {
	w, person, _ := released(t)
	_, err := w.GetPipelineState(person, GetPipelineStateInput{"none"})
	awstest.WantError(t, err, "PipelineNotFoundException: Account '123456789012' does not have a pipeline with name 'none'")
	_, err = w.GetPipelineExecution(person, GetPipelineExecutionInput{"web", "none"})
	awstest.WantError(t, err, "PipelineExecutionNotFoundException: ")
	_, err = w.ListPipelineExecutions(person, ListPipelineExecutionsInput{PipelineName: "web", NextToken: "x"})
	awstest.WantError(t, err, "InvalidNextTokenException: ")
	w.put(account.RolePolicy, "p", map[string]any{"role": "pipeline",
		"policy": `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"codepipeline:ListPipelineExecutions","Resource":"arn:aws:codepipeline:eu-central-1:123456789012:web"}}`})
	session, err := w.Authority.AssumeRole(roleARN, "codepipeline.amazonaws.com", "test", "")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.ListPipelineExecutions(session, ListPipelineExecutionsInput{PipelineName: "web"}); err != nil {
		t.Error(err)
	}
	_, err = w.ListActionExecutions(session, ListActionExecutionsInput{PipelineName: "web"})
	awstest.WantError(t, err, "AccessDeniedException: ")
}
