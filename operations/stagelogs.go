package operations

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// BuildLog returns the last lines that a run's build has printed so far.
func (p *Pipeline) BuildLog(ctx context.Context, run Run) ([]string, error) {
	id := run.work("CodeBuild")
	if id == "" {
		return nil, nil
	}
	build, err := p.build(ctx, id)
	if err != nil || build == nil {
		return nil, err
	}
	return p.buildLog(ctx, build), nil
}

// DeployLog returns a line for each lifecycle event of a run's deployment so far, on each host, and the last lines of a
// script that failed.
func (p *Pipeline) DeployLog(ctx context.Context, run Run) ([]string, error) {
	id := run.work("CodeDeploy")
	if id == "" {
		return nil, nil
	}
	targets, err := p.targets(ctx, id)
	if err != nil {
		return nil, err
	}
	var lines []string
	for _, target := range targets {
		for _, e := range target.LifecycleEvents {
			line := fmt.Sprintf("%s  %-18s %s", aws.ToString(target.TargetId), aws.ToString(e.LifecycleEventName), e.Status)
			if e.StartTime != nil && e.EndTime != nil {
				line += ", " + Roughly(e.EndTime.Sub(*e.StartTime))
			}
			lines = append(lines, line)
			if e.Diagnostics != nil {
				lines = append(lines, tail(aws.ToString(e.Diagnostics.LogTail))...)
			}
		}
	}
	return lines, nil
}

// AppTail reads what the application prints, each line once.
type AppTail struct {
	stack Stack
	tail  logTail
}

// AppTail returns a tail of what the application has printed since a time.
func (p *Pipeline) AppTail(since time.Time) *AppTail {
	return &AppTail{p.stack, p.stack.tail(p.settings, "", since)}
}

// Read returns the lines that no earlier call has returned.
func (t *AppTail) Read(ctx context.Context) ([]Line, error) {
	lines, err := t.tail.read(ctx)
	return lines, t.stack.explain(ctx, "log group "+t.stack.path(), err, nil)
}

// work returns the ID of what a provider does for a run; "" for nothing.
func (r Run) work(provider string) string {
	i := slices.IndexFunc(r.Stages, func(s Stage) bool { return s.provider == provider })
	if i < 0 {
		return ""
	}
	return r.Stages[i].Work
}
