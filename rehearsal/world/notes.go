package world

import (
	"slices"
	"sync"

	"cicd/rehearsal/console"
)

// notes are what a person should know of releases that succeed: what builds say, and where AWS would act otherwise.
type notes struct {
	mu  sync.Mutex
	all []string
}

// add shows the texts that are new.
func (n *notes) add(c *console.Console, texts ...string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, text := range texts {
		if text != "" && !slices.Contains(n.all, text) {
			n.all = append(n.all, text)
			c.Note("%s", text)
		}
	}
}

// ReportNotes shows, at the end of a rehearsal, everything that a person should know although nothing failed. Most of it was
// already shown when it came up, among the steps.
func (w *World) ReportNotes() {
	n := &w.cloud.report.notes
	n.mu.Lock()
	defer n.mu.Unlock()
	if len(n.all) == 0 {
		return
	}
	w.Chapter("Nothing failed, but note:")
	for _, text := range n.all {
		w.Bullet(text)
	}
}
