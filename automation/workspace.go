package automation

import (
	"context"
	"errors"
	"fmt"

	"github.com/pulumi/pulumi/sdk/v3/go/auto"
)

// errAbsent says that the backend does not know a stack.
var errAbsent = errors.New("stack is not in the backend")

// workspace is the SDK's, except that opening a stack does not select it. The selection belongs to the user: who has run
// `cicd preview --stack prod` does not expect the next plain `pulumi up` to go there.
type workspace struct{ auto.Workspace }

// SelectStack returns errAbsent, or nil when the backend has the stack.
func (w workspace) SelectStack(ctx context.Context, name string) error {
	stacks, err := w.ListStacks(ctx)
	if err != nil {
		return err
	}
	for _, s := range stacks {
		// Listed without the organization where that is the user's default one.
		if settingsName(s.Name) == settingsName(name) {
			return nil
		}
	}
	return errAbsent
}

// CreateStack adds the stack to the backend.
func (w workspace) CreateStack(ctx context.Context, name string) error {
	var env []string
	for key, value := range w.GetEnvVars() {
		env = append(env, key+"="+value)
	}
	_, _, _, err := w.PulumiCommand().Run(ctx, w.WorkDir(), nil, nil, nil, env, "stack", "init", "--no-select", name)
	if err != nil {
		return fmt.Errorf("new stack %q: %w", name, err)
	}
	return nil
}
