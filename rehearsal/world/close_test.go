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
	closed := false
	c := &cloud{closers: []func() error{
		func() error { <-forever; return nil },
		func() error { closed = true; return nil },
	}}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := c.close(ctx); !errors.Is(err, context.DeadlineExceeded) || !closed {
		t.Errorf("close() = %v, closed %t; want it to give up, after the last one was closed", err, closed)
	}
}
