package change

import (
	"context"
	"fmt"
	"io"

	"cicd/rehearsal/world"
)

// Scenario does what a team does every day: it pushes a change while requests come in, and waits until it is served. At
// the end the stack is destroyed.
type Scenario struct {
	// Out gets one line per release.
	Out io.Writer
}

// Play implements rehearsal.Scenario.
func (s Scenario) Play(ctx context.Context, w *world.World) error {
	second, count, err := w.ReleaseChange(ctx)
	if err != nil {
		return err
	}
	if err := w.TearDown(ctx); err != nil {
		return err
	}
	_, err = fmt.Fprintf(s.Out, "%s\n%s %s\n", w.First, second, count)
	return err
}
