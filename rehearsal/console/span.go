package console

import (
	"cmp"
	"fmt"
	"strings"
	"time"
)

// Span is how long one step took.
type Span struct {
	Name  string
	Inner bool // it is a part of the step that is reported next
	Took  time.Duration
}

func (s Span) String() string {
	name := s.Name
	if s.Inner {
		name = "  " + name
	}
	return fmt.Sprintf("%-22s %6.2f s", name, s.Took.Seconds())
}

// stepName names a step of the console: one without a name begins with what is done, and is a part of a larger one.
func stepName(name, what string) string {
	first, _, _ := strings.Cut(what, " ")
	return cmp.Or(name, first)
}

// Part records a part of the next step that the console has no line for.
func (c *Console) Part(name string, took time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.spans = append(c.spans, Span{name, true, took})
}

// TakeSpans returns the spans since it was called last.
func (c *Console) TakeSpans() []Span {
	c.mu.Lock()
	defer c.mu.Unlock()
	spans := c.spans
	c.spans = nil
	return spans
}
