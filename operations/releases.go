package operations

import (
	"cmp"
	"context"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline/types"
)

// Pipeline reads and starts a stack's releases.
type Pipeline struct {
	stack    Stack
	settings aws.Config
	client   *codepipeline.Client
}

// OpenPipeline finds credentials for a stack's pipeline.
func OpenPipeline(ctx context.Context, stack Stack) (*Pipeline, error) {
	settings, err := stack.connect(ctx)
	if err != nil {
		return nil, err
	}
	return NewPipeline(settings, stack), nil
}

// NewPipeline returns a stack's pipeline in the account of the settings.
func NewPipeline(settings aws.Config, stack Stack) *Pipeline {
	return &Pipeline{stack, settings, codepipeline.NewFromConfig(settings)}
}

// Name is the pipeline's.
func (p *Pipeline) Name() string { return p.stack.pipeline() }

// Run is one execution of the pipeline: a release, or an attempt.
type Run struct {
	ID string `json:"id"`
	// Status is CodePipeline's: InProgress, Succeeded, Failed, Superseded, Stopped, Stopping or Cancelled.
	Status string `json:"status"`
	// Commit is its id, and Subject the first line of its message. Both are empty until the source action has found it.
	Commit  string `json:"commit,omitempty"`
	Subject string `json:"subject,omitempty"`
	// Trigger is what started it, in CodePipeline's words: WebhookV2 for a push, StartPipelineExecution, CreatePipeline.
	Trigger string `json:"trigger"`
	// By is the ARN of who or which connection started it.
	By      string    `json:"by,omitempty"`
	Started time.Time `json:"started"`
	// Ended is zero while it is in progress.
	Ended  time.Time `json:"ended,omitzero"`
	Stages []Stage   `json:"stages"`
}

// Stage is what an execution did in a stage, whose only action it is about.
type Stage struct {
	Name    string    `json:"name"`
	Status  string    `json:"status"`
	Started time.Time `json:"started"`
	Ended   time.Time `json:"ended,omitzero"`
	// Work is the ID of the build or deployment.
	Work string `json:"work,omitempty"`
	// Message says why it failed, in CodePipeline's words.
	Message string `json:"message,omitempty"`
	// By is the ARN of who approved or rejected.
	By string `json:"by,omitempty"`

	provider string
}

// Waits reports whether the stage waits for an approval.
func (s Stage) Waits() bool { return s.provider == "Manual" && s.Status == "InProgress" }

// Failed returns the stage in which the run failed, nil if it did not fail.
func (r Run) Failed() *Stage {
	for i := range r.Stages {
		if r.Status == "Failed" && r.Stages[i].Status == "Failed" {
			return &r.Stages[i]
		}
	}
	return nil
}

// Deployed reports whether the run's release was deployed to every host.
func (r Run) Deployed() bool {
	return slices.ContainsFunc(r.Stages, func(s Stage) bool { return s.provider == "CodeDeploy" && s.Status == "Succeeded" })
}

// Serving returns the run whose release serves: the newest that was deployed, because CodeDeploy rolls back to it from
// one that fails. It is nil if there is none among the runs, which begin with the newest.
func Serving(runs []Run) *Run {
	for i := range runs {
		if runs[i].Deployed() {
			return &runs[i]
		}
	}
	return nil
}

// pageSize is the most that CodePipeline lists at once.
const pageSize = 100

// Releases returns the newest runs, at most limit, the newest first.
func (p *Pipeline) Releases(ctx context.Context, limit int) ([]Run, error) {
	runs := []Run{}
	pages := codepipeline.NewListPipelineExecutionsPaginator(p.client,
		&codepipeline.ListPipelineExecutionsInput{PipelineName: aws.String(p.Name()), MaxResults: aws.Int32(int32(min(limit, pageSize)))})
	for len(runs) < limit && pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, p.stack.explain(ctx, "pipeline "+p.Name(), err, pipelineRemedies)
		}
		for _, e := range page.PipelineExecutionSummaries[:min(len(page.PipelineExecutionSummaries), limit-len(runs))] {
			runs = append(runs, runOf(e))
		}
	}
	return runs, p.addStages(ctx, runs)
}

// Release returns one run.
func (p *Pipeline) Release(ctx context.Context, id string) (Run, error) {
	actions, err := p.actions(ctx, &types.ActionExecutionFilter{PipelineExecutionId: aws.String(id)}, nil)
	if err != nil {
		return Run{}, err
	}
	answer, err := p.client.GetPipelineExecution(ctx, &codepipeline.GetPipelineExecutionInput{PipelineName: aws.String(p.Name()), PipelineExecutionId: aws.String(id)})
	if err != nil {
		return Run{}, p.stack.explain(ctx, "execution "+id, err, pipelineRemedies)
	}
	e := answer.PipelineExecution
	run := Run{ID: id, Status: string(e.Status)}
	if e.Trigger != nil {
		run.Trigger, run.By = string(e.Trigger.TriggerType), aws.ToString(e.Trigger.TriggerDetail)
	}
	if len(e.ArtifactRevisions) > 0 {
		run.Commit, run.Subject = aws.ToString(e.ArtifactRevisions[0].RevisionId), subject(aws.ToString(e.ArtifactRevisions[0].RevisionSummary))
	}
	run.take(actions)
	if len(run.Stages) > 0 {
		run.Started = run.Stages[0].Started
		if run.Status != "InProgress" {
			run.Ended = run.Stages[len(run.Stages)-1].Ended
		}
	}
	return run, nil
}

