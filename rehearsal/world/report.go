package world

import (
	"fmt"
	"regexp"
	"strings"
	"time"

	"cicd/rehearsal/console"

	"cicd/rehearsal/aws/codebuild"
	"cicd/rehearsal/aws/codedeploy"
	"cicd/rehearsal/aws/codedeploy/agent"
	"cicd/rehearsal/aws/codepipeline"
)

// reporter shows on the console what the pipelines do.
type reporter struct {
	*console.Console
	notes   notes
	logs    *logs
	running running
}

// observe reports actions that have ended, and from time to time those that have not. pipelineCreated reports the
// execution of a pipeline's creation.
func (r *reporter) observe(e codepipeline.Event) {
	if e.Action != "" && e.Execution.Trigger != codepipeline.ByCreation {
		r.track(e.Execution.ID+e.Stage+e.Action, e.Stage, e.Status == codepipeline.InProgress)
	}
	switch {
	case e.Execution.Trigger == codepipeline.ByCreation:
	case e.Status == codepipeline.Superseded:
		r.Step("superseded", "a later push overtook this one", e.Duration)
	case e.Action == "" || e.Status == codepipeline.InProgress:
	case e.Err != nil:
		r.Step(e.Stage, "FAILED: "+e.Action, e.Duration)
	default:
		r.Step(e.Stage, e.Summary, e.Duration)
	}
}

// phases notes how long the phases of a build took, without the negligible ones.
func (r *reporter) phases(phases []codebuild.PhaseResult) {
	var parts []string
	for _, p := range phases {
		r.Part(strings.ToLower(p.Name), p.Duration)
		if p.Duration >= 50*time.Millisecond || p.Status != "SUCCEEDED" {
			parts = append(parts, fmt.Sprintf("%s %.1f s", strings.ToLower(p.Name), p.Duration.Seconds()))
		}
	}
	r.Note("%s", strings.Join(parts, ", "))
}

// hookWarning matches the line of a hook that succeeds and has something to say: see log in hooks/lib/release.sh.
var hookWarning = regexp.MustCompile(`^\[stderr\]\w+\.sh: (warning: .+)`)

// deployment reports the lifecycle events that did something, and the warnings of the agents and of this project's hooks.
func (r *reporter) deployment(e codedeploy.Event) {
	switch {
	case e.Line != nil && e.Line.Kind == agent.ScriptLine:
		if warning := hookWarning.FindStringSubmatch(e.Line.Text); warning != nil {
			r.remark(warning[1])
		}
	case e.Line != nil && e.Line.Kind == agent.WarningLine:
		r.remark("warning: " + e.Line.Text)
	case e.Line != nil || e.Lifecycle == "" || e.Status == codedeploy.InProgress:
	case e.Status == codedeploy.Failed:
		r.Step("", e.Lifecycle+" FAILED on "+e.Instance, e.Duration)
	case e.Duration >= 50*time.Millisecond:
		r.Step("", e.Lifecycle+" on "+e.Instance, e.Duration)
	}
}
