package codepipeline

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"cicd/rehearsal/aws/awserror"
	"cicd/rehearsal/aws/awsjson"
	"cicd/rehearsal/aws/iam"
)

// enter begins a call about a pipeline, or a stage or action of it (pipeline/stage/action): it asks IAM, and then whether
// the pipeline exists, as AWS does.
func (s *Service) enter(session iam.Session, action, resource string) (definition, error) {
	if err := s.Authority.Authorize(session, action, s.Account.ARN("codepipeline", resource)); err != nil {
		return definition{}, awserror.Denied(err)
	}
	pipeline, _, _ := strings.Cut(resource, "/")
	return definitionOf(s.Account, pipeline)
}

// executions returns a pipeline's executions, the newest first.
func (s *Service) executions(pipeline string) []*Execution {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []*Execution
	for _, e := range slices.Backward(s.history) {
		if e.Pipeline == pipeline {
			all = append(all, e)
		}
	}
	return all
}

// page is one page of a list, and the token for the next.
func page[T any](all []T, limit int, token string) (some []T, next string, err error) {
	first := 0
	if token != "" {
		if first, err = strconv.Atoi(token); err != nil || first < 0 || first > len(all) {
			return nil, "", awserror.New("InvalidNextTokenException", "The next token is not valid")
		}
	}
	if limit == 0 {
		limit = 100
	}
	if limit < 1 || limit > 100 {
		return nil, "", awserror.Constraint("ValidationException", limit, "maxResults", "Member must have value less than or equal to 100")
	}
	end := min(first+limit, len(all))
	if end < len(all) {
		next = strconv.Itoa(end)
	}
	return append([]T{}, all[first:end]...), next, nil
}

// ListPipelineExecutionsInput asks for a pipeline's executions.
type ListPipelineExecutionsInput struct {
	PipelineName string `json:"pipelineName"`
	MaxResults   int    `json:"maxResults"`
	NextToken    string `json:"nextToken"`
}

// ListPipelineExecutionsOutput has a page of them, the newest first.
type ListPipelineExecutionsOutput struct {
	PipelineExecutionSummaries []executionSummary `json:"pipelineExecutionSummaries"`
	NextToken                  string             `json:"nextToken,omitempty"`
}

type executionSummary struct {
	PipelineExecutionID string           `json:"pipelineExecutionId"`
	Status              Status           `json:"status"`
	StartTime           float64          `json:"startTime"`
	LastUpdateTime      float64          `json:"lastUpdateTime"`
	SourceRevisions     []SourceRevision `json:"sourceRevisions"`
	Trigger             executionTrigger `json:"trigger"`
	ExecutionMode       string           `json:"executionMode"`
	ExecutionType       string           `json:"executionType"`
}

// executionTrigger is what started an execution, and who or which connection.
type executionTrigger struct {
	TriggerType   string `json:"triggerType"`
	TriggerDetail string `json:"triggerDetail,omitempty"`
}

// ListPipelineExecutions lists executions, with codepipeline:ListPipelineExecutions.
func (s *Service) ListPipelineExecutions(session iam.Session, in ListPipelineExecutionsInput) (ListPipelineExecutionsOutput, error) {
	if _, err := s.enter(session, "codepipeline:ListPipelineExecutions", in.PipelineName); err != nil {
		return ListPipelineExecutionsOutput{}, err
	}
	some, next, err := page(s.executions(in.PipelineName), in.MaxResults, in.NextToken)
	out := ListPipelineExecutionsOutput{PipelineExecutionSummaries: []executionSummary{}, NextToken: next}
	for _, e := range some {
		out.PipelineExecutionSummaries = append(out.PipelineExecutionSummaries, e.summary())
	}
	return out, err
}

func (e *Execution) summary() executionSummary {
	e.mu.Lock()
	defer e.mu.Unlock()
	s := executionSummary{
		PipelineExecutionID: e.ID, Status: e.status, StartTime: awsjson.Seconds(e.started), LastUpdateTime: awsjson.Seconds(e.updated),
		SourceRevisions: []SourceRevision{}, Trigger: executionTrigger{e.Trigger, e.startedBy}, ExecutionMode: e.def.ExecutionMode, ExecutionType: "STANDARD",
	}
	if e.revision != nil {
		s.SourceRevisions = append(s.SourceRevisions, *e.revision)
	}
	return s
}

