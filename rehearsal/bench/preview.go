package bench

import (
	"context"
	"os"
	"path/filepath"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"cicd/automation"
)

// measurePreviews compares a preview of the stack, which exists, with that of a program that declares nothing, with the
// same engine and backend.
func (b *bench) measurePreviews(ctx context.Context, report *report) error {
	empty, err := b.openEmptyStack(ctx)
	if err != nil {
		return err
	}
	preview := func(s *automation.Stack) measure {
		return func(int) (float64, error) {
			return timed(func() error {
				_, err := s.Preview(ctx)
				return err
			})
		}
	}
	figures, err := b.inTurns("Preview of stack "+b.Stack+", compared with an empty program", "%.2f s", preview(b.Declared()), preview(empty))
	if err != nil {
		return err
	}
	report.add(comparison{
		name: "preview of " + b.Stack, baseline: "empty program", unit: "%.2f s", judge: ratio, here: figures[0], there: figures[1], limit: 2,
		how: "a preview of the existing stack, compared with one of a program that declares nothing, both through `automation` with the same engine",
	})
	return nil
}

// openEmptyStack opens the stack of an empty project.
func (b *bench) openEmptyStack(ctx context.Context) (*automation.Stack, error) {
	dir, err := b.Workspace.MakeDir("empty")
	if err != nil {
		return nil, err
	}
	for name, text := range map[string]string{"Pulumi.yaml": "name: empty\nruntime: go\n", "Pulumi.dev.yaml": "{}\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			return nil, err
		}
	}
	return b.OpenStack(ctx, dir, "dev", func(*pulumi.Context) error { return nil })
}
