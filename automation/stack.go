// Package automation drives the project's stacks through Pulumi's Automation API: it runs the same program as `pulumi
// up`, on an engine that it finds or builds, shows progress, and says which resource failed and why. It knows nothing
// of what the program declares. F-numbers are the failures in docs/failures.md.
package automation

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/auto"
	"github.com/pulumi/pulumi/sdk/v3/go/auto/optdestroy"
	"github.com/pulumi/pulumi/sdk/v3/go/auto/optpreview"
	"github.com/pulumi/pulumi/sdk/v3/go/auto/optup"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// Options says which stack to open, and how.
type Options struct {
	// ProjectDir is the checkout, whose tools module pins the engine.
	ProjectDir string
	// WorkDir contains Pulumi.yaml and the stacks' Pulumi.<stack>.yaml files. Default: ProjectDir.
	WorkDir string
	// Stack is "dev", or "organization/dev" if the backend has organizations.
	Stack string
	// Program declares the stack's resources.
	Program pulumi.RunFunc
	// Environment is that of the engine and its plugins, as NAME=value. Default: this process's.
	Environment []string
	// Env adds to or overrides it.
	Env map[string]string
	// Progress receives progress line by line, at most 80 columns wide. Default: discarded.
	Progress io.Writer
}

// Stack is one environment of the project. Its methods must not be called concurrently.
type Stack struct {
	name     string
	program  pulumi.RunFunc
	progress io.Writer
	command  *command
	ws       workspace

	stack auto.Stack
	// absent is true until the backend knows the stack, that is before its first up.
	absent bool
}

// Open finds the engine and the stack. A stack must have a Pulumi.<stack>.yaml file; for any other name, the error
// lists those that exist. Open does not change which stack the user has selected for `pulumi` itself.
func Open(ctx context.Context, o Options) (*Stack, error) {
	if o.WorkDir == "" {
		o.WorkDir = o.ProjectDir
	}
	if o.Progress == nil {
		o.Progress = io.Discard
	}
	if err := CheckStack(o.WorkDir, o.Stack); err != nil {
		return nil, err
	}
	engine, err := FindEngine(ctx, o.ProjectDir, o.Progress)
	if err != nil {
		return nil, err
	}
	s := &Stack{name: o.Stack, program: o.Program, progress: o.Progress, command: &command{engine: engine, base: o.Environment}}
	local, err := auto.NewLocalWorkspace(ctx, auto.WorkDir(o.WorkDir), auto.Program(o.Program), auto.EnvVars(o.Env), auto.Pulumi(s.command))
	if err != nil {
		return nil, fmt.Errorf("workspace %s: %w", o.WorkDir, err)
	}
	s.ws = workspace{local}
	s.stack, err = auto.SelectStack(ctx, o.Stack, s.ws)
	if s.absent = errors.Is(err, errAbsent); err != nil && !s.absent {
		return nil, s.explain(ctx, "backend", err, nil)
	}
	return s, nil
}

// Stacks lists the stacks that have a Pulumi.<stack>.yaml in dir.
func Stacks(dir string) ([]string, error) {
	files, err := filepath.Glob(filepath.Join(dir, "Pulumi.*.yaml"))
	if err != nil {
		return nil, fmt.Errorf("stacks of %s: %w", dir, err)
	}
	var declared []string
	for _, file := range files {
		declared = append(declared, strings.TrimSuffix(strings.TrimPrefix(filepath.Base(file), "Pulumi."), ".yaml"))
	}
	return declared, nil
}

// CheckStack returns an error, which lists the existing stacks, unless dir has a Pulumi.<stack>.yaml.
func CheckStack(dir, stack string) error {
	declared, err := Stacks(dir)
	if err != nil {
		return err
	}
	if slices.Contains(declared, ShortName(stack)) {
		return nil
	}
	if len(declared) == 0 {
		return fmt.Errorf("stack %q does not exist, nor does any other: %s has no Pulumi.<stack>.yaml", stack, dir)
	}
	return fmt.Errorf("stack %q does not exist; there is %s. A new one begins with its Pulumi.<stack>.yaml", stack, strings.Join(declared, ", "))
}

// ShortName returns a stack's name without the organization and the project that may precede it: the part that names
// its settings file, and that the program sees.
func ShortName(stack string) string { return stack[strings.LastIndex(stack, "/")+1:] }

