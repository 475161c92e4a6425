package console

import (
	"cmp"
	"fmt"
	"strings"
	"time"
)

// Span is the duration of a step.
type Span struct {
	Name  string
	Inner bool // part of the step that is reported next
	Took  time.Duration
	End   time.Time
}

func (s Span) String() string {
	name := s.Name
	if s.Inner {
		name = "  " + name
	}
	return fmt.Sprintf("%-22s %6.2f s", name, s.Took.Seconds())
}

// stepName names a step. One without a name is part of a larger one; its name is the first word of its text.
func stepName(name, what string) string {
	first, _, _ := strings.Cut(what, " ")
	return cmp.Or(name, first)
}

// Part records a part of the next step for which the console shows no line.
func (c *Console) Part(name string, took time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.spans = append(c.spans, Span{name, true, took, time.Now()})
}

// TakeSpans returns the spans since its last call.
func (c *Console) TakeSpans() []Span {
	c.mu.Lock()
	defer c.mu.Unlock()
	spans := c.spans
	c.spans = nil
	return spans
}
