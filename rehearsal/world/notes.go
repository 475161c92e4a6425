package world

import (
	"slices"
	"sync"
)

// notes are what a person should know of releases that succeed: what builds say, and where AWS would act otherwise.
type notes struct {
	mu  sync.Mutex
	all []string
}

// remark shows a note, unless it was shown before, and keeps it for the end.
func (r *reporter) remark(text string) {
	r.notes.mu.Lock()
	defer r.notes.mu.Unlock()
	if text != "" && !slices.Contains(r.notes.all, text) {
		r.notes.all = append(r.notes.all, text)
		r.Note("%s", text)
	}
}

// ReportNotes repeats, at the end of a rehearsal, everything that a person should know although nothing failed.
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
