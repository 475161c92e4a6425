package codedeploy

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"cicd/rehearsal/aws/codedeploy/agent"
)

// Status is the status of a deployment, of an instance in it, or of a lifecycle event on an instance, as in the API.
type Status string

// The statuses that occur.
const (
	Pending    Status = "Pending"
	InProgress Status = "InProgress"
	Succeeded  Status = "Succeeded"
	Failed     Status = "Failed"
	Stopped    Status = "Stopped" // deployments only
	Skipped    Status = "Skipped" // instances and lifecycle events only
)

// Event reports progress. Without Lifecycle it concerns the instance, without Instance the deployment.
type Event struct {
	Deployment, Instance, Lifecycle string
	// Status is InProgress at the start, the outcome at the end, and "" if the event is only a Line.
	Status Status
	// Duration is set at the end.
	Duration time.Duration
	// Line is a line of output from the lifecycle event.
	Line *agent.Line
	// Err describes a failure.
	Err error
}

// ErrorInformation says why a deployment failed, with the API's code (ErrorInformation in the API reference).
type ErrorInformation struct{ Code, Message string }

// RollbackInfo links a failed deployment and its rollback.
type RollbackInfo struct {
	// DeploymentID is this deployment's rollback, TriggeringDeploymentID the one that this rolls back; "" for none.
	DeploymentID, TriggeringDeploymentID string
	Message                              string
}

// Info is a snapshot of a deployment.
type Info struct {
	Status    Status
	Error     *ErrorInformation
	Rollback  RollbackInfo
	Instances []Instance
	Ended     time.Time // zero while it is in progress
}

// Instance is a deployment's progress on one instance.
type Instance struct {
	ID     string
	Status Status
	Events []LifecycleEvent
}

// LifecycleEvent is one step on one instance. Failure is set if it failed.
type LifecycleEvent struct {
	Name     string
	Status   Status
	Started  time.Time // zero before
	Duration time.Duration
	Failure  *agent.Failure
}

// Deployment is one deployment of a revision to a group.
type Deployment struct {
	ID       string
	Revision Revision
	// Creator is "user" or "codeDeployRollback".
	Creator string

	group    group
	ctx      context.Context // the caller's: when it ends, the deployment is Stopped
	started  time.Time
	done     chan struct{}
	rollback *Deployment // set before done is closed

	mu   sync.Mutex
	info Info
}

func newDeployment(ctx context.Context, g group, r Revision, creator string) *Deployment {
	d := &Deployment{ID: deploymentID(), Revision: r, Creator: creator, group: g, ctx: ctx, started: time.Now(), done: make(chan struct{})}
	d.info.Status = InProgress
	return d
}

// Done is closed when the deployment has ended; by then, its rollback may have started.
func (d *Deployment) Done() <-chan struct{} { return d.done }

// Rollback returns the deployment that CodeDeploy created to undo this one, or nil if there is none. It waits for
// this deployment to end.
func (d *Deployment) Rollback() *Deployment {
	<-d.done
	return d.rollback
}

// Info returns the deployment's current state.
func (d *Deployment) Info() Info {
	d.mu.Lock()
	defer d.mu.Unlock()
	info := d.info
	info.Instances = make([]Instance, len(d.info.Instances))
	for i, instance := range d.info.Instances {
		instance.Events = append([]LifecycleEvent(nil), instance.Events...)
		info.Instances[i] = instance
	}
	return info
}

// update changes the state under its lock.
func (d *Deployment) update(change func(*Info)) {
	d.mu.Lock()
	defer d.mu.Unlock()
	change(&d.info)
}

func (d *Deployment) setRollback(r RollbackInfo) { d.update(func(i *Info) { i.Rollback = r }) }

func (d *Deployment) finish(status Status, e *ErrorInformation) {
	d.update(func(i *Info) { i.Status, i.Error, i.Ended = status, e, time.Now() })
}

func (d *Deployment) duration() time.Duration { return time.Since(d.started) }

// failed is a deployment's failure.
type failed struct{ reported, text string }

func (f *failed) Error() string { return f.text }

// Reported returns the API's message, which is all that CodePipeline says.
func (f *failed) Reported() string { return f.reported }

// Err returns nil for a deployment that has succeeded or is in progress, else an error that names instance, lifecycle
// event, script and reason, with the tail of the script's output: the API's code alone is no help (F21).
func (d *Deployment) Err() error {
	info := d.Info()
	if info.Error == nil {
		return nil
	}
	var text strings.Builder
	fmt.Fprintf(&text, "deployment %s to %s/%s: %s: %s", d.ID, d.group.Application, d.group.Name, info.Error.Code, info.Error.Message)
	for _, instance := range info.Instances {
		for _, event := range instance.Events {
			if event.Failure != nil {
				writeFailure(&text, instance.ID, event)
			}
		}
	}
	if info.Rollback.Message != "" {
		fmt.Fprintf(&text, "\n  %s", info.Rollback.Message)
	}
	return &failed{info.Error.Message, text.String()}
}

func writeFailure(text *strings.Builder, instance string, event LifecycleEvent) {
	f := event.Failure
	fmt.Fprintf(text, "\n  %s: %s: ", instance, event.Name)
	if f.Script != "" {
		fmt.Fprintf(text, "%s: ", f.Script)
	}
	fmt.Fprintf(text, "%s: %s", f.Code, f.Message)
	if f.Hint != "" {
		fmt.Fprintf(text, "\n    hint: %s", f.Hint)
	}
	if f.Log != "" {
		for line := range strings.Lines(f.Log) {
			fmt.Fprintf(text, "\n    | %s", strings.TrimSuffix(line, "\n"))
		}
	}
}
