package operations

import (
	"context"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline/types"
)

// PipelineState is what holds runs up in a pipeline now.
type PipelineState struct {
	// Stages are the names of the pipeline's.
	Stages []string
	// Waiting is the approval that a run waits for, nil for none.
	Waiting *Approval
	// Disabled are the transitions that let no run pass.
	Disabled []Transition
}

// Transition is the transition into a stage, which somebody has disabled.
type Transition struct {
	Stage  string    `json:"stage"`
	Reason string    `json:"reason"`
	By     string    `json:"by,omitempty"`
	Since  time.Time `json:"since"`
}

// State returns what holds runs up.
func (p *Pipeline) State(ctx context.Context) (PipelineState, error) {
	answer, err := p.client.GetPipelineState(ctx, &codepipeline.GetPipelineStateInput{Name: aws.String(p.Name())})
	if err != nil {
		return PipelineState{}, p.stack.explain(ctx, "pipeline "+p.Name(), err, pipelineRemedies)
	}
	var state PipelineState
	for _, stage := range answer.StageStates {
		state.Stages = append(state.Stages, aws.ToString(stage.StageName))
		if transition := stage.InboundTransitionState; transition != nil && !transition.Enabled {
			state.Disabled = append(state.Disabled, Transition{Stage: aws.ToString(stage.StageName), Reason: aws.ToString(transition.DisabledReason),
				By: aws.ToString(transition.LastChangedBy), Since: aws.ToTime(transition.LastChangedAt).UTC()})
		}
		for _, action := range stage.ActionStates {
			if latest := action.LatestExecution; latest != nil && latest.Token != nil && latest.Status == types.ActionExecutionStatusInProgress {
				state.Waiting = &Approval{
					Run: aws.ToString(stage.LatestExecution.PipelineExecutionId), Stage: aws.ToString(stage.StageName), Action: aws.ToString(action.ActionName),
					Since: aws.ToTime(latest.LastStatusChange).UTC(), token: aws.ToString(latest.Token),
				}
			}
		}
	}
	return state, nil
}

// Parked returns the transition that Park has disabled, nil if the stack is not parked.
func (s PipelineState) Parked() *Transition {
	i := slices.IndexFunc(s.Disabled, Transition.Parks)
	if i < 0 {
		return nil
	}
	return &s.Disabled[i]
}

// into returns the transition into a stage if it is disabled, else nil.
func (s PipelineState) into(stage string) *Transition {
	i := slices.IndexFunc(s.Disabled, func(t Transition) bool { return t.Stage == stage })
	if i < 0 {
		return nil
	}
	return &s.Disabled[i]
}

// Hold is what a run waits for: either an approval or a transition, which somebody has to enable.
type Hold struct {
	Approval   *Approval
	Transition *Transition
}

// HeldBy returns what a run which goes on waits for: its own approval, a disabled transition in front of it, or the approval
// of an earlier run that holds the stage in front of it. It is nil while the run has something to do.
func (p *Pipeline) HeldBy(ctx context.Context, run Run) (*Hold, error) {
	for _, stage := range run.Stages {
		if stage.Status == "InProgress" && !stage.Waits() {
			return nil, nil
		}
	}
	state, err := p.State(ctx)
	if err != nil {
		return nil, err
	}
	return state.holding(run), nil
}

// holding returns what holds a run up that does nothing now, nil for nothing.
func (s PipelineState) holding(run Run) *Hold {
	next := 0
	if n := len(run.Stages); n > 0 {
		next = 1 + slices.Index(s.Stages, run.Stages[n-1].Name)
	}
	own := s.Waiting != nil && s.Waiting.Run == run.ID
	if !own && next < len(s.Stages) {
		if transition := s.into(s.Stages[next]); transition != nil {
			return &Hold{Transition: transition}
		}
	}
	if s.Waiting == nil {
		return nil
	}
	return &Hold{Approval: s.Waiting}
}
