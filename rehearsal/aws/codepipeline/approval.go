package codepipeline

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"

	"cicd/rehearsal/aws/awserror"
	"cicd/rehearsal/aws/awsjson"
	"cicd/rehearsal/aws/iam"
)

// ErrUndecided leaves a manual approval to PutApprovalResult.
var ErrUndecided = errors.New("nobody has decided yet")

// approval is what a manual approval waits for. Its execution's lock guards it.
type approval struct {
	token   string
	decided chan decision // has room for one
	over    bool
}

// decision is a person's answer to a manual approval.
type decision struct {
	approved bool
	summary  string
	by       string // the ARN
}

// approve follows "Add a manual approval action to a stage" in the AWS CodePipeline user guide. AWS notifies the
// topic's subscribers that an approval is pending; here nobody subscribes. It does not end by itself after a week.
func approve(ctx context.Context, c *call) (string, error) {
	if topic := c.action.Configuration["NotificationArn"]; topic != "" {
		if err := c.service.Authority.Authorize(c.Session, "sns:Publish", topic); err != nil {
			return "", err
		}
	}
	waiting := &approval{token: uuid.NewString(), decided: make(chan decision, 1)}
	c.note(func() { c.record.approval = waiting })
	defer c.note(func() { waiting.over = true })
	if err := c.service.Approve(ctx, c.event); !errors.Is(err, ErrUndecided) {
		return "approved", err
	}
	select {
	case d := <-waiting.decided:
		c.note(func() { c.record.summary, c.record.updatedBy = d.summary, d.by })
		c.setVariables(map[string]string{"ApprovalSummary": d.summary})
		if !d.approved {
			return "", fmt.Errorf("rejected: %s", d.summary)
		}
		return "approved by " + d.by, nil
	case <-ctx.Done():
		return "", ctx.Err()
	}
}

// PutApprovalResultInput answers a manual approval.
type PutApprovalResultInput struct {
	PipelineName string `json:"pipelineName"`
	StageName    string `json:"stageName"`
	ActionName   string `json:"actionName"`
	Token        string `json:"token"`
	Result       struct {
		Summary string `json:"summary"`
		Status  string `json:"status"`
	} `json:"result"`
}

// PutApprovalResultOutput says when.
type PutApprovalResultOutput struct {
	ApprovedAt float64 `json:"approvedAt"`
}

// summaryLimit is the longest comment, in characters (CodePipeline API Reference, ApprovalResult).
const summaryLimit = 512

// PutApprovalResult approves or rejects, with codepipeline:PutApprovalResult on the action (Service Authorization
// Reference, AWS CodePipeline). The messages of its errors are not AWS's own.
func (s *Service) PutApprovalResult(session iam.Session, in PutApprovalResultInput) (PutApprovalResultOutput, error) {
	d, err := s.enter(session, "codepipeline:PutApprovalResult", in.PipelineName+"/"+in.StageName+"/"+in.ActionName)
	if err != nil {
		return PutApprovalResultOutput{}, err
	}
	stage := slices.IndexFunc(d.Stages, func(st stage) bool { return st.Name == in.StageName })
	switch {
	case in.Result.Status != "Approved" && in.Result.Status != "Rejected":
		return PutApprovalResultOutput{}, awserror.Constraint("ValidationException", in.Result.Status, "result.status", "Member must satisfy enum value set: [Approved, Rejected]")
	case utf8.RuneCountInString(in.Result.Summary) > summaryLimit:
		return PutApprovalResultOutput{}, awserror.Constraint("ValidationException", in.Result.Summary, "result.summary", "Member must have length less than or equal to 512")
	case stage < 0:
		return PutApprovalResultOutput{}, awserror.New("StageNotFoundException", "Pipeline %s has no stage %s", in.PipelineName, in.StageName)
	case !slices.ContainsFunc(d.Stages[stage].Actions, func(a action) bool { return a.Name == in.ActionName }):
		return PutApprovalResultOutput{}, awserror.New("ActionNotFoundException", "Stage %s has no action %s", in.StageName, in.ActionName)
	}
	for _, e := range s.executions(in.PipelineName) {
		waiting, open := e.approvalOf(in)
		switch {
		case waiting == nil:
			continue
		case !open:
			return PutApprovalResultOutput{}, awserror.New("ApprovalAlreadyCompletedException", "The approval action has already been approved or rejected")
		}
		waiting.decided <- decision{in.Result.Status == "Approved", in.Result.Summary, session.ARN()}
		return PutApprovalResultOutput{awsjson.Seconds(time.Now())}, nil
	}
	return PutApprovalResultOutput{}, awserror.New("InvalidApprovalTokenException", "The approval request already received a response or has expired")
}

// approvalOf returns the execution's approval with the token, nil for none. It is open for its first answer alone.
func (e *Execution) approvalOf(in PutApprovalResultInput) (waiting *approval, open bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	r := e.latestRun(in.StageName, in.ActionName)
	if r == nil || r.approval == nil || r.approval.token != in.Token {
		return nil, false
	}
	open, r.approval.over = !r.approval.over, true
	return r.approval, open
}

// openToken is the token with which a run's approval can be answered, "" for none. The execution's lock must be held.
func (r *actionRun) openToken() string {
	if r.approval == nil || r.approval.over {
		return ""
	}
	return r.approval.token
}
