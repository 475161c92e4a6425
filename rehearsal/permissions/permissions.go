package permissions

import (
	"context"
	"encoding/json"
	"errors"
	"io"

	"cicd/rehearsal/world"
)

// Scenario releases a change, and compares what the stack's roles are granted with what was used. At the end the stack is
// destroyed.
type Scenario struct {
	// Out gets the grants, as one table per role or as JSON.
	Out  io.Writer
	JSON bool
}

// Play implements rehearsal.Scenario. Its error lists the problems.
func (s Scenario) Play(ctx context.Context, w *world.World) error {
	if _, _, err := w.ReleaseChange(ctx); err != nil {
		return err
	}
	a, err := newAudit(w.Account(), w.Authority().Uses(), exemptions)
	if err != nil {
		return err
	}
	if s.JSON {
		err = json.NewEncoder(s.Out).Encode(a)
	} else {
		_, err = io.WriteString(s.Out, a.text(w.Stack))
	}
	return errors.Join(err, a.err(), w.TearDown(ctx))
}