// ListActionExecutionsInput asks for the runs of a pipeline's actions, or of one execution's.
type ListActionExecutionsInput struct {
	PipelineName string `json:"pipelineName"`
	Filter       struct {
		PipelineExecutionID string `json:"pipelineExecutionId"`
	} `json:"filter"`
	MaxResults int    `json:"maxResults"`
	NextToken  string `json:"nextToken"`
}

// ListActionExecutionsOutput has a page of them, the newest first.
type ListActionExecutionsOutput struct {
	ActionExecutionDetails []actionDetail `json:"actionExecutionDetails"`
	NextToken              string         `json:"nextToken,omitempty"`
}

type actionDetail struct {
	PipelineExecutionID string       `json:"pipelineExecutionId"`
	ActionExecutionID   string       `json:"actionExecutionId"`
	PipelineVersion     int          `json:"pipelineVersion"`
	StageName           string       `json:"stageName"`
	ActionName          string       `json:"actionName"`
	StartTime           float64      `json:"startTime"`
	LastUpdateTime      float64      `json:"lastUpdateTime"`
	Status              Status       `json:"status"`
	UpdatedBy           string       `json:"updatedBy,omitempty"`
	Input               actionInput  `json:"input"`
	Output              actionOutput `json:"output"`
}

type actionInput struct {
	ActionTypeID          actionType        `json:"actionTypeId"`
	Configuration         map[string]string `json:"configuration"`
	ResolvedConfiguration map[string]string `json:"resolvedConfiguration,omitempty"`
	RoleARN               string            `json:"roleArn,omitempty"`
	Region                string            `json:"region"`
	Namespace             string            `json:"namespace,omitempty"`
}

type actionType struct {
	Category string `json:"category"`
	Owner    string `json:"owner"`
	Provider string `json:"provider"`
	Version  string `json:"version"`
}

type actionOutput struct {
	ExecutionResult *actionResult     `json:"executionResult,omitempty"`
	OutputVariables map[string]string `json:"outputVariables,omitempty"`
}

type actionResult struct {
	ExternalExecutionID      string        `json:"externalExecutionId,omitempty"`
	ExternalExecutionSummary string        `json:"externalExecutionSummary,omitempty"`
	ExternalExecutionURL     string        `json:"externalExecutionUrl,omitempty"`
	ErrorDetails             *errorDetails `json:"errorDetails,omitempty"`
}

// ListActionExecutions lists runs of actions, with codepipeline:ListActionExecutions.
func (s *Service) ListActionExecutions(session iam.Session, in ListActionExecutionsInput) (ListActionExecutionsOutput, error) {
	if _, err := s.enter(session, "codepipeline:ListActionExecutions", in.PipelineName); err != nil {
		return ListActionExecutionsOutput{}, err
	}
	var all []actionDetail
	known := in.Filter.PipelineExecutionID == ""
	for _, e := range s.executions(in.PipelineName) {
		if in.Filter.PipelineExecutionID == "" || in.Filter.PipelineExecutionID == e.ID {
			known = true
			all = append(all, e.details(s.Account.Region())...)
		}
	}
	if !known {
		return ListActionExecutionsOutput{}, noExecution(in.PipelineName, in.Filter.PipelineExecutionID)
	}
	some, next, err := page(all, in.MaxResults, in.NextToken)
	return ListActionExecutionsOutput{some, next}, err
}

// noExecution is the error for an unknown execution.
func noExecution(pipeline, id string) error {
	return awserror.New("PipelineExecutionNotFoundException", "There is no pipeline execution with id '%s' for the pipeline with name '%s'", id, pipeline)
}

// details describes the runs of the execution's actions, the newest first.
func (e *Execution) details(region string) []actionDetail {
	e.mu.Lock()
	defer e.mu.Unlock()
	var all []actionDetail
	for _, r := range slices.Backward(e.runs) {
		d := actionDetail{
			PipelineExecutionID: e.ID, ActionExecutionID: r.id, PipelineVersion: 1, StageName: r.stage, ActionName: r.declared.Name,
			StartTime: awsjson.Seconds(r.started), LastUpdateTime: awsjson.Seconds(r.updated), Status: r.status, UpdatedBy: r.updatedBy,
			Input: actionInput{
				ActionTypeID:  actionType{r.declared.Category, "AWS", r.declared.Provider, "1"},
				Configuration: r.declared.Configuration, ResolvedConfiguration: r.resolved, RoleARN: r.role, Region: region, Namespace: r.declared.Namespace,
			},
		}
		d.Output.OutputVariables = r.variables
		if r.external != "" || r.failure != nil {
			d.Output.ExecutionResult = &actionResult{r.external, r.summary, r.url, detailsOf(r.failure)}
		}
		all = append(all, d)
	}
	return all
}

