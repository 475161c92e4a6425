package operations

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/codebuild"
	buildtypes "github.com/aws/aws-sdk-go-v2/service/codebuild/types"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy"
	deploytypes "github.com/aws/aws-sdk-go-v2/service/codedeploy/types"
)

// Cause is why a run failed, from the stage down to the command or script.
type Cause struct {
	Run Run `json:"run"`
	// Stage is the one that failed.
	Stage string `json:"stage"`
	// Where has the build's phase, or the lifecycle event and script of each host that failed; if nothing closer is known, the
	// stage with its own message.
	Where []Place `json:"where"`
	// Rollback is the ID of the deployment that brought the release before back; "" for none.
	Rollback string `json:"rollback,omitempty"`
	// Remedies say what to do.
	Remedies []string `json:"remedies"`
}

// Place is where a run failed.
type Place struct {
	Name    string `json:"name"`
	Message string `json:"message"`
	// Log has the last lines of its output.
	Log []string `json:"log,omitempty"`
}

// Why explains why a run failed; nil if it did not.
func (p *Pipeline) Why(ctx context.Context, run Run) (*Cause, error) {
	failed := run.Failed()
	if failed == nil {
		return nil, nil
	}
	cause := &Cause{Run: run, Stage: failed.Name, Where: []Place{}}
	var err error
	switch {
	case failed.provider == "CodeBuild" && failed.Work != "":
		err = p.explainBuild(ctx, cause, failed.Work)
	case failed.provider == "CodeDeploy" && failed.Work != "":
		err = p.explainDeployment(ctx, cause, failed.Work)
	}
	if err != nil {
		return nil, err
	}
	if len(cause.Where) == 0 {
		place := Place{Name: failed.Name, Message: failed.Message}
		if failed.By != "" {
			place.Name += ", decided by " + failed.By
		}
		cause.Where = append(cause.Where, place)
	}
	cause.Remedies = remediesFor(cause.Where)
	return cause, nil
}

const (
	// logLines is how many lines of a log are shown.
	logLines = 15
	// buildLogEvents is how many events of a build's log are read.
	buildLogEvents = 200
)

// build returns a build, nil if CodeBuild has forgotten it, as it does after a year.
func (p *Pipeline) build(ctx context.Context, id string) (*buildtypes.Build, error) {
	answer, err := codebuild.NewFromConfig(p.settings).BatchGetBuilds(ctx, &codebuild.BatchGetBuildsInput{Ids: []string{id}})
	if err != nil {
		return nil, p.stack.explain(ctx, "build "+id, err, pipelineRemedies)
	}
	if len(answer.Builds) == 0 {
		return nil, nil
	}
	return &answer.Builds[0], nil
}

func (p *Pipeline) explainBuild(ctx context.Context, cause *Cause, id string) error {
	build, err := p.build(ctx, id)
	if err != nil || build == nil {
		return err
	}
	place := Place{Name: "build " + id}
	if i := slices.IndexFunc(build.Phases, func(phase buildtypes.BuildPhase) bool {
		return phase.PhaseStatus != "" && phase.PhaseStatus != buildtypes.StatusTypeSucceeded
	}); i >= 0 {
		phase := build.Phases[i]
		place.Name += ", phase " + string(phase.PhaseType)
		for _, c := range phase.Contexts {
			place.Message = strings.TrimPrefix(place.Message+"; "+aws.ToString(c.StatusCode)+": "+aws.ToString(c.Message), "; ")
		}
	}
	lines := p.buildLog(ctx, build)
	place.Log = lines[max(0, len(lines)-logLines):]
	cause.Where = append(cause.Where, place)
	return nil
}

// buildLog returns the last lines that a build's commands printed. Without them, the rest is still worth telling.
func (p *Pipeline) buildLog(ctx context.Context, build *buildtypes.Build) []string {
	if build.Logs == nil || build.Logs.StreamName == nil {
		return nil // it has not begun
	}
	answer, err := cloudwatchlogs.NewFromConfig(p.settings).GetLogEvents(ctx, &cloudwatchlogs.GetLogEventsInput{
		LogGroupName: build.Logs.GroupName, LogStreamName: build.Logs.StreamName, Limit: aws.Int32(buildLogEvents)})
	if err != nil {
		name := "log " + aws.ToString(build.Logs.GroupName) + " " + aws.ToString(build.Logs.StreamName)
		return []string{fmt.Sprintf("(the log is missing: %v)", p.stack.explain(ctx, name, err, pipelineRemedies))}
	}
	var lines []string
	for _, e := range answer.Events {
		if line := strings.TrimRight(aws.ToString(e.Message), "\r\n"); !strings.HasPrefix(line, "[Container]") && strings.TrimSpace(line) != "" {
			lines = append(lines, line)
		}
	}
	return lines
}

