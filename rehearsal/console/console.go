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

// Width is the maximum width of a line: that of the narrowest common terminal.
const Width = 80

// noteIndent is what precedes each line of a note, and NoteWidth the room that is left for its text.
const (
	noteIndent = 18
	NoteWidth  = Width - noteIndent
)

// Console shows the person at the terminal what happens: chapters of steps, with their durations.
type Console struct {
	mu    sync.Mutex
	out   io.Writer
	first io.Writer // the first out
	spans []Span    // of the reported steps
}

// New makes a console that writes to out.
func New(out io.Writer) *Console { return &Console{out: out, first: out} }

// Chapter begins a group of steps.
func (c *Console) Chapter(format string, args ...any) {
	c.mu.Lock()
	defer c.mu.Unlock()
	fmt.Fprintf(c.out, "\n%s\n", Cut(fmt.Sprintf(format, args...), Width))
}

// Step reports a completed step and its duration.
func (c *Console) Step(name, what string, took time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.spans = append(c.spans, Span{stepName(name, what), name == "", took, time.Now()})
	duration := fmt.Sprintf("%.1f s", took.Seconds())
	room := Width - 2 - 16 - 1 - len("000.0 s")
	fmt.Fprintf(c.out, "  %-15s %-*s %7s\n", name, room, Cut(what, room), duration)
}

// Note adds a remark, wrapped to the width, to the previous step.
func (c *Console) Note(format string, args ...any) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, line := range Wrap(fmt.Sprintf(format, args...), NoteWidth) {
		fmt.Fprintf(c.out, "%*s%s\n", noteIndent, "", line)
	}
}

// Bullet adds an item to a list below a chapter, wrapped to the width.
func (c *Console) Bullet(text string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	mark := "-"
	for _, line := range Wrap(text, Width-4) {
		fmt.Fprintf(c.out, "  %s %s\n", mark, line)
		mark = " "
	}
}

// Output shows a line that a program printed, after the program's name. It never shortens the line, so that it can be
// searched for and copied. It ignores SetOutput: whoever asks for output wants it in addition to everything else.
func (c *Console) Output(program, line string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	fmt.Fprintf(c.first, "%s | %s\n", program, Plain(line))
}

// SetOutput redirects the console's output.
func (c *Console) SetOutput(out io.Writer) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.out = out
}

// Write shows the progress of something that reports it itself, such as the build of a tool.
func (c *Console) Write(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.out.Write(p)
}

// Plain returns a text without what a terminal would obey: escape sequences, other control characters, and what a carriage
// return would overwrite. A commit's message may have some, and so does the output of many programs.
func Plain(text string) string {
	lines := strings.Split(ansi.Strip(text), "\n")
	for i, line := range lines {
		line = strings.TrimRight(line, "\r")
		lines[i] = strings.Map(func(c rune) rune {
			switch {
			case c == '\t':
				return ' '
			case unicode.IsControl(c):
				return unicode.ReplacementChar
			}
			return c
		}, line[strings.LastIndexByte(line, '\r')+1:])
	}
	return strings.Join(lines, "\n")
}

// Cut shortens a text to n characters.
func Cut(text string, n int) string {
	text, _, _ = strings.Cut(Plain(text), "\n")
	if utf8.RuneCountInString(text) <= n {
		return text
	}
	return string([]rune(text)[:n-1]) + "…"
}

// Wrap breaks a text at spaces into lines of at most n characters. Longer words get a line of their own.
func Wrap(text string, n int) []string {
	var lines []string
	for paragraph := range strings.Lines(Plain(text)) {
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
