package codepipeline

import "sync"

// gate admits executions to a stage of a pipeline, one at a time unless they may run in parallel, and none while the
// transition into the stage is disabled.
type gate struct {
	mu         sync.Mutex
	busy       bool
	waiting    []*waiter // in order of execution
	transition transitionState
}

type waiter struct {
	number  int       // the execution's, increasing with time
	outcome chan bool // true: enter; false: superseded
}

// arrive requests entry for an execution and returns the channel that delivers the outcome. In SUPERSEDED mode only
// the newest execution waits in front of a stage: it displaces older ones. In QUEUED mode all wait.
func (g *gate) arrive(mode string, number int) *waiter {
	g.mu.Lock()
	defer g.mu.Unlock()
	w := &waiter{number: number, outcome: make(chan bool, 1)}
	if g.transition.Enabled && (mode == modeParallel || !g.busy) {
		g.busy = true
		w.outcome <- true
		return w
	}
	g.waiting = append(g.waiting, w)
	if mode == modeSuperseded {
		g.displaceOlder()
	}
	return w
}

func (g *gate) displaceOlder() {
	newest := g.waiting[0]
	for _, w := range g.waiting[1:] {
		older := w
		if w.number > newest.number {
			older, newest = newest, w
		}
		older.outcome <- false
	}
	g.waiting = []*waiter{newest}
}

// leave admits the next execution.
func (g *gate) leave() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.busy = false
	g.admit()
}

// admit admits the execution that waits first. The lock must be held, and the stage must be free.
func (g *gate) admit() {
	if !g.transition.Enabled || len(g.waiting) == 0 {
		return
	}
	next := g.waiting[0]
	g.waiting = g.waiting[1:]
	g.busy = true
	next.outcome <- true
}

// disable admits nothing until enable is called.
func (g *gate) disable(state transitionState) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.transition = state
}

// enable admits what waits, as far as the mode allows.
func (g *gate) enable(mode string, state transitionState) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.transition = state
	for len(g.waiting) > 0 && (mode == modeParallel || !g.busy) {
		g.admit()
	}
}

// state returns the state of the transition.
func (g *gate) state() transitionState {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.transition
}

// withdraw cancels an arrival whose outcome nobody waits for any more. If it was admitted meanwhile, it leaves.
func (g *gate) withdraw(w *waiter) {
	g.mu.Lock()
	for i, other := range g.waiting {
		if other == w {
			g.waiting = append(g.waiting[:i], g.waiting[i+1:]...)
			g.mu.Unlock()
			return
		}
	}
	g.mu.Unlock()
	if <-w.outcome {
		g.leave()
	}
}
