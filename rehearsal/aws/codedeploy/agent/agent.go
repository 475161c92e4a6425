// Package agent runs the lifecycle events of AWS CodeDeploy on a host as the CodeDeploy agent for Linux does, 1.8 or
// 2.1: with its order, files and messages.
//
// Rules: github.com/aws/aws-codedeploy-agent, lib/instance_agent/plugins/codedeploy at v1.8.1; each file here names the
// source files it follows. What the agent 2 does otherwise is in rust.go. If a rehearsal knows more than the agent, it
// says so in a hint or a warning, beside the agent's own text and never instead of it. F-numbers are the failures in
// docs/failures.md.
package agent

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"cicd/rehearsal/aws/codedeploy/appspec"
)

// Lifecycle events with their own rules; every other event only runs its hook.
const (
	DownloadBundle = "DownloadBundle"
	Install        = "Install"
)

// Events are the lifecycle events of an in-place deployment that an agent runs, in order
// (lib/aws/codedeploy/local/deployer.rb, DEFAULT_ORDERED_LIFECYCLE_EVENTS).
var Events = []string{
	"BeforeBlockTraffic", "AfterBlockTraffic", "ApplicationStop", DownloadBundle, "BeforeInstall", Install,
	"AfterInstall", "ApplicationStart", "ValidateService", "BeforeAllowTraffic", "AfterAllowTraffic",
}

// previous are the events whose hooks come from the last installed revision until this deployment's bundle is present
// (hook_executor.rb, MAPPING_BETWEEN_HOOKS_AND_DEPLOYMENTS).
var previous = []string{"BeforeBlockTraffic", "AfterBlockTraffic", "ApplicationStop"}

// Agent is the CodeDeploy agent of one host. Its zero value lacks a DeploymentRoot.
//
// Root keeps the files section of an appspec off the real host: "/opt/app" then means Root/opt/app, symbolic links in
// Root resolve as in a chroot, and what cannot work there (accounts of the real host, SELinux contexts, a missing
// setfacl) is a warning instead of a failure. Hooks still run as processes of this machine: they see its real paths
// and find nothing of Root under "/". Root "" or "/" is the real host, where every failure counts.
type Agent struct {
	// DeploymentRoot is where the agent keeps bundles and records, a path on this machine. In AWS it is
	// /opt/codedeploy-agent/deployment-root.
	DeploymentRoot string
	Root           string
	// Version is the agent's major version: 1, in Ruby, or 2, in Rust; 0 is 1.
	Version int
	// Dir is the directory in which hooks start; "" is "/", where systemd starts the agent.
	Dir string
	// Env is the environment of the agent, which its hooks inherit. nil is this process's, without the credential
	// variables that the agent drops when it starts to poll (command_poller.rb).
	Env []string

	mu          sync.Mutex
	deployments []string // ids, for Close
	restarts    int
}

// Deployment is what the service tells the agent about a deployment (deployment_specification.rb).
type Deployment struct {
	ID, Application, GroupID, GroupName string
	// FileExistsBehavior is DISALLOW, OVERWRITE or RETAIN; "" is DISALLOW. A value in the appspec wins.
	FileExistsBehavior string
	// Events are all events that may have a hook; nil is the package's Events.
	Events   []string
	Revision Revision
}

// Revision is a deployment's bundle.
type Revision struct {
	// BundleType is tar, tgz or zip; the agent reads anything else as tar.
	BundleType string
	// Open returns the archive and its entity tag.
	Open func(context.Context) (body io.ReadCloser, etag string, err error)
	// Bucket, Key, Version and ETag are what hooks see as BUNDLE_*; an empty one is not set. A non-empty ETag must
	// match the archive's.
	Bucket, Key, Version, ETag string
}

// Line is one line that a lifecycle event produces.
type Line struct {
	// Kind tells a script's output (as in scripts.log, "[stdout]...") from the agent's own log and the rehearsal's
	// warnings.
	Kind LineKind
	Text string
}

// LineKind is the origin of a Line.
type LineKind int

// The kinds of lines.
const (
	ScriptLine LineKind = iota
	AgentLine
	WarningLine
)

