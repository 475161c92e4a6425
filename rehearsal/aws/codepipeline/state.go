package codepipeline

import (
	"cicd/rehearsal/aws/awsjson"
	"cicd/rehearsal/aws/iam"
)

// GetPipelineStateInput names a pipeline.
type GetPipelineStateInput struct {
	Name string `json:"name"`
}

// GetPipelineStateOutput is what was last in each of its stages.
type GetPipelineStateOutput struct {
	PipelineName    string       `json:"pipelineName"`
	PipelineVersion int          `json:"pipelineVersion"`
	StageStates     []stageState `json:"stageStates"`
}

type stageState struct {
	StageName              string          `json:"stageName"`
	InboundTransitionState transitionState `json:"inboundTransitionState"`
	ActionStates           []actionState   `json:"actionStates"`
	LatestExecution        *stageExecution `json:"latestExecution,omitempty"`
}

type stageExecution struct {
	PipelineExecutionID string `json:"pipelineExecutionId"`
	Status              Status `json:"status"`
}

type actionState struct {
	ActionName      string          `json:"actionName"`
	CurrentRevision *actionRevision `json:"currentRevision,omitempty"`
	LatestExecution *latestAction   `json:"latestExecution,omitempty"`
	RevisionURL     string          `json:"revisionUrl,omitempty"`
}

type actionRevision struct {
	RevisionID string `json:"revisionId"`
}

type latestAction struct {
	ActionExecutionID    string        `json:"actionExecutionId"`
	Status               Status        `json:"status"`
	Summary              string        `json:"summary,omitempty"`
	LastStatusChange     float64       `json:"lastStatusChange"`
	ExternalExecutionID  string        `json:"externalExecutionId,omitempty"`
	ExternalExecutionURL string        `json:"externalExecutionUrl,omitempty"`
	ErrorDetails         *errorDetails `json:"errorDetails,omitempty"`
	LastUpdatedBy        string        `json:"lastUpdatedBy,omitempty"`
	// Token is that of an open approval.
	Token string `json:"token,omitempty"`
}

// GetPipelineState describes the stages, with codepipeline:GetPipelineState.
func (s *Service) GetPipelineState(session iam.Session, in GetPipelineStateInput) (GetPipelineStateOutput, error) {
	d, err := s.enter(session, "codepipeline:GetPipelineState", in.Name)
	if err != nil {
		return GetPipelineStateOutput{}, err
	}
	out := GetPipelineStateOutput{PipelineName: in.Name, PipelineVersion: 1}
	executions := s.executions(in.Name)
	for _, st := range d.Stages {
		state := stageState{StageName: st.Name, InboundTransitionState: s.gate(d, st).state(), ActionStates: []actionState{}}
		for _, a := range st.Actions {
			state.ActionStates = append(state.ActionStates, actionState{ActionName: a.Name})
		}
		for _, e := range executions {
			if e.describe(&state) {
				break
			}
		}
		out.StageStates = append(out.StageStates, state)
	}
	return out, nil
}

// describe fills in what the execution does or did in a stage, and reports whether it has been there.
func (e *Execution) describe(state *stageState) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	status := Succeeded
	for i, a := range state.ActionStates {
		r := e.latestRun(state.StageName, a.ActionName)
		if r == nil {
			continue
		}
		a.LatestExecution = &latestAction{r.id, r.status, r.summary, awsjson.Seconds(r.updated), r.external, r.url, detailsOf(r.failure), r.updatedBy, r.openToken()}
		if r.declared.Provider == "CodeStarSourceConnection" && r.external != "" {
			// A source's address is its revision's, not that of some work elsewhere.
			a.CurrentRevision, a.RevisionURL, a.LatestExecution.ExternalExecutionURL = &actionRevision{r.external}, r.url, ""
		}
		if r.status == Failed || r.status == InProgress && status != Failed {
			status = r.status
		}
		state.ActionStates[i] = a
		state.LatestExecution = &stageExecution{e.ID, status}
	}
	return state.LatestExecution != nil
}

// latestRun returns the last run of an action, nil for none. The lock must be held.
func (e *Execution) latestRun(stage, action string) *actionRun {
	var last *actionRun
	for _, r := range e.runs {
		if r.stage == stage && r.declared.Name == action {
			last = r
		}
	}
	return last
}
