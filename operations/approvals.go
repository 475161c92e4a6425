package operations

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline/types"
)

// Approval is what a run waits for: that a person approves or rejects it.
type Approval struct {
	// Run is the ID of the run.
	Run    string    `json:"run"`
	Stage  string    `json:"stage"`
	Action string    `json:"action"`
	Since  time.Time `json:"since"`

	token string
}

// State returns the names of the pipeline's stages, and the approval that it waits for, nil for none.
func (p *Pipeline) State(ctx context.Context) (stages []string, waiting *Approval, err error) {
	state, err := p.client.GetPipelineState(ctx, &codepipeline.GetPipelineStateInput{Name: aws.String(p.Name())})
	if err != nil {
		return nil, nil, p.stack.explain(ctx, "pipeline "+p.Name(), err, pipelineRemedies)
	}
	for _, stage := range state.StageStates {
		stages = append(stages, aws.ToString(stage.StageName))
		for _, action := range stage.ActionStates {
			if latest := action.LatestExecution; latest != nil && latest.Token != nil && latest.Status == types.ActionExecutionStatusInProgress {
				waiting = &Approval{
					Run: aws.ToString(stage.LatestExecution.PipelineExecutionId), Stage: aws.ToString(stage.StageName), Action: aws.ToString(action.ActionName),
					Since: aws.ToTime(latest.LastStatusChange).UTC(), token: aws.ToString(latest.Token),
				}
			}
		}
	}
	return stages, waiting, nil
}

// HeldBy returns the approval that a run which goes on waits for: its own, or that of an earlier run which holds the stage in
// front of it. It is nil while the run has something to do.
func (p *Pipeline) HeldBy(ctx context.Context, run Run) (*Approval, error) {
	for _, stage := range run.Stages {
		if stage.Status == "InProgress" && !stage.Waits() {
			return nil, nil
		}
	}
	_, waiting, err := p.State(ctx)
	return waiting, err
}

// CommentLimit is the longest comment to an approval, in characters (CodePipeline API reference, ApprovalResult).
const CommentLimit = 512

// Decide approves or rejects what waits, with a comment that others see.
func (p *Pipeline) Decide(ctx context.Context, waiting *Approval, approve bool, comment string) error {
	status := types.ApprovalStatusRejected
	if approve {
		status = types.ApprovalStatusApproved
	}
	_, err := p.client.PutApprovalResult(ctx, &codepipeline.PutApprovalResultInput{
		PipelineName: aws.String(p.Name()), StageName: aws.String(waiting.Stage), ActionName: aws.String(waiting.Action), Token: aws.String(waiting.token),
		Result: &types.ApprovalResult{Status: status, Summary: aws.String(comment)},
	})
	return p.stack.explain(ctx, "approval of run "+waiting.Run, err, pipelineRemedies)
}
