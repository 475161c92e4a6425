package codepipeline

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"
)

// TestCloseStopsExecutions: closing does not wait for a build to end by itself, nor for ever for one that cannot be stopped.
func TestCloseStopsExecutions(t *testing.T) {
	forever := make(chan struct{})
	defer close(forever)
	for name, tt := range map[string]struct {
		build func(context.Context)
		want  error
	}{
		"a build that can be stopped": {func(ctx context.Context) { <-ctx.Done() }, nil},
		"one that cannot":             {func(context.Context) { <-forever }, context.DeadlineExceeded},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			begun := make(chan struct{})
			w.Build = func(ctx context.Context, _ Build) (BuildResult, error) {
				close(begun)
				tt.build(ctx)
				return BuildResult{}, ctx.Err()
			}
			w.push("main", "webapp/a", "change")
			<-begun
			ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
			defer cancel()
			if err := w.Close(ctx); !errors.Is(err, tt.want) {
				t.Errorf("Close() = %v, want %v", err, tt.want)
			}
			if tt.want != nil {
				forever <- struct{}{}
			}
		})
	}
}

// TestCloseStopsLateExecutions: a push that arrives while everything ends starts nothing that nobody stops.
func TestCloseStopsLateExecutions(t *testing.T) {
	w := newWorld(t)
	if err := w.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.push("main", "webapp/a", "change")
	if got := w.ends(); !slices.Equal(got, []Status{Stopped}) {
		t.Errorf("a push after Close: %v, want it stopped", got)
	}
}
