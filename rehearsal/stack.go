package rehearsal

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"cicd/automation"
)

// declaredStack is the stack under rehearsal: the real engine on a copy of the project's settings, with its state in
// the rehearsal's folder, so that neither the user's settings nor their backend are touched.
type declaredStack struct {
	*automation.Stack
	outputs map[string]any
}

// output returns a string output of the last up, "" if there is none.
func (s *declaredStack) output(name string) string {
	value, _ := s.outputs[name].(string)
	return value
}

// openStack opens the stack in a folder of settings.
func (r *rehearsal) openStack(ctx context.Context, dir string, program pulumi.RunFunc) error {
	if _, err := r.work.makeDir("state"); err != nil {
		return err
	}
	stack, err := automation.Open(ctx, automation.Options{
		ProjectDir: r.ProjectDir, WorkDir: dir, Stack: r.Stack, Program: program, Env: r.engineEnvironment(),
	})
	if err != nil {
		return err
	}
	r.stack = &declaredStack{Stack: stack}
	return nil
}

// engineEnvironment is what the engine gets beside this process's environment.
func (r *rehearsal) engineEnvironment() map[string]string {
	return map[string]string{
		"PULUMI_BACKEND_URL":       "file://" + r.work.path("state"),
		"PULUMI_HOME":              r.work.path("pulumi"),
		"PULUMI_CONFIG_PASSPHRASE": "rehearsal", // nothing of worth is encrypted with it
		"PULUMI_DEBUG_PROVIDERS":   r.cloud.provider.Env(),
		// The engine would download the real plugins of a stack's providers too, to attach to this one afterwards.
		"PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
		processMark: r.work.Name,
	}
}

// bringUp creates the stack as a new user would: first without the pipeline, which waits for the handshake that
// authorizes the connection, then with it.
func (r *rehearsal) bringUp(ctx context.Context) error {
	r.chapter("Infrastructure of stack %s", r.Stack)
	if err := r.up(ctx); err != nil {
		return err
	}
	if connection := r.stack.output("connectionArn"); r.stack.output("pipelineName") == "" && connection != "" {
		start := time.Now()
		if err := r.cloud.provider.AuthorizeConnection(connection); err != nil {
			return err
		}
		r.step("handshake", "authorized the connection to GitHub, as a person does in the console", time.Since(start))
		if err := r.stack.SetConfig(ctx, map[string]string{"connectionAuthorized": "true"}); err != nil {
			return err
		}
		if err := r.up(ctx); err != nil {
			return err
		}
	}
	if r.stack.output("pipelineName") == "" {
		return fmt.Errorf("stack %s has no pipeline: %s", r.Stack, r.stack.output("nextStep"))
	}
	return r.cloud.pipelineCreated(ctx, r.stack.output("pipelineName"))
}

// up updates the stack and reports what changed.
func (r *rehearsal) up(ctx context.Context) error {
	start := time.Now()
	result, err := r.stack.Up(ctx)
	if err != nil {
		return err
	}
	r.stack.outputs = result.Outputs
	r.step("up", changes(result), time.Since(start))
	return nil
}

// changes tells the counts of a result as a person would.
func changes(r automation.Result) string {
	var parts []string
	for _, op := range []struct{ name, done string }{
		{"create", "created"}, {"update", "updated"}, {"replace", "replaced"}, {"delete", "deleted"}, {"same", "unchanged"},
	} {
		if n := r.Changes[op.name]; n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, op.done))
		}
	}
	if parts == nil {
		return "nothing to do"
	}
	return "resources: " + strings.Join(parts, ", ")
}

// tearDown shows that the stack needs no further change and leaves nothing: an up changes nothing, and a destroy
// removes every resource, images and artifacts included.
func (r *rehearsal) tearDown(ctx context.Context) error {
	r.chapter("The end of stack %s", r.Stack)
	start := time.Now()
	result, err := r.stack.Up(ctx)
	if err != nil {
		return err
	}
	r.step("up again", changes(result), time.Since(start))
	if result.Changed() > 0 {
		return errors.New("a second up of the same program changes resources: some property is sent in another form than the provider returns it")
	}
	if r.cloud.protected() {
		if err := r.stack.SetConfig(ctx, map[string]string{"protect": "false"}); err != nil {
			return err
		}
		if err := r.up(ctx); err != nil {
			return err
		}
		r.note("protect is on: it was turned off first, without which AWS refuses to destroy the stack")
	}
	images, objects := r.cloud.contents()
	start = time.Now()
	result, err = r.stack.Destroy(ctx)
	if err != nil {
		return err
	}
	r.step("destroy", changes(result), time.Since(start))
	r.note("with %d images in the registry and %d artifacts in the bucket", images, objects)
	if left := r.cloud.account.All(); len(left) > 0 {
		return fmt.Errorf("%d resources are left after the destroy, the first is %s", len(left), left[0].URN)
	}
	return nil
}
