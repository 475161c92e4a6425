package codepipeline

import (
	"slices"
	"strings"
	"testing"
	"time"

	"cicd/rehearsal/aws/account"
	"cicd/rehearsal/aws/awstest"
	"cicd/rehearsal/aws/iam"
)

// inbound returns the state of the transition into Build, and whether the newest execution has finished Source alone.
func inbound(t *testing.T, w *world, person iam.Session) (transitionState, bool) {
	t.Helper()
	state, err := w.GetPipelineState(person, GetPipelineStateInput{Name: "web"})
	if err != nil {
		t.Fatal(err)
	}
	source := state.StageStates[0].LatestExecution
	return state.StageStates[1].InboundTransitionState, source != nil && source.Status == Succeeded && state.StageStates[1].LatestExecution == nil
}

// waitsAtBuild waits until n executions wait in front of Build.
func waitsAtBuild(t *testing.T, w *world, n int) {
	t.Helper()
	d, err := definitionOf(w.Account, "web")
	if err != nil {
		t.Fatal(err)
	}
	g := w.gate(d, d.Stages[1])
	for {
		g.mu.Lock()
		waiting := len(g.waiting)
		g.mu.Unlock()
		if waiting == n {
			return
		}
		select {
		case <-t.Context().Done():
			t.Fatalf("%d wait, want %d", waiting, n)
		case <-time.After(time.Millisecond):
		}
	}
}

// Executions wait in front of a disabled transition by the rules of the mode, and go on when it is enabled.
func TestDisabledTransition(t *testing.T) {
	for mode, want := range map[string][]Status{
		modeSuperseded: {Superseded, Succeeded},
		modeQueued:     {Succeeded, Succeeded},
		modeParallel:   {Succeeded, Succeeded},
	} {
		t.Run(mode, func(t *testing.T) {
			w := newWorld(t)
			w.pipeline["executionMode"] = mode
			w.declare()
			jane := w.Authority.Administrator("jane")
			if state, _ := inbound(t, w, jane); state != (transitionState{Enabled: true}) {
				t.Errorf("at first it is %+v, want enabled", state)
			}
			before := time.Now().Add(-time.Second)
			if err := w.DisableStageTransition(jane, DisableStageTransitionInput{"web", "Build", "Inbound", "Parked (until 8 a.m.)"}); err != nil {
				t.Fatal(err)
			}
			w.push("main", "webapp/a", "First")
			waitsAtBuild(t, w, 1)
			w.push("main", "webapp/b", "Second")
			waitsAtBuild(t, w, map[string]int{modeSuperseded: 1, modeQueued: 2, modeParallel: 2}[mode])
			state, waits := inbound(t, w, jane)
			if changed := time.UnixMilli(int64(state.LastChangedAt * 1000)); state.Enabled || state.DisabledReason != "Parked (until 8 a.m.)" ||
				state.LastChangedBy != jane.ARN() || changed.Before(before) || changed.After(time.Now()) {
				t.Errorf("disabled, it is %+v", state)
			}
			if !waits {
				t.Error("nothing waits between Source and Build")
			}
			if err := w.EnableStageTransition(jane, EnableStageTransitionInput{"web", "Build", "Inbound"}); err != nil {
				t.Fatal(err)
			}
			if got := w.ends(); !slices.Equal(got, want) {
				t.Errorf("they ended %v, want %v", got, want)
			}
			if state, _ := inbound(t, w, jane); !state.Enabled || state.DisabledReason != "" || state.LastChangedBy != jane.ARN() {
				t.Errorf("in the end it is %+v, want enabled", state)
			}
		})
	}
}

func TestTransitionsAreRefused(t *testing.T) {
	w := newWorld(t)
	jane := w.Authority.Administrator("jane")
	for want, in := range map[string]DisableStageTransitionInput{
		"PipelineNotFoundException: ": {"other", "Build", "Inbound", "x"},
		"StageNotFoundException: ":    {"web", "Other", "Inbound", "x"},
		"ValidationException: 1 validation error detected: Value 'Sideways' at 'transitionType'":      {"web", "Build", "Sideways", "x"},
		"ValidationException: the rehearsal does not serve outbound":                                  {"web", "Build", "Outbound", "x"},
		"ValidationException: 1 validation error detected: Value '' at 'reason'":                      {"web", "Build", "Inbound", ""},
		"ValidationException: 1 validation error detected: Value 'parked: why' at 'reason' failed to": {"web", "Build", "Inbound", "parked: why"},
		"ValidationException: 1 validation error detected: Value 'xxx":                                {"web", "Build", "Inbound", strings.Repeat("x", 301)},
	} {
		awstest.WantError(t, w.DisableStageTransition(jane, in), want)
	}
	if state, _ := inbound(t, w, jane); !state.Enabled {
		t.Error("what was refused has disabled the transition")
	}
	w.put(account.RolePolicy, "p", map[string]any{"role": "pipeline", "policy": `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"codepipeline:*StageTransition",
		"Resource":"arn:aws:codepipeline:eu-central-1:123456789012:web/Build"}}`})
	session, err := w.Authority.AssumeRole(roleARN, "codepipeline.amazonaws.com", "test", "")
	if err != nil {
		t.Fatal(err)
	}
	awstest.WantError(t, w.DisableStageTransition(session, DisableStageTransitionInput{"web", "Build", "Inbound", "x"}), "")
	awstest.WantError(t, w.EnableStageTransition(session, EnableStageTransitionInput{"web", "Build", "Inbound"}), "")
	awstest.WantError(t, w.DisableStageTransition(session, DisableStageTransitionInput{"web", "Deploy", "Inbound", "x"}), "AccessDeniedException: ")
	awstest.WantError(t, w.EnableStageTransition(session, EnableStageTransitionInput{"web", "Deploy", "Inbound"}), "AccessDeniedException: ")
}