// StartPipelineExecutionInput starts an execution of the newest commit or of a given one.
type StartPipelineExecutionInput struct {
	Name               string `json:"name"`
	ClientRequestToken string `json:"clientRequestToken"` // ignored: no client here sends a request twice
	SourceRevisions    []struct {
		ActionName    string `json:"actionName"`
		RevisionType  string `json:"revisionType"`
		RevisionValue string `json:"revisionValue"`
	} `json:"sourceRevisions"`
}

// StartPipelineExecutionOutput names the execution.
type StartPipelineExecutionOutput struct {
	PipelineExecutionID string `json:"pipelineExecutionId"`
}

// StartPipelineExecution starts an execution, with codepipeline:StartPipelineExecution.
func (s *Service) StartPipelineExecution(session iam.Session, in StartPipelineExecutionInput) (StartPipelineExecutionOutput, error) {
	d, err := s.enter(session, "codepipeline:StartPipelineExecution", in.Name)
	if err != nil {
		return StartPipelineExecutionOutput{}, err
	}
	commit := ""
	for i, r := range in.SourceRevisions {
		if !slices.ContainsFunc(d.sources(), func(a action) bool { return a.Name == r.ActionName }) {
			return StartPipelineExecutionOutput{}, awserror.New("ValidationException", "Source action %s does not exist in pipeline %s", r.ActionName, in.Name)
		}
		if r.RevisionType != "COMMIT_ID" {
			return StartPipelineExecutionOutput{}, awserror.Constraint("ValidationException", r.RevisionType,
				fmt.Sprintf("sourceRevisions.%d.member.revisionType", i+1), "Member must satisfy enum value set: [COMMIT_ID, IMAGE_DIGEST, S3_OBJECT_VERSION_ID, S3_OBJECT_KEY]")
		}
		commit = r.RevisionValue
	}
	e := s.start(context.Background(), d, ByHand, session.ARN(), "", commit) // Close stops it
	return StartPipelineExecutionOutput{e.ID}, nil
}

// GetPipelineExecutionInput names an execution.
type GetPipelineExecutionInput struct {
	PipelineName        string `json:"pipelineName"`
	PipelineExecutionID string `json:"pipelineExecutionId"`
}

// GetPipelineExecutionOutput describes it.
type GetPipelineExecutionOutput struct {
	PipelineExecution executionInfo `json:"pipelineExecution"`
}

type executionInfo struct {
	PipelineName        string             `json:"pipelineName"`
	PipelineVersion     int                `json:"pipelineVersion"`
	PipelineExecutionID string             `json:"pipelineExecutionId"`
	Status              Status             `json:"status"`
	ArtifactRevisions   []artifactRevision `json:"artifactRevisions"`
	Trigger             executionTrigger   `json:"trigger"`
	ExecutionMode       string             `json:"executionMode"`
	ExecutionType       string             `json:"executionType"`
}

type artifactRevision struct {
	Name            string `json:"name"`
	RevisionID      string `json:"revisionId"`
	RevisionSummary string `json:"revisionSummary"`
	RevisionURL     string `json:"revisionUrl"`
}

// GetPipelineExecution describes an execution, with codepipeline:GetPipelineExecution.
func (s *Service) GetPipelineExecution(session iam.Session, in GetPipelineExecutionInput) (GetPipelineExecutionOutput, error) {
	d, err := s.enter(session, "codepipeline:GetPipelineExecution", in.PipelineName)
	if err != nil {
		return GetPipelineExecutionOutput{}, err
	}
	all := s.executions(in.PipelineName)
	i := slices.IndexFunc(all, func(e *Execution) bool { return e.ID == in.PipelineExecutionID })
	if i < 0 {
		return GetPipelineExecutionOutput{}, noExecution(in.PipelineName, in.PipelineExecutionID)
	}
	summary := all[i].summary()
	info := executionInfo{in.PipelineName, 1, in.PipelineExecutionID, summary.Status, []artifactRevision{}, summary.Trigger, summary.ExecutionMode, summary.ExecutionType}
	for _, r := range summary.SourceRevisions {
		info.ArtifactRevisions = append(info.ArtifactRevisions, artifactRevision{d.sources()[0].OutputArtifacts[0], r.RevisionID, r.RevisionSummary, r.RevisionURL})
	}
	return GetPipelineExecutionOutput{info}, nil
}
