package rehearsal

import (
	"context"
	"slices"
)

// witness sends requests throughout a drill and notes which commits have answered.
type witness struct {
	visitors *visitors
	upstream chan string
	served   chan []string
}

// witness begins to send requests. The commit behind an answer is looked up when answers begin to come from another
// container, and not by the visitor, who must not miss a moment.
func (g *ground) witness(ctx context.Context) *witness {
	w := &witness{upstream: make(chan string, 1024), served: make(chan []string, 1)}
	last := ""
	w.visitors = visit(ctx, g.cloud.internet(), g.url(), func(a answer) {
		if a.upstream != last && a.upstream != "" {
			last = a.upstream
			w.upstream <- a.upstream
		}
	})
	go func() {
		var served []string
		for upstream := range w.upstream {
			commit, err := g.cloud.commitAt(ctx, upstream)
			if err == nil && commit != "" { // else the container has gone already
				served = append(served, commit)
			}
		}
		w.served <- slices.Compact(served)
	}()
	return w
}

// leave ends the requests. It returns their count, and the commits that have answered, in order.
func (w *witness) leave() (visits, []string) {
	count := w.visitors.leave()
	close(w.upstream)
	return count, <-w.served
}
