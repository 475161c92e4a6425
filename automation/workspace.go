package automation

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/auto"
)

// errAbsent means that the backend does not know the stack.
var errAbsent = errors.New("stack is not in the backend")

// workspace is the SDK's, except that secrets stay in the engine, and that opening a stack does not select it. The
// selection belongs to the user: after `cicd preview --stack prod`, nobody expects the next plain `pulumi up` to go
// to prod.
type workspace struct{ auto.Workspace }

// SelectStack returns nil if the backend has the stack, else errAbsent.
func (w workspace) SelectStack(ctx context.Context, name string) error {
	stacks, err := w.ListStacks(ctx)
	if err != nil {
		return err
	}
	for _, s := range stacks {
		// Listed without the organization if it is the user's default.
		if ShortName(s.Name) == ShortName(name) {
			return nil
		}
	}
	return errAbsent
}

// CreateStack adds the stack to the backend.
func (w workspace) CreateStack(ctx context.Context, name string) error {
	if _, err := w.run(ctx, "stack", "init", "--no-select", name); err != nil {
		return fmt.Errorf("new stack %q: %w", name, err)
	}
	return nil
}

// StackOutputs returns the stack's outputs with secrets masked by the engine. The SDK would run the engine again to
// get the secrets too, which nothing here shows.
func (w workspace) StackOutputs(ctx context.Context, stack string) (auto.OutputMap, error) {
	stdout, err := w.run(ctx, "stack", "output", "--json", "--stack", stack)
	if err != nil {
		return nil, fmt.Errorf("outputs of stack %q: %w", stack, err)
	}
	var masked map[string]json.RawMessage
	if err := json.Unmarshal([]byte(stdout), &masked); err != nil {
		return nil, fmt.Errorf("outputs of stack %q: %w", stack, err)
	}
	outputs := auto.OutputMap{}
	for name, raw := range masked {
		output := auto.OutputValue{Secret: strings.Contains(string(raw), withheld)}
		if err := json.Unmarshal(raw, &output.Value); err != nil {
			return nil, fmt.Errorf("output %q of stack %q: %w", name, stack, err)
		}
		outputs[name] = output
	}
	return outputs, nil
}

// run runs the engine and returns what it prints.
func (w workspace) run(ctx context.Context, args ...string) (stdout string, err error) {
	var env []string
	for key, value := range w.GetEnvVars() {
		env = append(env, key+"="+value)
	}
	stdout, _, _, err = w.PulumiCommand().Run(ctx, w.WorkDir(), nil, nil, nil, env, args...)
	return stdout, err
}
