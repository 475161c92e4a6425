package codebuild

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"cicd/internal/buildimages"
	"cicd/rehearsal/aws/iam"
)

// build is a running build.
type build struct {
	runner  *Runner
	project project
	input   Input
	session iam.Session
	uuid    string
	started time.Time
	dir     string
	result  *Build
	failure error // of the first failed phase

	record *record
	log    *logPipe
	cloud  *cloudLog
	group  *processGroup
	cache  *localCache // nil if the build has none
	spec   *Buildspec
	shell  *shell

	left        dockerLeftovers // of commands that failed
	stages      stageWatch
	runtimes    map[string]buildimages.Version // by language; nil if the image is unknown
	machinePath string                         // PATH without the commands of the image
}

func (b *build) sourceDir() string { return filepath.Join(b.dir, "src") }
func (b *build) homeDir() string   { return filepath.Join(b.dir, "root") }
func (b *build) goDir() string     { return filepath.Join(b.dir, "go") } // GOPATH of the images
func (b *build) tempDir() string   { return filepath.Join(b.dir, "tmp") }
func (b *build) stateDir() string  { return filepath.Join(b.dir, "state") }
func (b *build) binDir() string    { return filepath.Join(b.dir, "bin") } // commands of the image

// contextError says why a phase failed, with CodeBuild's code and message.
type contextError struct {
	code string
	err  error
}

func (e contextError) Error() string { return e.code + ": " + e.err.Error() }
func (e contextError) Unwrap() error { return e.err }

// commandError is the contextError of a command, with the end of its output.
type commandError struct {
	contextError
	output string
}

// run runs the phases. After a failure: "if a command fails during the install phase, none of the commands in the
// pre_build, build, and post_build phases are run", and likewise after pre_build; post_build runs after a failed
// build, and "the UPLOAD_ARTIFACTS phase is always attempted, even if the BUILD phase fails". on-failure changes
// that: CONTINUE goes on to the next phase, and ABORT ends the build. A failed phase always fails the build; for
// CONTINUE the guide does not say so, but nobody should learn that in AWS.
func (b *build) run(ctx context.Context) {
	b.result.Status = "SUCCEEDED"
	defer b.compareRuntimes()
	ok := b.phase(ctx, "QUEUED", b.enqueue) &&
		b.phase(ctx, "DOWNLOAD_SOURCE", b.downloadSource)
	for _, name := range phaseNames {
		if !ok {
			return
		}
		p := b.spec.Phases[name]
		b.log.say("Entering phase %s", strings.ToUpper(name))
		ok = b.phase(ctx, strings.ToUpper(name), func() error { return b.runPhase(ctx, p) })
		if !ok && ctx.Err() == nil {
			usual := name == "build" || name == "post_build"
			ok = p.OnFailure.Action == "CONTINUE" || usual && p.OnFailure.Action != "ABORT"
		}
	}
	if ok {
		b.phase(ctx, "UPLOAD_ARTIFACTS", func() error { return b.uploadArtifacts(ctx) })
	}
}

// phase runs one phase, records and logs how it ended, and reports whether it succeeded.
func (b *build) phase(ctx context.Context, name string, run func() error) bool {
	start := time.Now()
	b.note(func(rec *record) { rec.phase, rec.phaseStarted = name, start })
	err := context.Cause(ctx)
	if err == nil {
		err = run()
	}
	result := PhaseResult{Name: name, Status: "SUCCEEDED", Started: start, Duration: time.Since(start)}
	var reason PhaseContext
	if err != nil {
		result.Status, reason = b.explain(ctx, err)
		result.Contexts = []PhaseContext{reason}
		b.fail(result, err)
	}
	b.result.Phases = append(b.result.Phases, result)
	b.note(func(rec *record) { rec.phases = append(rec.phases, result) })
	if name != "QUEUED" { // in AWS it precedes the log
		b.log.say("Phase complete: %s State: %s", name, result.Status)
		b.log.say("Phase context status code: %s Message: %s", reason.StatusCode, reason.Message)
	}
	return err == nil
}

// explain returns a phase's status and context for an error.
func (b *build) explain(ctx context.Context, err error) (string, PhaseContext) {
	var reason contextError
	var command commandError
	switch {
	case ctx.Err() != nil && errors.Is(context.Cause(ctx), errTimedOut):
		return "TIMED_OUT", PhaseContext{"BUILD_TIMED_OUT", fmt.Sprintf("Build has timed out after %d minutes (buildTimeout).", b.project.BuildTimeout)}
	case ctx.Err() != nil:
		return "STOPPED", PhaseContext{"STOPPED", "Build was stopped."}
	case errors.As(err, &command):
		return "FAILED", PhaseContext{command.code, command.err.Error()}
	case errors.As(err, &reason):
		return "FAILED", PhaseContext{reason.code, reason.err.Error()}
	}
	return "FAILED", PhaseContext{"INTERNAL_SERVICE_ERROR", err.Error()}
}

// fail makes the first failed phase the build's failure, in the words in which CodePipeline reports it.
func (b *build) fail(p PhaseResult, err error) {
	if b.failure != nil {
		return
	}
	b.result.Status = p.Status
	var output string
	var command commandError
	if errors.As(err, &command) {
		output = lastLines(command.output) + b.explainGo(command.output) + b.explainMissing(command.output)
	}
	reported := fmt.Sprintf("Build terminated with state: %s. Phase: %s, Code: %s, Message: %s", p.Status, p.Name, p.Contexts[0].StatusCode, p.Contexts[0].Message)
	b.failure = &buildError{err: err, reported: reported, text: fmt.Sprintf("build %s: %s%s", b.result.ID, reported, output)}
}

func (b *build) err() error { return b.failure }

// buildError has CodePipeline's text and more, and wraps the cause.
type buildError struct {
	reported, text string
	err            error
}

// Reported returns what CodePipeline reports.
func (e *buildError) Reported() string { return e.reported }

func (e *buildError) Error() string { return e.text }
func (e *buildError) Unwrap() error { return e.err }
