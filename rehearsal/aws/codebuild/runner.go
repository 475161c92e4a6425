// Package codebuild runs the stack's declared CodeBuild projects on this machine: the real buildspec in a real shell,
// with CodeBuild's phases, variables, log and artifacts. F-numbers are the failures in docs/failures.md.
//
// It follows the AWS CodeBuild User Guide (build-spec-ref, build-env-ref-env-vars, build-env-ref-cmd,
// view-build-details-phases, caching-local) and internal/buildimages. It differs from AWS where it must: commands run as the
// user who started the rehearsal, with this machine's tools, as far as the image has them; the source folder, HOME,
// GOPATH and TMPDIR are folders of the build. What a rehearsal cannot provide is an error or, if the build
// means the same without it, a log line that starts with "Rehearsal:".
package codebuild

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/google/uuid"

	"cicd/internal/rmtree"
	"cicd/rehearsal/aws/account"
	"cicd/rehearsal/aws/cloudwatchlogs"
	"cicd/rehearsal/aws/iam"
	"cicd/rehearsal/aws/secretsmanager"
	"cicd/rehearsal/aws/ssm"
)

// Runner runs builds, also several at once.
type Runner struct {
	Account   *account.Account
	Authority *iam.Authority
	// Parameters and Secrets have the values of variables that are stored there.
	Parameters *ssm.Store
	Secrets    *secretsmanager.Store
	// Dir is where each running build has a folder.
	Dir string
	// CacheDir has the local caches of projects between builds. With "" there are none.
	CacheDir string
	// Environment returns the variables of the build environment that CodeBuild itself does not set, PATH among them,
	// each as NAME=value. Commands get no others.
	Environment func(iam.Session) []string
	// Log opens the writer for the log of the build with this ID. With nil it goes to Logs alone.
	Log func(id string) io.WriteCloser
	// Logs gets the logs of builds whose log group is declared.
	Logs *cloudwatchlogs.Service

	mu       sync.Mutex
	numbers  map[string]int    // last build number by project
	records  []*record         // of all builds, in the order in which they began
	versions map[string]string // this machine's, by language

	minute time.Duration // the unit of buildTimeout, shorter in tests
}

// Input is what StartBuild and CodePipeline's CodeBuild action specify about a build.
type Input struct {
	ProjectName string
	// SourceVersion is CODEBUILD_SOURCE_VERSION: from CodePipeline, the ARN of the source artifact's object.
	SourceVersion string
	// ResolvedSourceVersion is CODEBUILD_RESOLVED_SOURCE_VERSION: from CodePipeline, the commit id.
	ResolvedSourceVersion string
	// EnvironmentVariables add to and override the project's.
	EnvironmentVariables []EnvironmentVariable
	// Initiator is who started the build, such as "codepipeline/cicd-dev".
	Initiator string
	// Started is told the build's ID, as StartBuild's caller is in AWS; nil for nobody.
	Started func(id string)
	// Fetch returns the path of the source, a zip archive. Its error fails the phase DOWNLOAD_SOURCE.
	Fetch func(iam.Session) (path string, err error)
	// Store stores the artifact, a zip archive that lasts until Store returns. Its error fails the phase
	// UPLOAD_ARTIFACTS. As in AWS it is also called for a failed build, unless that failed in INSTALL or PRE_BUILD or
	// with on-failure: ABORT. It is not called if the buildspec has no artifacts.
	Store func(session iam.Session, path string) error
}

// Build is an ended build.
type Build struct {
	// ID is "<project>:<uuid>".
	ID, ARN string
	// Number counts the builds of a project from 1.
	Number int
	// Status is SUCCEEDED, FAILED, TIMED_OUT or STOPPED.
	Status string
	// Warnings are what did not stop the build, one sentence each.
	Warnings []string
	// Phases are the phases that ran, of QUEUED, DOWNLOAD_SOURCE, INSTALL, PRE_BUILD, BUILD, POST_BUILD and
	// UPLOAD_ARTIFACTS; nothing happens in the others.
	Phases []PhaseResult
	// ExportedVariables are the final values of the variables that the buildspec exports and that are set.
	ExportedVariables map[string]string
}

