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
