package world

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"runtime"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"cicd/automation"
	"cicd/infra"
)

// declaredStack is the stack under rehearsal: the real engine on a copy of the project's settings, with its state in the
// rehearsal's folder, so that the user's settings and backend stay untouched.
type declaredStack struct {
	*automation.Stack
	outputs map[string]any
}

// output returns a string output of the last up, or "" if there is none.
func (s *declaredStack) output(name string) string {
	value, _ := s.outputs[name].(string)
	return value
}

// openStack opens the stack in a folder of settings.
func (w *World) openStack(ctx context.Context, dir string, program pulumi.RunFunc) error {
	if _, err := w.Workspace.MakeDir("state"); err != nil {
		return err
	}
	stack, err := w.OpenStack(ctx, dir, w.Stack, program)
	if err != nil {
		return err
	}
	w.stack = &declaredStack{Stack: stack}
	return nil
}

// OpenStack opens any stack, in a folder of settings, with the engine, environment and backend of the rehearsed one.
func (w *World) OpenStack(ctx context.Context, dir, stack string, program pulumi.RunFunc) (*automation.Stack, error) {
	return automation.Open(ctx, automation.Options{
		ProjectDir: w.ProjectDir, WorkDir: dir, Stack: stack, Program: program,
		Environment: w.cloud.machine.environment(w.Workspace), Env: w.engineEnvironment(),
	})
}

// engineEnvironment is what the engine gets in addition to what it shares with builds and hooks.
func (w *World) engineEnvironment() map[string]string {
	return map[string]string{
		"PULUMI_BACKEND_URL":       "file://" + w.Workspace.Path("state"),
		"PULUMI_HOME":              w.Workspace.Path("pulumi"),
		"PULUMI_CONFIG_PASSPHRASE": "rehearsal", // encrypts nothing of value
		"PULUMI_DEBUG_PROVIDERS":   w.cloud.provider.Env(),
		// Otherwise the engine would download the real plugins of the stack's providers before attaching to this one.
		"PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
	}
}

// bringUp creates the stack as a new user would: first without the pipeline, which needs an authorized connection, then
// with it.
func (w *World) bringUp(ctx context.Context) error {
	w.Chapter("Infrastructure of stack %s", w.Stack)
	if err := w.up(ctx); err != nil {
		return err
	}
	if err := checkArchitecture(w.cloud.account, runtime.GOARCH, emulates); err != nil {
		return err
	}
	if err := w.cloud.storeSecrets(secretsOf(w.application), w.secretValues, w.SecretsPath()); err != nil { // as a person does, once there is a stack
		return err
	}
	w.tellTrusted()
	if err := w.cloud.warnOfPorts(w.variables()); err != nil {
		return err
	}
	connection := w.stack.output("connectionArn")
	authorize := w.stack.output("pipelineName") == "" && connection != ""
	if authorize {
		start := time.Now()
		if err := w.cloud.provider.AuthorizeConnection(connection); err != nil {
			return err
		}
		w.cloud.account.Elapse(time.Minute) // at least: a person has to come
		w.Step("handshake", "authorized the connection to GitHub, as a person does in the console", time.Since(start))
		if err := w.stack.SetConfig(ctx, map[string]string{"connectionAuthorized": "true"}); err != nil {
			return err
		}
		if err := w.up(ctx); err != nil {
			return err
		}
	}
	if w.stack.output("pipelineName") == "" {
		return fmt.Errorf("stack %s has no pipeline: %s", w.Stack, w.stack.output("nextStep"))
	}
	err := w.cloud.pipelineCreated(ctx, w.stack.output("pipelineName"), authorize)
	w.cloud.account.Elapse(time.Minute) // until the first push
	return err
}

// SecretsPath is the path of the stack's own parameters, such as /cicd/dev.
func (w *World) SecretsPath() string {
	return infra.Scope{Project: w.project, Stack: w.Stack}.SecretsPath()
}

// variables are those that the stack gives to containers, secrets among them.
func (w *World) variables() map[string]string {
	all := maps.Clone(w.application.Environment)
	for name := range w.application.Secrets {
		all[name] = w.secretValues[name]
	}
	return all
}

// up updates the stack, replaces the resources with these URNs, and reports what changed.
func (w *World) up(ctx context.Context, replace ...string) error {
	start := time.Now()
	result, err := w.stack.Replace(ctx, replace...)
	if err != nil {
		return err
	}
	w.stack.outputs = result.Outputs
	w.Step("up", "resources: "+result.Summary(), time.Since(start))
	return w.provideDomain(ctx)
}

// TearDown shows that the stack has converged and leaves nothing: an up changes nothing, and a destroy removes every
// resource, images and artifacts included.
func (w *World) TearDown(ctx context.Context) error {
	w.Chapter("The end of stack %s", w.Stack)
	start := time.Now()
	result, err := w.stack.Up(ctx)
	if err != nil {
		return err
	}
	w.Step("up again", "resources: "+result.Summary(), time.Since(start))
	if result.Changed() > 0 {
		return errors.New("a second up of the same program changes resources: the program sends some property in another form than the provider returns")
	}
	if w.cloud.protected() {
		if err := w.stack.SetConfig(ctx, map[string]string{"protect": "false"}); err != nil {
			return err
		}
		if err := w.up(ctx); err != nil {
			return err
		}
		w.Note("protect was on and is off now: with it on, AWS refuses to destroy the stack")
	}
	images, objects := w.cloud.contents()
	start = time.Now()
	result, err = w.stack.Destroy(ctx)
	if err != nil {
		return err
	}
	w.Step("destroy", "resources: "+result.Summary(), time.Since(start))
	w.Note("with %d images in the registry and %d artifacts in the bucket", images, objects)
	if left := w.cloud.account.All(); len(left) > 0 {
		return fmt.Errorf("the destroy left %d resources, the first is %s", len(left), left[0].URN)
	}
	return nil
}