// PhaseResult is the result of a phase.
type PhaseResult struct {
	Name string
	// Status is SUCCEEDED, FAILED, TIMED_OUT or STOPPED.
	Status   string
	Started  time.Time
	Duration time.Duration
	// Contexts say why a phase did not succeed.
	Contexts []PhaseContext
}

// PhaseContext is one reason, with one of CodeBuild's codes such as COMMAND_EXECUTION_ERROR.
type PhaseContext struct{ StatusCode, Message string }

var errTimedOut = errors.New("build has timed out")

// StartBuild runs a build of a declared project to its end. When ctx ends, the build is stopped. The Build is nil if
// none could be started. If one did not succeed, the error has the phase, the reason and, for a command, the last lines
// of its output. The build leaves no process and no file, except in its cache.
func (r *Runner) StartBuild(ctx context.Context, in Input) (*Build, error) {
	p, err := findProject(r.Account, in.ProjectName)
	if err != nil {
		return nil, err
	}
	dir, err := filepath.Abs(r.Dir)
	if err != nil {
		return nil, fmt.Errorf("build folder: %w", err)
	}
	id := uuid.NewString()
	b := &build{runner: r, project: p, input: in, uuid: id, started: time.Now(), dir: filepath.Join(dir, id)}
	b.result = &Build{ID: p.Name + ":" + id, ARN: p.resourceARN(r.Account, "codebuild", "build/"+p.Name+":"+id), Number: r.nextNumber(p.Name)}

	r.remember(b)
	if in.Started != nil {
		in.Started(b.result.ID)
	}
	minute := r.minute
	if minute == 0 {
		minute = time.Minute
	}
	ctx, cancel := context.WithTimeoutCause(ctx, time.Duration(p.BuildTimeout)*minute, errTimedOut)
	defer cancel()
	if err := b.open(); err != nil {
		err = errors.Join(err, b.close())
		b.note(func(rec *record) { rec.status, rec.ended = "FAULT", time.Now() })
		return nil, err
	}
	b.run(ctx)
	err = b.close()
	b.note(func(rec *record) {
		rec.status, rec.ended, rec.exported = b.result.Status, time.Now(), b.result.ExportedVariables
	})
	if err != nil {
		return b.result, errors.Join(b.err(), err)
	}
	return b.result, b.err()
}

func (r *Runner) nextNumber(projectName string) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.numbers == nil {
		r.numbers = map[string]int{}
	}
	r.numbers[projectName]++
	return r.numbers[projectName]
}

// open makes the build's folders, log and process group.
func (b *build) open() error {
	for _, dir := range []string{b.homeDir(), b.tempDir(), b.stateDir(), b.binDir()} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return fmt.Errorf("build folder: %w", err)
		}
	}
	w := io.WriteCloser(nopCloser{io.Discard})
	if b.runner.Log != nil {
		w = b.runner.Log(b.result.ID)
	}
	b.cloud = newCloudLog()
	var err error
	if b.log, err = newLogPipe(all{b.cloud, &b.stages, w}); err != nil {
		return fmt.Errorf("build log: %w", err)
	}
	b.group, err = startProcessGroup(b.result.ID)
	return err
}

// close ends what open and the build started, processes first.
func (b *build) close() error {
	if b.group != nil {
		b.group.remove()
	}
	b.left.remove(context.Background())
	if b.cache != nil {
		if err := b.closeCache(); err != nil {
			b.log.say("Rehearsal: the cache has no copy for a build beside this one: %v", err)
		}
	}
	if b.log != nil {
		b.log.close()
	}
	if err := rmtree.Remove(b.dir); err != nil {
		return fmt.Errorf("build folder: %w", err)
	}
	return nil
}
