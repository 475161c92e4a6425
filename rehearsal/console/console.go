package console

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/charmbracelet/x/ansi"
)

// Width is how wide a line may be: that of the narrowest usual terminal.
const Width = 80

// Console tells the person at the terminal what happens, in chapters of steps with their durations.
type Console struct {
	mu    sync.Mutex
	out   io.Writer
	first io.Writer // what out was to begin with
	spans []Span    // of what was reported
}

// New makes a console that writes to out.
func New(out io.Writer) *Console { return &Console{out: out, first: out} }

// Chapter begins a group of steps.
func (c *Console) Chapter(format string, args ...any) {
	c.mu.Lock()
	defer c.mu.Unlock()
	fmt.Fprintf(c.out, "\n%s\n", Cut(fmt.Sprintf(format, args...), Width))
}

// Step reports one thing that was done, and how long it took.
func (c *Console) Step(name, what string, took time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.spans = append(c.spans, Span{stepName(name, what), name == "", took})
	duration := fmt.Sprintf("%.1f s", took.Seconds())
	room := Width - 2 - 16 - 1 - len("000.0 s")
	fmt.Fprintf(c.out, "  %-15s %-*s %7s\n", name, room, Cut(what, room), duration)
}

// Note adds a remark, wrapped to the width, to the step before.
func (c *Console) Note(format string, args ...any) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, line := range Wrap(fmt.Sprintf(format, args...), Width-18) {
		fmt.Fprintf(c.out, "%18s%s\n", "", line)
	}
}

// Output shows a line that a program has printed, and which one that is. The line is as long as it is, so that it can be
// searched for and copied. It goes where the console has written first: who asks for output wants it beside all else.
func (c *Console) Output(program, line string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	line = strings.TrimRight(line, "\r")
	line = line[strings.LastIndexByte(line, '\r')+1:] // what a terminal would be left with
	fmt.Fprintf(c.first, "%s | %s\n", program, printable(ansi.Strip(line)))
}

// SetOutput has the console write to another place from now on.
func (c *Console) SetOutput(out io.Writer) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.out = out
}

// Write passes on the progress of something that speaks for itself, such as the building of a tool.
func (c *Console) Write(p []byte) (int, error) {
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

// Cut shortens a text to n characters.
func Cut(text string, n int) string {
	text, _, _ = strings.Cut(printable(text), "\n")
	if utf8.RuneCountInString(text) <= n {
		return text
	}
	return string([]rune(text)[:n-1]) + "…"
}

// Wrap breaks a text into lines of at most n characters where it has spaces. Longer words stand alone.
func Wrap(text string, n int) []string {
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