func runOf(e types.PipelineExecutionSummary) Run {
	run := Run{ID: aws.ToString(e.PipelineExecutionId), Status: string(e.Status), Started: aws.ToTime(e.StartTime).UTC()}
	if e.Status != types.PipelineExecutionStatusInProgress && e.Status != types.PipelineExecutionStatusStopping {
		run.Ended = aws.ToTime(e.LastUpdateTime).UTC()
	}
	if e.Trigger != nil {
		run.Trigger, run.By = string(e.Trigger.TriggerType), aws.ToString(e.Trigger.TriggerDetail)
	}
	if len(e.SourceRevisions) > 0 {
		run.Commit, run.Subject = aws.ToString(e.SourceRevisions[0].RevisionId), subject(aws.ToString(e.SourceRevisions[0].RevisionSummary))
	}
	return run
}

// subject returns the first line of a commit's message. Through a connection, CodePipeline has it within JSON.
func subject(summary string) string {
	var connected struct{ CommitMessage string }
	if json.Unmarshal([]byte(summary), &connected) == nil && connected.CommitMessage != "" {
		summary = connected.CommitMessage
	}
	line, _, _ := strings.Cut(strings.TrimSpace(summary), "\n")
	return line
}

// addStages adds to each run what it did in its stages.
func (p *Pipeline) addStages(ctx context.Context, runs []Run) error {
	if len(runs) == 0 {
		return nil
	}
	oldest := runs[len(runs)-1].Started
	actions, err := p.actions(ctx, nil, func(a types.ActionExecutionDetail) bool { return aws.ToTime(a.StartTime).Before(oldest) })
	for i := range runs {
		runs[i].take(actions)
	}
	return err
}

// actions returns the runs of actions, the newest first, until one is enough; nil is never enough.
func (p *Pipeline) actions(ctx context.Context, filter *types.ActionExecutionFilter, enough func(types.ActionExecutionDetail) bool) ([]types.ActionExecutionDetail, error) {
	var all []types.ActionExecutionDetail
	pages := codepipeline.NewListActionExecutionsPaginator(p.client,
		&codepipeline.ListActionExecutionsInput{PipelineName: aws.String(p.Name()), Filter: filter, MaxResults: aws.Int32(pageSize)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			thing := "pipeline " + p.Name()
			if filter != nil {
				thing = "execution " + aws.ToString(filter.PipelineExecutionId)
			}
			return nil, p.stack.explain(ctx, thing, err, pipelineRemedies)
		}
		all = append(all, page.ActionExecutionDetails...)
		if n := len(all); n > 0 && enough != nil && enough(all[n-1]) {
			break
		}
	}
	return all, nil
}

// take adds the stages that actions, the newest first, are about. An action that was repeated counts as it ended.
func (r *Run) take(actions []types.ActionExecutionDetail) {
	r.Stages = []Stage{}
	for _, a := range slices.Backward(actions) {
		if aws.ToString(a.PipelineExecutionId) != r.ID {
			continue
		}
		stage := Stage{Name: aws.ToString(a.StageName), Status: string(a.Status), Started: aws.ToTime(a.StartTime).UTC()}
		if a.Status != types.ActionExecutionStatusInProgress {
			stage.Ended = aws.ToTime(a.LastUpdateTime).UTC()
		}
		if a.Input != nil && a.Input.ActionTypeId != nil {
			stage.provider = aws.ToString(a.Input.ActionTypeId.Provider)
		}
		if stage.provider == "Manual" {
			stage.By = aws.ToString(a.UpdatedBy)
		}
		if a.Output != nil && a.Output.ExecutionResult != nil {
			result := a.Output.ExecutionResult
			stage.Work = aws.ToString(result.ExternalExecutionId)
			if result.ErrorDetails != nil {
				stage.Message = cmp.Or(aws.ToString(result.ErrorDetails.Message), aws.ToString(result.ExternalExecutionSummary))
			}
		}
		if i := slices.IndexFunc(r.Stages, func(s Stage) bool { return s.Name == stage.Name }); i >= 0 {
			stage.Started = r.Stages[i].Started
			r.Stages[i] = stage
		} else {
			r.Stages = append(r.Stages, stage)
		}
	}
}

// Start releases a commit, or the branch's newest for "". It returns the ID of the run.
func (p *Pipeline) Start(ctx context.Context, commit string) (id string, err error) {
	in := &codepipeline.StartPipelineExecutionInput{Name: aws.String(p.Name())}
	if commit != "" {
		in.SourceRevisions = []types.SourceRevisionOverride{{ActionName: aws.String("Source"), RevisionType: types.SourceRevisionTypeCommitId, RevisionValue: aws.String(commit)}}
	}
	answer, err := p.client.StartPipelineExecution(ctx, in)
	if err != nil {
		return "", p.stack.explain(ctx, "pipeline "+p.Name(), err, pipelineRemedies)
	}
	return aws.ToString(answer.PipelineExecutionId), nil
}
