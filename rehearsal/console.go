package rehearsal

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"time"
	"unicode"
	"unicode/utf8"
)

// width is how wide a line may be: that of the narrowest usual terminal.
const width = 80

// console tells the person at the terminal what happens, in chapters of steps with their durations.
type console struct {
	mu    sync.Mutex
	out   io.Writer
	spans []span // of what was reported
}

// chapter begins a group of steps.
func (c *console) chapter(format string, args ...any) {
	c.mu.Lock()
	defer c.mu.Unlock()
	fmt.Fprintf(c.out, "\n%s\n", cut(fmt.Sprintf(format, args...), width))
}

// step reports one thing that was done, and how long it took.
func (c *console) step(name, what string, took time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.spans = append(c.spans, span{stepName(name, what), name == "", took})
	duration := fmt.Sprintf("%.1f s", took.Seconds())
	room := width - 2 - 16 - 1 - len("000.0 s")
	fmt.Fprintf(c.out, "  %-15s %-*s %7s\n", name, room, cut(what, room), duration)
}

// note adds a remark, wrapped to the width, to the step before.
func (c *console) note(format string, args ...any) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, line := range wrap(fmt.Sprintf(format, args...), width-18) {
		fmt.Fprintf(c.out, "%18s%s\n", "", line)
	}
}

// setOutput has the console write to another place from now on.
func (c *console) setOutput(out io.Writer) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.out = out
}

// Write passes on the progress of something that speaks for itself, such as the building of a tool.
func (c *console) Write(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.out.Write(p)
}

// printable replaces what a terminal would obey rather than show: a commit's message can have it.
func printable(text string) string {
	return strings.Map(func(c rune) rune {
		switch {
		case c == '\n' || !unicode.IsControl(c):
			return c
		case c == '\t':
			return ' '
		}
		return unicode.ReplacementChar
	}, text)
}

// cut shortens a text to n characters.
func cut(text string, n int) string {
	text, _, _ = strings.Cut(printable(text), "\n")
	if utf8.RuneCountInString(text) <= n {
		return text
	}
	return string([]rune(text)[:n-1]) + "…"
}

// wrap breaks a text into lines of at most n characters where it has spaces. Longer words stand alone.
func wrap(text string, n int) []string {
	var lines []string
	for paragraph := range strings.Lines(printable(text)) {
		line := ""
		for _, word := range strings.Fields(paragraph) {
			if line != "" && utf8.RuneCountInString(line)+1+utf8.RuneCountInString(word) > n {
				lines, line = append(lines, line), ""
			}
			line = strings.TrimSpace(line + " " + word)
		}
		lines = append(lines, line)
	}
	return lines
}
