package world

import (
	"sync"
	"time"

	"cicd/rehearsal/console"
)

// reportInterval is how long the console may be silent while an action runs.
const reportInterval = 20 * time.Second

// waiting are the actions that are running.
type waiting struct {
	mu    sync.Mutex
	ended map[string]chan struct{} // by action
}

// await reports from now on that an action of a stage is running, or no longer does.
func (r *reporter) await(action, stage string, running bool) {
	r.waiting.mu.Lock()
	defer r.waiting.mu.Unlock()
	if ended, ok := r.waiting.ended[action]; ok {
		close(ended)
		delete(r.waiting.ended, action)
	}
	if !running {
		return
	}
	if r.waiting.ended == nil {
		r.waiting.ended = map[string]chan struct{}{}
	}
	ended := make(chan struct{})
	r.waiting.ended[action] = ended
	r.logs.forget()
	go r.tellWhile(stage, ended, reportInterval)
}

// tellWhile says at an interval that a stage is running, for how long, and what it printed last, until it has ended.
func (r *reporter) tellWhile(stage string, ended <-chan struct{}, interval time.Duration) {
	for start, tick := time.Now(), time.NewTicker(interval); ; {
		select {
		case <-ended:
			tick.Stop()
			return
		case <-tick.C:
			elapsed := time.Since(start).Round(time.Second)
			if said := r.logs.latest(); said != "" {
				r.Note("%s has been running for %s; its last output: %s", stage, elapsed, console.Cut(said, 3*console.Width))
			} else {
				r.Note("%s has been running for %s, and has printed nothing so far", stage, elapsed)
			}
		}
	}
}
