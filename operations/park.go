package operations

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline/types"
)

// parkMark begins the reason with which Park disables a transition.
const parkMark = "parked by cicd park"

// parkReason is the reason. CodePipeline takes letters, digits, spaces and !@().*?- in it, up to 300 (CodePipeline API
// reference, DisableStageTransition), which every stack's name fits into.
func (s Stack) parkReason() string {
	return fmt.Sprintf("%s. cicd unpark --stack %s goes on", parkMark, s.Name)
}

// Parks reports whether Park has disabled the transition.
func (t Transition) Parks() bool { return strings.HasPrefix(t.Reason, parkMark) }

// Parking is what parks a stack: its hosts, and the transition behind the pipeline's first stage.
type Parking struct {
	State PipelineState
	Hosts []Host
}

// Parking reads what parks the stack.
func (p *Pipeline) Parking(ctx context.Context) (*Parking, error) {
	state, err := p.State(ctx)
	if err != nil {
		return nil, err
	}
	hosts, err := p.Hosts(ctx)
	return &Parking{state, hosts}, err
}

// entry is the stage that the transition leads into.
func (k *Parking) entry() string { return k.State.Stages[1] } // CodePipeline has no pipeline with one stage

// Done reports whether the stack is parked, wholly.
func (k *Parking) Done() bool { return k.State.Parked() != nil && AllAre(k.Hosts, "stopped") }

// Refusal returns why the stack cannot be parked now, nil if it can.
func (p *Pipeline) Refusal(ctx context.Context, k *Parking) error {
	if transition := k.State.into(k.entry()); transition != nil && !transition.Parks() {
		return fmt.Errorf("pipeline %s: the transition into stage %s is disabled already, by %s, with the reason %q: nothing is changed\nTo do: enable it when that is over:\n%s",
			p.Name(), transition.Stage, transition.By, transition.Reason, p.EnableCommand(transition.Stage))
	}
	run, err := p.pastEntry(ctx, k)
	if err != nil || run == nil {
		return err
	}
	return fmt.Errorf("a release of %s is running: nothing is changed\nTo do: wait until it has ended, or decide if it waits for an approval: `cicd status --stack %s` shows it",
		Short(run.Commit), p.stack.Name)
}

// parkRuns is how many runs are looked at for one that goes on.
const parkRuns = 20

// pastEntry returns a run that goes on and needs the hosts, nil for none. One that is in the first stage, or behind it, does
// not while the transition is disabled.
func (p *Pipeline) pastEntry(ctx context.Context, k *Parking) (*Run, error) {
	runs, err := p.Releases(ctx, parkRuns)
	if err != nil {
		return nil, err
	}
	closed := k.State.into(k.entry()) != nil
	beyond := func(s Stage) bool { return s.Name != k.State.Stages[0] }
	for i, run := range runs {
		if (run.Status == "InProgress" || run.Status == "Stopping") && (!closed || slices.ContainsFunc(run.Stages, beyond)) {
			return &runs[i], nil
		}
	}
	return nil, nil
}

// Park disables the transition behind the first stage, so that a push waits instead of failing, and stops the hosts. If
// it fails, either nothing is changed, or the error says what is.
func (p *Pipeline) Park(ctx context.Context, k *Parking) error {
	if k.State.Parked() == nil {
		switch err := p.disable(ctx, k.entry()); {
		case refused(err):
			return p.explainTransition(ctx, k.entry(), err)
		case err != nil: // it may be disabled
			return p.goOn(ctx, k, p.explainTransition(ctx, k.entry(), err))
		}
	}
	now, err := p.Parking(ctx)
	if err == nil {
		err = p.Refusal(ctx, now) // a release may have begun while a person was asked
	}
	if err != nil {
		return p.goOn(ctx, k, err)
	}
	if ids := in(now.Hosts, "pending", "running"); len(ids) > 0 {
		err := p.stopHosts(ctx, ids)
		explained := p.stack.explain(ctx, named(ids), err, hostRemedies)
		switch {
		case refused(err):
			return p.goOn(ctx, k, explained)
		case err != nil: // whether they stop is unknown
			return p.halfParked(k, explained)
		}
	}
	if ids := in(now.Hosts, "pending", "running", "stopping"); len(ids) > 0 {
		if err := p.awaitStopped(ctx, ids); err != nil {
			return p.halfParked(k, err)
		}
	}
	return nil
}

