package operations

import (
	"encoding/json"
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline/types"
)

// TestTake: actions of other runs do not count, and of a repeated one its end does.
func TestTake(t *testing.T) {
	at := time.Date(2026, 11, 29, 8, 0, 0, 0, time.UTC)
	action := func(run, stage string, second int, status types.ActionExecutionStatus, message string) types.ActionExecutionDetail {
		a := types.ActionExecutionDetail{PipelineExecutionId: aws.String(run), StageName: aws.String(stage), Status: status,
			StartTime: aws.Time(at.Add(time.Duration(second) * time.Second)), LastUpdateTime: aws.Time(at.Add(time.Duration(second+1) * time.Second)),
			Input: &types.ActionExecutionInput{ActionTypeId: &types.ActionTypeId{Provider: aws.String("Code" + stage)}}}
		if message != "" {
			a.Output = &types.ActionExecutionOutput{ExecutionResult: &types.ActionExecutionResult{ErrorDetails: &types.ErrorDetails{Message: aws.String(message)}}}
		}
		return a
	}
	newestFirst := []types.ActionExecutionDetail{
		action("2", "Deploy", 30, types.ActionExecutionStatusInProgress, ""),
		action("1", "Deploy", 20, types.ActionExecutionStatusFailed, "no"),
		action("1", "Source", 10, types.ActionExecutionStatusSucceeded, ""),
		action("1", "Source", 0, types.ActionExecutionStatusFailed, "not yet"),
	}
	one := Run{ID: "1", Status: "Failed"}
	one.take(newestFirst)
	if len(one.Stages) != 2 || one.Stages[0].Status != "Succeeded" || one.Stages[0].Message != "" || !one.Stages[0].Started.Equal(at) || one.Failed().Message != "no" {
		t.Errorf("stages %+v, want Source, which succeeded at the second try, and Deploy", one.Stages)
	}
	two := Run{ID: "2", Status: "InProgress"}
	two.take(newestFirst)
	if len(two.Stages) != 1 || !two.Stages[0].Ended.IsZero() || two.Failed() != nil || two.Deployed() {
		t.Errorf("stages %+v, want one that goes on", two.Stages)
	}
	if Serving([]Run{two, one}) != nil {
		t.Error("nothing was deployed, and something serves")
	}
}

// TestEarlier: a rollback goes to another commit than the one that serves, and only to one that was deployed.
func TestEarlier(t *testing.T) {
	run := func(commit, status string) Run {
		return Run{ID: commit, Commit: commit, Stages: []Stage{{Name: "Deploy", Status: status, provider: "CodeDeploy"}}}
	}
	runs := []Run{run("d1", "Failed"), run("c1", "Succeeded"), run("c1", "Succeeded"), run("b1", "Failed"), run("a2", "Succeeded"), run("a1", "Succeeded")}
	for prefix, want := range map[string]string{"": "a2", "a1": "a1", "a": "a2", "b": "", "c1": "", "d1": ""} {
		got := ""
		if earlier := Earlier(runs, prefix); earlier != nil {
			got = earlier.Commit
		}
		if got != want {
			t.Errorf("%q: it goes back to %q, want %q", prefix, got, want)
		}
	}
	again := []Run{run("b1", "Succeeded"), run("c1", "Succeeded"), run("b1", "Succeeded"), run("a1", "Succeeded")}
	if got := Earlier(again, ""); got == nil || got.Commit != "a1" {
		t.Errorf("after a rollback from c1 to b1, the next goes to %+v, want a1", got)
	}
	if got := Earlier(again, "c1"); got == nil || got.Commit != "c1" {
		t.Errorf("c1 is asked for, and it goes to %+v", got)
	}
	if Earlier(runs[:1], "") != nil {
		t.Error("nothing serves, and it goes back")
	}
}

func TestSubject(t *testing.T) {
	for summary, want := range map[string]string{
		`{"ProviderType":"GitHub","CommitMessage":"Change it\n\nBecause."}`: "Change it",
		"Change it\n\nBecause.": "Change it",
		`{"not": "this"}`:       `{"not": "this"}`,
		"":                      "",
	} {
		if got := subject(summary); got != want {
			t.Errorf("the subject of %q is %q, want %q", summary, got, want)
		}
	}
}

func TestMeasure(t *testing.T) {
	at := time.Date(2026, 11, 29, 8, 0, 0, 0, time.UTC)
	run := func(minute, took int, status string) Run {
		r := Run{Status: status, Started: at.Add(time.Duration(minute) * time.Minute), Ended: at.Add(time.Duration(minute+took) * time.Minute)}
		if status == "Succeeded" {
			r.Stages = []Stage{{Name: "Deploy", Status: status, provider: "CodeDeploy"}}
		}
		return r
	}
	oldestFirst := []Run{run(0, 2, "Succeeded"), run(10, 1, "Failed"), run(20, 1, "Failed"), run(30, 4, "Succeeded"), run(40, 3, "Succeeded"), run(50, 1, "Superseded")}
	newestFirst := slices.Clone(oldestFirst)
	slices.Reverse(newestFirst)
	want := Metrics{Deployed: 3, Failed: 2, Span: 50 * time.Minute, Lead: 3 * time.Minute, Restore: 23 * time.Minute}
	if got := Measure(newestFirst); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
	if raw, err := json.Marshal(want); err != nil || string(raw) != `{"deployed":3,"failed":2,"spanSeconds":3000,"leadSeconds":180,"restoreSeconds":1380}` {
		t.Errorf("as JSON: %s, %v", raw, err)
	}
	if got := Measure(nil); got != (Metrics{}) {
		t.Errorf("%+v of nothing", got)
	}
}

func TestTail(t *testing.T) {
	got := tail("LifecycleEvent - ValidateService\nScript - hooks/validate.sh\n[stdout]one\n[stderr]two\n\n")
	if !slices.Equal(got, []string{"one", "two"}) {
		t.Errorf("tail %q", got)
	}
}
