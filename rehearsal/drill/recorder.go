package drill

import (
	"context"
	"slices"

	"cicd/rehearsal/world"
)

// answerRecorder sends requests throughout a drill and notes which commits have answered.
type answerRecorder struct {
	visitors *world.Visitors
	upstream chan string
	served   chan []string
}

// recordAnswers begins to send requests. The commit behind an answer is looked up when answers begin to come from another
// container, and not by the visitor, who must not miss a moment.
func (g *drillEnv) recordAnswers(ctx context.Context) *answerRecorder {
	w := &answerRecorder{upstream: make(chan string, 1024), served: make(chan []string, 1)}
	last := ""
	w.visitors = g.Visit(ctx, func(a world.Answer) {
		if a.Upstream != last && a.Upstream != "" {
			last = a.Upstream
			w.upstream <- a.Upstream
		}
	})
	go func() {
		var served []string
		for upstream := range w.upstream {
			commit, err := g.CommitAt(ctx, upstream)
			if err == nil && commit != "" { // else the container has gone already
				served = append(served, commit)
			}
		}
		w.served <- slices.Compact(served)
	}()
	return w
}

// leave ends the requests. It returns their count, and the commits that have answered, in order.
func (w *answerRecorder) leave() (world.Visits, []string) {
	count := w.visitors.Leave()
	close(w.upstream)
	return count, <-w.served
}