// goOn enables the transition again, unless it was disabled before, and adds to the error what is left.
func (p *Pipeline) goOn(ctx context.Context, before *Parking, err error) error {
	if before.State.Parked() != nil {
		return p.halfParked(before, err)
	}
	stage := before.entry()
	if failed := p.enable(context.WithoutCancel(ctx), stage); failed != nil { // also if ctx is why it is to be undone
		return fmt.Errorf("%w\nThe transition into stage %s is disabled, and was not enabled again: %w\nTo do: `cicd unpark --stack %s`",
			err, stage, p.explainTransition(context.WithoutCancel(ctx), stage, failed), p.stack.Name)
	}
	return fmt.Errorf("%w\nThe stack is not parked: no host is stopped, and the transition into stage %s is enabled", err, stage)
}

// halfParked adds to an error in which state the stack is, and how to leave it.
func (p *Pipeline) halfParked(k *Parking, err error) error {
	return fmt.Errorf("%w\nThe transition into stage %s is disabled, and the hosts may be stopping.\nTo do: `cicd park --stack %s` finishes that, `cicd unpark --stack %[3]s` takes it back",
		err, k.entry(), p.stack.Name)
}

// StartHosts starts the hosts that do not run, and waits until all do. Docker starts their containers by itself.
func (p *Pipeline) StartHosts(ctx context.Context, k *Parking) error {
	if stopping := in(k.Hosts, "stopping"); len(stopping) > 0 { // EC2 starts none of these
		if err := p.awaitStopped(ctx, stopping); err != nil {
			return err
		}
	}
	if ids := in(k.Hosts, "stopping", "stopped"); len(ids) > 0 {
		if err := p.startHosts(ctx, ids); err != nil {
			return err
		}
	}
	if ids := in(k.Hosts, "pending", "stopping", "stopped"); len(ids) > 0 {
		return p.awaitRunning(ctx, ids)
	}
	return nil
}

// Unpark enables the transition that Park has disabled. A push that waited goes on.
func (p *Pipeline) Unpark(ctx context.Context, k *Parking) error {
	transition := k.State.Parked()
	if transition == nil {
		return nil
	}
	return p.explainTransition(ctx, transition.Stage, p.enable(ctx, transition.Stage))
}

// EnableCommand is the command that enables the transition into a stage, in lines that fit a terminal.
func (p *Pipeline) EnableCommand(stage string) string {
	return fmt.Sprintf("aws codepipeline enable-stage-transition --region %s \\\n  --pipeline-name %s \\\n  --stage-name %s --transition-type Inbound", p.stack.Region, p.Name(), stage)
}

func (p *Pipeline) disable(ctx context.Context, stage string) error {
	_, err := p.client.DisableStageTransition(ctx, &codepipeline.DisableStageTransitionInput{PipelineName: aws.String(p.Name()), StageName: aws.String(stage),
		TransitionType: types.StageTransitionTypeInbound, Reason: aws.String(p.stack.parkReason())})
	return err
}

func (p *Pipeline) enable(ctx context.Context, stage string) error {
	_, err := p.client.EnableStageTransition(ctx, &codepipeline.EnableStageTransitionInput{PipelineName: aws.String(p.Name()), StageName: aws.String(stage),
		TransitionType: types.StageTransitionTypeInbound})
	return err
}

func (p *Pipeline) explainTransition(ctx context.Context, stage string, err error) error {
	return p.stack.explain(ctx, "transition into stage "+stage, err, pipelineRemedies)
}
