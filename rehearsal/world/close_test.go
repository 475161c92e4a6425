package world

import (
	"context"
	"errors"
	"testing"
	"time"
)

// TestCloseKeepsItsLimit: a stand-in that does not stop keeps nobody from removing the rest.
func TestCloseKeepsItsLimit(t *testing.T) {
	forever := make(chan struct{})
	defer close(forever)
	closed := make(chan struct{})
	c := &cloud{closers: []func() error{
		func() error { <-forever; return nil },
		func() error { close(closed); return nil },
	}}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := c.close(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("close() = %v, want it to give up", err)
	}
	select {
	case <-closed:
	default:
		t.Error("the last one was not closed first")
	}
}
