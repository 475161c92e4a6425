package drill

import (
	"context"
	"slices"

	"cicd/rehearsal/world"
)

// answerRecorder sends requests throughout a drill and records which commits answered.
type answerRecorder struct {
	visitors *world.Visitors
	upstream chan string
	served   chan []string
}

// recordAnswers starts sending requests. When answers start to come from another container, its commit is looked up, in
// another goroutine, because the visitor must not miss a moment.
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
			if err == nil && commit != "" { // otherwise the container is already gone
				served = append(served, commit)
			}
		}
		w.served <- slices.Compact(served)
	}()
	return w
}

// leave ends the requests. It returns their counts, and the commits that answered, in order.
func (w *answerRecorder) leave() (world.Visits, []string) {
	count := w.visitors.Leave()
	close(w.upstream)
	return count, <-w.served
}
