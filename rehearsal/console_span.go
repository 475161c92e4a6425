package rehearsal

import (
	"cmp"
	"fmt"
	"strings"
	"time"
)

// span is how long one step took.
type span struct {
	name  string
	inner bool // it is a part of the step that is reported next
	took  time.Duration
}

func (s span) String() string {
	name := s.name
	if s.inner {
		name = "  " + name
	}
	return fmt.Sprintf("%-22s %6.2f s", name, s.took.Seconds())
}

// stepName names a step of the console: one without a name begins with what is done, and is a part of a larger one.
func stepName(name, what string) string {
	first, _, _ := strings.Cut(what, " ")
	return cmp.Or(name, first)
}

// part records a part of the next step that the console has no line for.
func (c *console) part(name string, took time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.spans = append(c.spans, span{name, true, took})
}

// takeSpans returns the spans since it was called last.
func (c *console) takeSpans() []span {
	c.mu.Lock()
	defer c.mu.Unlock()
	spans := c.spans
	c.spans = nil
	return spans
}