// Preview returns what Up would change. It changes nothing, but registers the stack with the backend.
func (s *Stack) Preview(ctx context.Context) (Result, error) {
	result, err := s.run(ctx, "preview", func(w *watcher) (string, error) {
		r, err := s.stack.Preview(ctx, optpreview.EventStreams(w.events))
		return r.StdOut, err
	})
	result.preview = true
	return result, err
}

// Drift returns what Up would change if it looked at every resource first: what others have changed since the last up, and
// what the program declares now and did not then. It changes nothing.
func (s *Stack) Drift(ctx context.Context) (Result, error) {
	if s.absent {
		return Result{}, s.neverUp()
	}
	result, err := s.run(ctx, "drift", func(w *watcher) (string, error) {
		r, err := s.stack.Preview(ctx, optpreview.Refresh(), optpreview.EventStreams(w.events))
		return r.StdOut, err
	})
	result.preview = true
	return result, err
}

// Up creates, updates, replaces and deletes resources to match the program.
func (s *Stack) Up(ctx context.Context) (Result, error) { return s.Replace(ctx) }

// Replace is Up, and replaces the resources with these URNs in any case.
func (s *Stack) Replace(ctx context.Context, urns ...string) (Result, error) {
	var outputs auto.OutputMap
	result, err := s.run(ctx, "up", func(w *watcher) (string, error) {
		r, err := s.stack.Up(ctx, optup.EventStreams(w.events), optup.Replace(urns))
		outputs = r.Outputs
		return r.StdOut, err
	})
	result.Outputs = withhold(outputs)
	return result, err
}

// Destroy deletes every resource of the stack. Its configuration and history stay.
func (s *Stack) Destroy(ctx context.Context) (Result, error) {
	if s.absent {
		return Result{}, s.neverUp()
	}
	return s.run(ctx, "destroy", func(w *watcher) (string, error) {
		r, err := s.stack.Destroy(ctx, optdestroy.EventStreams(w.events))
		return r.StdOut, err
	})
}

// Outputs returns what the last Up exported, with "[secret]" in place of each secret.
func (s *Stack) Outputs(ctx context.Context) (map[string]any, error) {
	if s.absent {
		return nil, s.neverUp()
	}
	outputs, err := s.stack.Outputs(ctx)
	if err != nil {
		return nil, s.explain(ctx, "outputs", err, nil)
	}
	return withhold(outputs), nil
}

// SetConfig writes plain (not secret) values to the stack's settings file in WorkDir. Keys without a namespace get
// the project's.
func (s *Stack) SetConfig(ctx context.Context, values map[string]string) error {
	if err := s.create(ctx); err != nil {
		return err
	}
	config := auto.ConfigMap{}
	for key, value := range values {
		config[key] = auto.ConfigValue{Value: value}
	}
	if err := s.stack.SetAllConfig(ctx, config); err != nil {
		return s.explain(ctx, "config "+strings.Join(slices.Sorted(maps.Keys(values)), ", "), err, nil)
	}
	return nil
}

// create registers the stack with the backend.
func (s *Stack) create(ctx context.Context) error {
	if !s.absent {
		return nil
	}
	var err error
	if s.stack, err = auto.NewStack(ctx, s.name, s.ws); err != nil {
		return s.explain(ctx, "backend", err, nil)
	}
	s.absent = false
	return nil
}

// ErrNeverUp means that the backend does not know the stack, because it has never been up.
var ErrNeverUp = errors.New("has never been up in this backend (`pulumi whoami --verbose` names it)")

func (s *Stack) neverUp() error { return fmt.Errorf("stack %q %w", s.name, ErrNeverUp) }

// run performs one engine operation: operation calls the SDK and returns the engine's standard output.
func (s *Stack) run(ctx context.Context, name string, operation func(*watcher) (string, error)) (Result, error) {
	if err := s.create(ctx); err != nil {
		return Result{}, err
	}
	w := watch(s.progress)
	s.command.begun = w.begun
	stdout, err := operation(w)
	s.command.begun = nil
	w.close()
	if err != nil {
		return Result{}, s.explain(ctx, name, err, w.problems)
	}
	link, err := auto.GetPermalink(stdout)
	if err != nil {
		link = "" // fails only for backends without pages, such as files or a bucket
	}
	return Result{Stack: s.name, Changes: w.changes, Replaced: w.replaced, Permalink: link}, nil
}
