package world

import (
	"strings"
	"sync"
	"time"

	"cicd/rehearsal/console"
)

// reportInterval is how long the console may be silent while an action runs.
const reportInterval = 20 * time.Second

// running are the actions that have begun and not ended.
type running struct {
	mu    sync.Mutex
	ended map[string]chan struct{} // by action
}

// track is told that an action of a stage has begun, or has ended. In between, the console says from time to time that
// it is running.
func (r *reporter) track(action, stage string, begun bool) {
	r.running.mu.Lock()
	defer r.running.mu.Unlock()
	if ended, ok := r.running.ended[action]; ok {
		close(ended)
		delete(r.running.ended, action)
	}
	if !begun {
		return
	}
	if r.running.ended == nil {
		r.running.ended = map[string]chan struct{}{}
	}
	ended := make(chan struct{})
	r.running.ended[action] = ended
	r.logs.forget()
	go r.tellWhile(stage, ended)
}

// tellWhile says from time to time that a stage is running, for how long, and what it printed last, until it has ended.
func (r *reporter) tellWhile(stage string, ended <-chan struct{}) {
	start := time.Now()
	tick := time.NewTicker(reportInterval)
	defer tick.Stop()
	for {
		select {
		case <-ended:
			return
		case <-tick.C:
		}
		elapsed := time.Since(start).Round(time.Second)
		if said := r.logs.latest(); said != "" {
			r.Note("%s has been running for %s; its last output: %s", stage, elapsed, short(said))
		} else {
			r.Note("%s has been running for %s, and has printed nothing so far", stage, elapsed)
		}
	}
}

// short cuts a line of output, and each of its words, to what a note has room for. The log has all of it.
func short(line string) string {
	words := strings.Fields(console.Cut(line, 3*console.Width))
	for i, word := range words {
		words[i] = console.Cut(word, console.NoteWidth)
	}
	return strings.Join(words, " ")
}