func (p *Pipeline) explainDeployment(ctx context.Context, cause *Cause, id string) error {
	answer, err := codedeploy.NewFromConfig(p.settings).GetDeployment(ctx, &codedeploy.GetDeploymentInput{DeploymentId: aws.String(id)})
	if err != nil {
		return p.stack.explain(ctx, "deployment "+id, err, pipelineRemedies)
	}
	info := answer.DeploymentInfo
	if info.RollbackInfo != nil {
		cause.Rollback = aws.ToString(info.RollbackInfo.RollbackDeploymentId)
	}
	targets, err := p.targets(ctx, id)
	if err != nil {
		return err
	}
	for _, target := range targets {
		cause.Where = append(cause.Where, placesOf(target)...)
	}
	if len(cause.Where) == 0 && info.ErrorInformation != nil { // no host was reached
		cause.Where = append(cause.Where, Place{Name: "deployment " + id, Message: string(info.ErrorInformation.Code) + ": " + aws.ToString(info.ErrorInformation.Message)})
	}
	return nil
}

// targets returns what a deployment does on each host.
func (p *Pipeline) targets(ctx context.Context, deployment string) ([]*deploytypes.InstanceTarget, error) {
	client := codedeploy.NewFromConfig(p.settings)
	ids, err := targetsOf(ctx, client, deployment)
	if err != nil {
		return nil, p.stack.explain(ctx, "deployment "+deployment, err, pipelineRemedies)
	}
	var all []*deploytypes.InstanceTarget
	for some := range slices.Chunk(ids, 25) { // the most that BatchGetDeploymentTargets takes
		answer, err := client.BatchGetDeploymentTargets(ctx, &codedeploy.BatchGetDeploymentTargetsInput{DeploymentId: aws.String(deployment), TargetIds: some})
		if err != nil {
			return nil, p.stack.explain(ctx, "deployment "+deployment, err, pipelineRemedies)
		}
		for _, target := range answer.DeploymentTargets {
			if target.InstanceTarget != nil {
				all = append(all, target.InstanceTarget)
			}
		}
	}
	return all, nil
}

// targetsOf returns the IDs of a deployment's hosts.
func targetsOf(ctx context.Context, client *codedeploy.Client, deployment string) ([]string, error) {
	var ids []string
	in := codedeploy.ListDeploymentTargetsInput{DeploymentId: aws.String(deployment)}
	for {
		page, err := client.ListDeploymentTargets(ctx, &in)
		if err != nil {
			return nil, err
		}
		ids = append(ids, page.TargetIds...)
		if in.NextToken = page.NextToken; in.NextToken == nil {
			return ids, nil
		}
	}
}

// placesOf returns the lifecycle events that failed on a host.
func placesOf(target *deploytypes.InstanceTarget) []Place {
	var places []Place
	for _, e := range target.LifecycleEvents {
		if e.Status != deploytypes.LifecycleEventStatusFailed {
			continue
		}
		place := Place{Name: "host " + aws.ToString(target.TargetId) + ", " + aws.ToString(e.LifecycleEventName)}
		if d := e.Diagnostics; d != nil {
			if script := aws.ToString(d.ScriptName); script != "" {
				place.Name += ", " + script
			}
			place.Message = string(d.ErrorCode) + ": " + aws.ToString(d.Message)
			place.Log = tail(aws.ToString(d.LogTail))
		}
		places = append(places, place)
	}
	return places
}

// outputMark is what the agent puts before each line of a script's output.
var outputMark = regexp.MustCompile(`^\[std(out|err)\]`)

// tail returns the last lines of a script's output, without the agent's marks.
func tail(log string) []string {
	var lines []string
	for line := range strings.Lines(log) {
		line = strings.TrimRight(outputMark.ReplaceAllString(line, ""), "\r\n")
		if strings.TrimSpace(line) != "" && !strings.HasPrefix(line, "LifecycleEvent - ") && !strings.HasPrefix(line, "Script - ") {
			lines = append(lines, line)
		}
	}
	return lines[max(0, len(lines)-logLines):]
}
