package codepipeline

import (
	"strings"
	"testing"
)

func TestTriggers(t *testing.T) {
	tests := []struct {
		name, branch, file string
		change             func(*world)
		want               int
		said               string
	}{
		{"watched", "main", "webapp/deep/down.go", nil, 1, "started"},
		{"another branch", "feature", "webapp/a", nil, 0, ErrUnwatched.Error()},
		{"unwatched path", "main", "docs/a.md", nil, 0, ErrUnwatched.Error()},
		{"pipeline made while its connection was pending", "main", "webapp/a", func(w *world) { w.NoWebhook = func(string) bool { return true } }, 0,
			"pipeline web was created before its connection to GitHub was authorized"},
		{"no trigger, change detection off", "main", "webapp/a", func(w *world) { w.pipeline["triggers"] = nil }, 0, ErrUnwatched.Error()},
		{"no trigger, change detection on", "main", "docs/a.md", func(w *world) {
			w.pipeline["triggers"] = nil
			actions := w.pipeline["stages"].([]any)[0].(map[string]any)["actions"].([]any)
			delete(actions[0].(map[string]any)["configuration"].(map[string]any), "DetectChanges")
		}, 1, "started"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t)
			if tt.change != nil {
				tt.change(w)
				w.declare()
			}
			if _, said := w.push(tt.branch, tt.file, "change"); !strings.Contains(said, tt.said) {
				t.Errorf("git push said %q, want %q in it", said, tt.said)
			}
			if got := len(w.ends()); got != tt.want {
				t.Errorf("%d executions, want %d", got, tt.want)
			}
		})
	}
}

func TestPatterns(t *testing.T) {
	tests := []struct {
		p    patterns
		name string
		want bool
	}{
		{patterns{}, "any", true},
		{patterns{Includes: []string{"webapp/*"}}, "webapp/a", true},
		{patterns{Includes: []string{"webapp/*"}}, "webapp/a/b", false},
		{patterns{Includes: []string{"webapp/**"}}, "webapp/a/b", true},
		{patterns{Includes: []string{"webapp/**"}}, "webapp2/a", false},
		{patterns{Includes: []string{"*.{go,md}"}}, "a.md", true},
		{patterns{Includes: []string{"a?c"}}, "a/c", false},
		{patterns{Includes: []string{"**"}, Excludes: []string{"**.md"}}, "docs/a.md", false},
		{patterns{Excludes: []string{"docs/**"}}, "webapp/a", true},
	}
	for _, tt := range tests {
		if got, err := tt.p.match(tt.name); err != nil || got != tt.want {
			t.Errorf("%+v.match(%q) = %v, %v, want %v", tt.p, tt.name, got, err, tt.want)
		}
	}
}
