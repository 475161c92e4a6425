// Package codepipeline runs the declared pipelines as AWS CodePipeline does: stages, actions, artifacts, variables,
// triggers and execution mode. Its Service's fields do the actions' work. F-numbers are the failures in docs/failures.md.
package codepipeline

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"cicd/rehearsal/aws/account"
	"cicd/rehearsal/aws/iam"
	"cicd/rehearsal/aws/s3"
	"cicd/rehearsal/github"
)

// Status is the status of an execution or a part of it, in AWS's words.
type Status string

// The statuses of an execution.
const (
	InProgress Status = "InProgress"
	Succeeded  Status = "Succeeded"
	Failed     Status = "Failed"
	Superseded Status = "Superseded"
	Stopped    Status = "Stopped"
)

// What starts an execution, in AWS's words.
const (
	ByCreation = "CreatePipeline"
	ByWebhook  = "WebhookV2"
	ByHand     = "StartPipelineExecution"
)

// Service runs executions. All fields are set before its first use.
type Service struct {
	Account    *account.Account
	Authority  *iam.Authority
	Store      *s3.Store
	Repository *github.Repository
	// Dir is for scratch files, which are removed when the execution ends.
	Dir string
	// Build runs a CodeBuild project, Deploy a CodeDeploy deployment; Approve decides on a manual approval, or returns
	// ErrUndecided.
	Build   func(context.Context, Build) (BuildResult, error)
	Deploy  func(context.Context, Deployment) (id string, err error)
	Approve func(context.Context, Event) error
	// Observe receives each event as it happens, from several goroutines concurrently.
	Observe func(Event)
	// Note receives what a person should know although an action succeeds; nil drops it.
	Note func(text string)
	// NoWebhook reports whether a pipeline's connection was not AVAILABLE when it was created: it has no webhook, so it
	// never starts on a push (F2).
	NoWebhook func(pipeline string) bool

	mu      sync.Mutex
	gates   map[string]*gate // by pipeline and stage
	history []*Execution     // in the order in which they began
	stops   []context.CancelFunc
	closed  bool
	running sync.WaitGroup
}

// Event reports the start or end of a stage or an action of an execution.
type Event struct {
	Execution *Execution
	Stage     string
	// Action is "" if the event concerns the stage or the whole execution.
	Action string
	Status Status
	// Summary says what the action did: the commit, the build, the deployment.
	Summary  string
	Duration time.Duration
	Err      error
}

// ErrUnwatched means that pipelines receive pushes, but none is triggered by this one.
var ErrUnwatched = errors.New("no pipeline's trigger watches that branch and these files")

// Push starts the pipelines whose triggers match the push, and returns their executions. If there are none, the error
// says why.
func (s *Service) Push(ctx context.Context, p github.Push) ([]*Execution, error) {
	files, err := s.Repository.ChangedFiles(ctx, p)
	if err != nil {
		return nil, err
	}
	var started []*Execution
	var withoutWebhook []error
	for _, r := range s.Account.ByType(account.Pipeline) {
		d, err := definitionOf(s.Account, r.String("name"))
		if err != nil {
			return started, err
		}
		triggered, err := s.triggered(d, p.Branch, files)
		if err != nil {
			return started, fmt.Errorf("pipeline %s: %w", d.Name, err)
		}
		switch {
		case !triggered:
		case s.NoWebhook(d.Name):
			withoutWebhook = append(withoutWebhook, fmt.Errorf("pipeline %s was created before its connection to GitHub was authorized, so it has no webhook and starts on no push (F2): create it again", d.Name))
		default:
			started = append(started, s.start(ctx, d, ByWebhook, d.sources()[0].Configuration["ConnectionArn"], p.Branch, p.After))
		}
	}
	if started == nil {
		return nil, cmp.Or(errors.Join(withoutWebhook...), ErrUnwatched)
	}
	return started, nil
}

// Watches reports whether a push that changes these files on the source action's branch starts the pipeline.
func (s *Service) Watches(pipeline string, files []string) (bool, error) {
	d, err := definitionOf(s.Account, pipeline)
	if err != nil {
		return false, err
	}
	return s.triggered(d, d.sources()[0].Configuration["BranchName"], files)
}

// triggered reports whether a push starts the pipeline: by its triggers or, if it has none, by the change detection
// of a source action.
func (s *Service) triggered(d definition, branch string, files []string) (bool, error) {
	for _, source := range d.sources() {
		if source.Configuration["FullRepositoryId"] != s.Repository.FullName {
			continue
		}
		declared := false
		for _, t := range d.Triggers {
			if t.GitConfiguration.SourceActionName != source.Name {
				continue
			}
			declared = true
			if ok, err := t.matches(branch, files); ok || err != nil {
				return ok, err
			}
		}
		if !declared && source.Configuration["DetectChanges"] != "false" && source.Configuration["BranchName"] == branch {
			return true, nil
		}
	}
	return false, nil
}

// Start starts an execution of a pipeline, as StartPipelineExecution does: of the newest commit on the source
// action's branch, or of the given commit (a source revision override).
func (s *Service) Start(ctx context.Context, pipeline, by, commit string) (*Execution, error) {
	d, err := definitionOf(s.Account, pipeline)
	if err != nil {
		return nil, err
	}
	return s.start(ctx, d, by, "", "", commit), nil
}

// Source returns the repository (GitHub's owner/name) and branch of a pipeline's source action.
func (s *Service) Source(pipeline string) (repository, branch string, err error) {
	d, err := definitionOf(s.Account, pipeline)
	if err != nil {
		return "", "", err
	}
	source := d.sources()[0].Configuration
	return source["FullRepositoryId"], source["BranchName"], nil
}

// Close stops all executions, also those that start later, and waits until they have ended, or until ctx has.
func (s *Service) Close(ctx context.Context) error {
	s.mu.Lock()
	s.closed = true
	for _, stop := range s.stops {
		stop()
	}
	s.mu.Unlock()
	ended := make(chan struct{})
	go func() {
		s.running.Wait()
		close(ended)
	}()
	select {
	case <-ended:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("an execution does not stop: %w", context.Cause(ctx))
	}
}

func (s *Service) start(ctx context.Context, d definition, by, starter, branch, commit string) *Execution {
	s.mu.Lock()
	e := newExecution(s, d, len(s.history))
	e.Trigger, e.startedBy, e.branch, e.Commit = by, starter, branch, commit
	s.history = append(s.history, e)
	ctx, stop := context.WithCancel(ctx)
	s.stops = append(s.stops, stop)
	if s.closed {
		stop()
	}
	s.mu.Unlock()
	// Arriving here, before the goroutine runs, preserves the order in which executions start.
	first := s.gate(d, d.Stages[0]).arrive(d.ExecutionMode, e.number)
	s.running.Go(func() {
		defer stop()
		e.run(ctx, first)
	})
	return e
}

func (s *Service) gate(d definition, st stage) *gate {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.gates == nil {
		s.gates = map[string]*gate{}
	}
	key := d.Name + "/" + st.Name
	if s.gates[key] == nil {
		s.gates[key] = &gate{transition: transitionState{Enabled: true}} // "enabled by default" (User Guide, "Working with stage transitions")
	}
	return s.gates[key]
}
