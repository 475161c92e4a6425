package codepipeline

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"

	"cicd/rehearsal/aws/iam"
)

// Execution is one run of a pipeline.
type Execution struct {
	// ID is the pipeline execution id.
	ID       string
	Pipeline string
	// Trigger says what started it: ByCreation, ByWebhook or ByHand.
	Trigger string
	// Commit is the commit to release, "" for the branch's newest.
	Commit string

	service *Service
	def     definition
	number  int
	branch  string // pushed to; "" for the source action's branch
	// startedBy is the ARN of the session or the connection that started it, "" if AWS did.
	startedBy string

	mu        sync.Mutex
	artifacts map[string]artifact
	variables map[string]map[string]string // by namespace
	status    Status
	started   time.Time
	updated   time.Time
	revision  *SourceRevision
	runs      []*actionRun // in the order in which they began

	err  error // valid after done
	done chan struct{}
}

func newExecution(s *Service, d definition, number int) *Execution {
	e := &Execution{
		ID: uuid.NewString(), Pipeline: d.Name, service: s, def: d, number: number,
		artifacts: map[string]artifact{}, done: make(chan struct{}), status: InProgress, started: time.Now(), updated: time.Now(),
	}
	e.variables = map[string]map[string]string{"codepipeline": {"PipelineExecutionId": e.ID}}
	return e
}

// Wait waits for the execution to end and returns its status. The error says why it did not succeed.
func (e *Execution) Wait(ctx context.Context) (Status, error) {
	select {
	case <-e.done:
		return e.currentStatus(), e.err
	case <-ctx.Done():
		return InProgress, ctx.Err()
	}
}

// run takes the execution through the stages.
func (e *Execution) run(ctx context.Context, arrival *waiter) {
	defer close(e.done)
	status, err := e.runStages(ctx, arrival)
	e.err = err
	e.note(func() { e.status = status })
	e.service.Observe(Event{Execution: e, Status: status, Duration: time.Since(e.started), Err: err})
}

// runStages runs the stages. It holds each until it has arrived at the next, so that no later execution overtakes it.
func (e *Execution) runStages(ctx context.Context, arrival *waiter) (Status, error) {
	var held *gate
	defer func() {
		if held != nil {
			held.leave()
		}
	}()
	for i, st := range e.def.Stages {
		g := e.service.gate(e.def, st)
		if i > 0 {
			arrival = g.arrive(e.def.ExecutionMode, e.number)
		}
		if held != nil {
			held.leave()
			held = nil
		}
		select {
		case entered := <-arrival.outcome:
			if !entered {
				return Superseded, nil
			}
		case <-ctx.Done():
			g.withdraw(arrival)
			return Stopped, ctx.Err()
		}
		held = g
		if err := e.runStage(ctx, st); err != nil {
			if ctx.Err() != nil {
				return Stopped, err
			}
			return Failed, err
		}
	}
	return Succeeded, nil
}

// runStage runs a stage. If the stage fails and asks for a retry, it runs the failed actions, or all, once more
// (CodePipeline API Reference, RetryConfiguration; User Guide, "Configure a stage for automatic retry on failure").
func (e *Execution) runStage(ctx context.Context, st stage) error {
	succeeded := map[string]bool{}
	err := e.runActions(ctx, st, succeeded)
	if err == nil || ctx.Err() != nil || st.OnFailure.Result != "RETRY" {
		return err
	}
	if st.OnFailure.RetryConfiguration.RetryMode != "FAILED_ACTIONS" {
		clear(succeeded)
	}
	e.service.Account.Elapse(retryPause)
	return e.runActions(ctx, st, succeeded)
}

// retryPause is the time on the account's clock from an attempt to the next. AWS does not say how soon it is; each action
// alone takes it seconds.
const retryPause = 5 * time.Second

// runActions runs the stage's actions that have not succeeded: those of one run order in parallel, one run order after
// another.
func (e *Execution) runActions(ctx context.Context, st stage, succeeded map[string]bool) error {
	byOrder := map[int][]action{}
	for _, a := range st.Actions {
		if !succeeded[a.Name] {
			byOrder[cmp.Or(a.RunOrder, 1)] = append(byOrder[cmp.Or(a.RunOrder, 1)], a)
		}
	}
	for _, order := range slices.Sorted(maps.Keys(byOrder)) {
		errs := make([]error, len(byOrder[order]))
		var group sync.WaitGroup
		for i, a := range byOrder[order] {
			group.Go(func() { errs[i] = e.runAction(ctx, st, a) })
		}
		group.Wait()
		for i, a := range byOrder[order] {
			succeeded[a.Name] = errs[i] == nil
		}
		if err := errors.Join(errs...); err != nil {
			return err
		}
	}
	return nil
}

func (e *Execution) runAction(ctx context.Context, st stage, a action) error {
	event := Event{Execution: e, Stage: st.Name, Action: a.Name, Status: InProgress}
	e.service.Observe(event)
	start := time.Now()
	run := e.begin(st.Name, a)
	event.Summary, event.Err = e.perform(ctx, event, a, run)
	event.Status, event.Duration = Succeeded, time.Since(start)
	e.end(run, event.Err)
	if event.Err != nil {
		event.Status = Failed
		event.Err = fmt.Errorf("stage %s, action %s: %w", st.Name, a.Name, event.Err)
	}
	e.service.Observe(event)
	return event.Err
}

// perform runs the action's provider, with the pipeline's role or the action's own.
func (e *Execution) perform(ctx context.Context, event Event, a action, run *actionRun) (summary string, err error) {
	do, ok := providers[a.Provider]
	if !ok {
		return "", fmt.Errorf("the rehearsal has no action provider %s", a.Provider)
	}
	e.mu.Lock()
	a.Configuration, err = resolve(a.Configuration, e.variables)
	e.mu.Unlock()
	if err != nil {
		return "", err
	}
	role := cmp.Or(a.RoleARN, e.def.RoleARN)
	e.note(func() { run.resolved, run.role = a.Configuration, role })
	session, err := e.service.Authority.AssumeRole(role, "codepipeline.amazonaws.com", e.ID, e.def.ARN)
	if err != nil {
		return "", err
	}
	return do(ctx, &call{Execution: e, Session: session, action: a, event: event, record: run})
}

// setVariables publishes the action's variables, in its namespace if it has one.
func (c *call) setVariables(values map[string]string) {
	c.note(func() {
		c.record.variables = values
		if namespace := c.action.Namespace; namespace != "" {
			c.variables[namespace] = values
		}
	})
}

// call is one run of an action, with its configuration resolved.
type call struct {
	*Execution
	iam.Session
	action action
	event  Event
	record *actionRun
}