// Run carries out one lifecycle event and passes its lines to sink as they come (one at a time). The error is a
// *Failure, except when ctx ended: then it wraps ctx's cause and the processes of the hook are gone.
func (a *Agent) Run(ctx context.Context, d Deployment, event string, sink func(Line)) error {
	a.mu.Lock()
	if !slices.Contains(a.deployments, d.ID) {
		a.deployments = append(a.deployments, d.ID)
	}
	restarts := a.restarts
	a.mu.Unlock()
	var one sync.Mutex
	e := execution{agent: a, deployment: d, sink: func(l Line) {
		one.Lock()
		defer one.Unlock()
		sink(l)
	}}
	if err := os.MkdirAll(e.dir(), 0o777); err != nil {
		return failure(fmt.Errorf("deployment root: %w", err))
	}
	var err error
	switch event {
	case DownloadBundle:
		err = e.downloadBundle(ctx)
	case Install:
		err = e.install(ctx)
	default:
		err = e.runHook(ctx, event)
	}
	switch {
	case a.restartedSince(restarts):
		return errRestarted
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return fmt.Errorf("%s: %w", event, context.Cause(ctx))
	}
	return failure(err)
}

// execution is a running lifecycle event.
type execution struct {
	agent      *Agent
	deployment Deployment
	sink       func(Line)
}

func (e execution) log(format string, args ...any) {
	e.sink(Line{Kind: AgentLine, Text: fmt.Sprintf(format, args...)})
}

func (e execution) warn(format string, args ...any) {
	e.sink(Line{Kind: WarningLine, Text: fmt.Sprintf(format, args...)})
}

// install runs the Install event (command_executor.rb). Only here does a hook for an unknown event fail.
func (e execution) install(ctx context.Context) error {
	path := filepath.Join(e.archiveDir(), "appspec.yml")
	if _, err := os.Stat(path); errors.Is(err, os.ErrNotExist) {
		// Install accepts appspec.yaml, but hooks never do (command_executor.rb, app_spec_real_path).
		if yaml := filepath.Join(e.archiveDir(), "appspec.yaml"); exists(yaml) {
			path = yaml
		}
	}
	spec, err := e.agent.readAppSpec(path)
	if err != nil {
		return e.installError("Failed to parse appspec at "+path, err)
	}
	if err := e.checkEvents(spec, filepath.Base(path)); err != nil {
		return err
	}
	if err := e.installFiles(ctx, spec); err != nil {
		return e.installError("Install failed for group "+e.deployment.GroupID, err)
	}
	return e.record(lastSuccessfulInstall)
}

func (a *Agent) readAppSpec(path string) (appspec.AppSpec, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return appspec.AppSpec{}, rubyError(err, path)
	}
	parse := appspec.Parse
	if a.Version == 2 {
		parse = appspec.ParseTyped
	}
	spec, err := parse(text)
	if err != nil && strings.Contains(string(text), "\ufeff") {
		f := *failure(err)
		f.Hint = "the appspec has a byte order mark, which indents the line that begins with it: save it as UTF-8 without one (F57)"
		return spec, &f
	}
	return spec, err
}

// checkEvents checks the appspec's hooks against the deployment's events (command_executor.rb, validate_app_spec_hooks).
func (e execution) checkEvents(spec appspec.AppSpec, file string) error {
	events := e.deployment.Events
	if events == nil {
		events = Events
	}
	var unknown, missing []string
	var known []string
	for _, key := range spec.Events {
		event, ok := key.(string)
		if !ok || !slices.Contains(events, event) {
			unknown = append(unknown, appspec.Inspect(key))
		}
		known = append(known, event)
	}
	if len(unknown) > 0 {
		return fmt.Errorf("%s file contains unknown lifecycle events: [%s]", file, strings.Join(unknown, ", "))
	}
	for _, event := range events {
		if !slices.Contains(Events, event) && !slices.Contains(known, event) {
			missing = append(missing, event)
		}
	}
	if len(missing) > 0 {
		return appspec.Violation(fmt.Sprintf("You specified a lifecycle event which is not a default one and doesn't exist in your %s file: %s",
			file, strings.Join(missing, ",")))
	}
	return nil
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
