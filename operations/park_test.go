package operations

import (
	"regexp"
	"strings"
	"testing"
)

// CodePipeline takes a reason for every legal name of a stack, which is lower-case letters, digits and hyphens.
func TestParkReason(t *testing.T) {
	pattern := regexp.MustCompile(`^[a-zA-Z0-9!@ ().*?\-]{1,300}$`) // CodePipeline API reference, DisableStageTransition
	for _, name := range []string{"dev", "eu-2", strings.Repeat("s", 30)} {
		reason := Stack{Project: "cicd", Name: name}.parkReason()
		if !pattern.MatchString(reason) || !(Transition{Reason: reason}).Parks() {
			t.Errorf("stack %s: %q is no reason that CodePipeline takes and Parks knows", name, reason)
		}
	}
	if (Transition{Reason: "a freeze until Monday"}).Parks() {
		t.Error("somebody else's reason parks")
	}
}

func TestHolding(t *testing.T) {
	run := func(id string, stages ...string) Run {
		r := Run{ID: id}
		for _, name := range stages {
			r.Stages = append(r.Stages, Stage{Name: name, Status: "Succeeded"})
		}
		return r
	}
	stages := []string{"Source", "Build", "Approval", "Deploy"}
	closed := []Transition{{Stage: "Build", Reason: "parked by cicd park"}, {Stage: "Deploy", Reason: "freeze"}}
	for _, tt := range []struct {
		name  string
		state PipelineState
		run   Run
		want  string
	}{
		{"nothing", PipelineState{Stages: stages}, run("a", "Source"), ""},
		{"in front of a disabled transition", PipelineState{Stages: stages, Disabled: closed}, run("a", "Source"), "Build"},
		{"in front of another", PipelineState{Stages: stages, Disabled: closed}, run("a", "Source", "Build", "Approval"), "Deploy"},
		{"not yet there", PipelineState{Stages: stages, Disabled: closed}, run("a"), ""},
		{"past it", PipelineState{Stages: stages, Disabled: closed[:1]}, run("a", "Source", "Build"), ""},
		{"at its end", PipelineState{Stages: stages, Disabled: closed}, run("a", stages...), ""},
		{"its own approval", PipelineState{Stages: stages, Disabled: closed, Waiting: &Approval{Run: "a"}}, run("a", "Source", "Build", "Approval"), "a"},
		{"another's approval", PipelineState{Stages: stages, Waiting: &Approval{Run: "b"}}, run("a", "Source", "Build"), "b"},
		{"a transition before another's approval", PipelineState{Stages: stages, Disabled: closed, Waiting: &Approval{Run: "b"}}, run("a", "Source"), "Build"},
	} {
		got := ""
		if hold := tt.state.holding(tt.run); hold != nil && hold.Transition != nil {
			got = hold.Transition.Stage
		} else if hold != nil {
			got = hold.Approval.Run
		}
		if got != tt.want {
			t.Errorf("%s: held by %q, want %q", tt.name, got, tt.want)
		}
	}
}
