package codepipeline

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/smithy-go"

	"cicd/rehearsal/aws/iam"
)

// waiting is a world with an execution that waits for an approval, and its token.
func waiting(t *testing.T, person iam.Session, w *world) string {
	t.Helper()
	w.pipeline["stages"] = slices.Insert(w.pipeline["stages"].([]any), 2, any(stageOf("Approval", map[string]any{"name": "Approve", "provider": "Manual"})))
	w.declare()
	w.Approve = func(context.Context, Event) error { return ErrUndecided }
	w.push("main", "webapp/a", "First")
	for {
		state, err := w.GetPipelineState(person, GetPipelineStateInput{Name: "web"})
		if err != nil {
			t.Fatal(err)
		}
		if latest := state.StageStates[2].ActionStates[0].LatestExecution; latest != nil && latest.Token != "" {
			return latest.Token
		}
		select {
		case <-t.Context().Done():
			t.Fatal("nothing waits")
		case <-time.After(time.Millisecond):
		}
	}
}

func TestPutApprovalResult(t *testing.T) {
	for _, result := range []string{"Approved", "Rejected"} {
		t.Run(result, func(t *testing.T) {
			w := newWorld(t)
			jane, nobody := w.Authority.Administrator("jane"), iam.Session{}
			answer := func(person iam.Session, change func(*PutApprovalResultInput)) error {
				in := PutApprovalResultInput{PipelineName: "web", StageName: "Approval", ActionName: "Approve"}
				in.Result.Summary, in.Result.Status = "said so", result
				change(&in)
				_, err := w.PutApprovalResult(person, in)
				return err
			}
			token := waiting(t, jane, w)
			for code, change := range map[string]func(*PutApprovalResultInput){
				"InvalidApprovalTokenException": func(*PutApprovalResultInput) {},
				"StageNotFoundException":        func(in *PutApprovalResultInput) { in.StageName = "Other" },
				"ActionNotFoundException":       func(in *PutApprovalResultInput) { in.ActionName = "Other" },
				"PipelineNotFoundException":     func(in *PutApprovalResultInput) { in.PipelineName = "other" },
				"ValidationException":           func(in *PutApprovalResultInput) { in.Result.Status = "Maybe" },
			} {
				var refused smithy.APIError
				if err := answer(jane, change); !errors.As(err, &refused) || refused.ErrorCode() != code {
					t.Errorf("%v, want %s", err, code)
				}
			}
			right := func(in *PutApprovalResultInput) { in.Token = token }
			if err := answer(nobody, right); err == nil || !strings.Contains(err.Error(), "AccessDenied") {
				t.Errorf("%v, want a denial", err)
			}
			if err := answer(jane, right); err != nil {
				t.Fatal(err)
			}
			if err := answer(jane, right); err == nil || !strings.Contains(err.Error(), "ApprovalAlreadyCompletedException") {
				t.Errorf("%v, want the second answer refused", err)
			}
			w.ends()
			state, err := w.GetPipelineState(jane, GetPipelineStateInput{Name: "web"})
			if err != nil {
				t.Fatal(err)
			}
			latest, want := state.StageStates[2].ActionStates[0].LatestExecution, map[string]Status{"Approved": Succeeded, "Rejected": Failed}[result]
			if latest.Status != want || latest.Token != "" || latest.LastUpdatedBy != jane.ARN() || latest.Summary != "said so" {
				t.Errorf("%+v, want %s by jane", latest, want)
			}
			if deployed := state.StageStates[3].LatestExecution != nil; deployed != (result == "Approved") {
				t.Errorf("deployed: %v", deployed)
			}
		})
	}
}

// TestCloseEndsApproval: the end of the rehearsal does not wait for a person.
func TestCloseEndsApproval(t *testing.T) {
	w := newWorld(t)
	waiting(t, w.Authority.Administrator("jane"), w)
	if err := w.Close(t.Context()); err != nil {
		t.Error(err)
	}
	if got := w.ends(); !slices.Equal(got, []Status{Stopped}) {
		t.Errorf("it ended %v, want Stopped", got)
	}
}
