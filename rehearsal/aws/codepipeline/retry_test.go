package codepipeline

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
)

// TestRetry counts how often a stage asks for a build, and for an approval that is refused at first.
func TestRetry(t *testing.T) {
	tests := []struct {
		name              string
		onFailure         map[string]any
		refusals          int64
		want              Status
		builds, approvals int64
	}{
		{"not asked for", nil, 1, Failed, 1, 1},
		{"failed actions", map[string]any{"result": "RETRY", "retryConfiguration": map[string]any{"retryMode": "FAILED_ACTIONS"}}, 1, Succeeded, 1, 2},
		{"all actions", map[string]any{"result": "RETRY", "retryConfiguration": map[string]any{"retryMode": "ALL_ACTIONS"}}, 1, Succeeded, 2, 2},
		{"once", map[string]any{"result": "RETRY", "retryConfiguration": map[string]any{"retryMode": "FAILED_ACTIONS"}}, 2, Failed, 1, 2},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t)
			var builds, approvals atomic.Int64
			w.Build = func(context.Context, Build) (BuildResult, error) { builds.Add(1); return BuildResult{ID: "p:1"}, nil }
			w.Approve = func(context.Context, Event) error {
				if approvals.Add(1) <= tt.refusals {
					return errors.New("rejected")
				}
				return nil
			}
			stage := w.pipeline["stages"].([]any)[1].(map[string]any)
			stage["actions"] = append(stage["actions"].([]any), map[string]any{"name": "Approve", "provider": "Manual"})
			if tt.onFailure != nil {
				stage["onFailure"] = tt.onFailure
			}
			w.declare()
			w.push("elsewhere", "webapp/a", "a")
			e, err := w.Start(t.Context(), "web", ByHand, mustHead(t, w, "elsewhere"))
			if err != nil {
				t.Fatal(err)
			}
			if status, err := e.Wait(t.Context()); status != tt.want || builds.Load() != tt.builds || approvals.Load() != tt.approvals {
				t.Errorf("%s (%v) with %d builds and %d approvals, want %s with %d and %d",
					status, err, builds.Load(), approvals.Load(), tt.want, tt.builds, tt.approvals)
			}
		})
	}
}
