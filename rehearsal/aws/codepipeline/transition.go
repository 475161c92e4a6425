package codepipeline

import (
	"regexp"
	"slices"
	"time"

	"cicd/rehearsal/aws/awserror"
	"cicd/rehearsal/aws/awsjson"
	"cicd/rehearsal/aws/iam"
)

// EnableStageTransitionInput names a transition.
type EnableStageTransitionInput struct {
	PipelineName   string `json:"pipelineName"`
	StageName      string `json:"stageName"`
	TransitionType string `json:"transitionType"`
}

// DisableStageTransitionInput names a transition, and says why nothing is to pass it.
type DisableStageTransitionInput struct {
	PipelineName   string `json:"pipelineName"`
	StageName      string `json:"stageName"`
	TransitionType string `json:"transitionType"`
	Reason         string `json:"reason"`
}

// transitionState is the state of the transition into a stage.
type transitionState struct {
	Enabled        bool    `json:"enabled"`
	LastChangedBy  string  `json:"lastChangedBy,omitempty"`
	LastChangedAt  float64 `json:"lastChangedAt,omitempty"`
	DisabledReason string  `json:"disabledReason,omitempty"`
}

// reasonLimit and reasonPattern are the constraints of a reason (CodePipeline API Reference, DisableStageTransition).
const reasonLimit = 300

var reasonPattern = regexp.MustCompile(`^[a-zA-Z0-9!@ ().*?\-]+$`)

// DisableStageTransition stops executions in front of a stage, with codepipeline:DisableStageTransition on it (Service
// Authorization Reference, AWS CodePipeline). What is in the stage goes on. That a second call replaces the reason of the
// first is not in any manual.
func (s *Service) DisableStageTransition(session iam.Session, in DisableStageTransitionInput) error {
	g, _, err := s.transition(session, "codepipeline:DisableStageTransition", EnableStageTransitionInput{in.PipelineName, in.StageName, in.TransitionType})
	switch {
	case err != nil:
		return err
	case in.Reason == "":
		return awserror.Constraint("ValidationException", in.Reason, "reason", "Member must have length greater than or equal to 1")
	case len(in.Reason) > reasonLimit:
		return awserror.Constraint("ValidationException", in.Reason, "reason", "Member must have length less than or equal to 300")
	case !reasonPattern.MatchString(in.Reason):
		return awserror.Constraint("ValidationException", in.Reason, "reason", `Member must satisfy regular expression pattern: [a-zA-Z0-9!@ \(\)\.\*\?\-]+`)
	}
	g.disable(transitionState{LastChangedBy: session.ARN(), LastChangedAt: awsjson.Seconds(time.Now()), DisabledReason: in.Reason})
	return nil
}

// EnableStageTransition lets executions enter a stage again, with codepipeline:EnableStageTransition on it. What waits goes on:
// "the latest revision runs through the remaining stages" (User Guide, "Working with stage transitions"; after more than 30
// days it would not, but no rehearsal lasts so long).
func (s *Service) EnableStageTransition(session iam.Session, in EnableStageTransitionInput) error {
	g, d, err := s.transition(session, "codepipeline:EnableStageTransition", in)
	if err != nil {
		return err
	}
	g.enable(d.ExecutionMode, transitionState{Enabled: true, LastChangedBy: session.ARN(), LastChangedAt: awsjson.Seconds(time.Now())})
	return nil
}

// transition returns the gate of the stage that a request names. The messages of its errors are not AWS's own. A stage's
// outbound transition, of which GetPipelineState says nothing, is not served.
func (s *Service) transition(session iam.Session, action string, in EnableStageTransitionInput) (*gate, definition, error) {
	d, err := s.enter(session, action, in.PipelineName+"/"+in.StageName)
	if err != nil {
		return nil, d, err
	}
	i := slices.IndexFunc(d.Stages, func(st stage) bool { return st.Name == in.StageName })
	switch {
	case in.TransitionType == "Outbound":
		return nil, d, awserror.New("ValidationException", "the rehearsal does not serve outbound transitions")
	case in.TransitionType != "Inbound":
		return nil, d, awserror.Constraint("ValidationException", in.TransitionType, "transitionType", "Member must satisfy enum value set: [Inbound, Outbound]")
	case i < 0:
		return nil, d, awserror.New("StageNotFoundException", "Pipeline %s has no stage %s", in.PipelineName, in.StageName)
	}
	return s.gate(d, d.Stages[i]), d, nil
}
