package codebuild

import (
	"bytes"
	"crypto/rand"
	"fmt"
	"io"
	"os"
	"strings"
	"time"
)

// console carries the build's log: what commands print and what CodeBuild says between them, in the order in which it
// was written, because all of it goes through one pipe.
type console struct {
	pipe *os.File      // what commands write to
	mark []byte        // written to the pipe to learn when everything before it has been read
	tail chan []byte   // the end of what was read up to each mark
	done chan struct{} // closed when the reader has ended
}

// tailSize is how much of a command's output is kept for error messages, in bytes.
const tailSize = 64 << 10

// nopCloser is a writer that need not be closed.
type nopCloser struct{ io.Writer }

func (nopCloser) Close() error { return nil }

// newConsole copies the log to w, and closes that at the end. Its caller calls close.
func newConsole(w io.WriteCloser) (*console, error) {
	r, pipe, err := os.Pipe()
	if err != nil {
		w.Close()
		return nil, err
	}
	c := &console{pipe: pipe, mark: []byte("\x00" + rand.Text()), tail: make(chan []byte), done: make(chan struct{})}
	go c.copy(r, w)
	return c, nil
}

func (c *console) copy(r *os.File, w io.WriteCloser) {
	defer close(c.done)
	defer r.Close()
	defer w.Close()
	var pending, tail []byte
	show := func(b []byte) {
		w.Write(b) // a log that cannot be shown must not end the build
		tail = append(tail, b...)
		tail = tail[max(0, len(tail)-tailSize):]
	}
	chunk := make([]byte, 32<<10)
	for {
		n, err := r.Read(chunk)
		pending = append(pending, chunk[:n]...)
		for {
			before, after, found := bytes.Cut(pending, c.mark)
			if !found {
				break
			}
			show(before)
			c.tail <- tail
			tail, pending = nil, after
		}
		held := c.heldBack(pending)
		show(pending[:len(pending)-held])
		pending = pending[len(pending)-held:]
		if err != nil {
			show(pending)
			return
		}
	}
}

// heldBack returns how much of the end of b could be the beginning of a mark.
func (c *console) heldBack(b []byte) int {
	for n := min(len(b), len(c.mark)-1); n > 0; n-- {
		if bytes.HasSuffix(b, c.mark[:n]) {
			return n
		}
	}
	return 0
}

// sync waits until all that was written before has been shown, and returns the end of what came since the last sync.
func (c *console) sync() string {
	c.pipe.Write(c.mark)
	return string(<-c.tail)
}

// say logs a line of CodeBuild's own.
func (c *console) say(format string, args ...any) {
	fmt.Fprintf(c.pipe, "[Container] %s %s\n", time.Now().UTC().Format("2006/01/02 15:04:05.000000"), fmt.Sprintf(format, args...))
}

// blank ends the output of a command.
func (c *console) blank() { io.WriteString(c.pipe, "\n") }

// close waits until the log has been shown to its end, which nobody else may be writing to any more.
// A process that got away with the pipe does not keep it waiting for longer than a second.
func (c *console) close() {
	c.sync()
	c.pipe.Close()
	select {
	case <-c.done:
	case <-time.After(time.Second):
	}
}

// lastLines returns the end of a command's output, indented, for an error message; "" when there was none.
func lastLines(output string) string {
	const most = 20
	lines := strings.Split(strings.TrimSpace(output), "\n")
	if lines[0] == "" {
		return ""
	}
	return "\n    " + strings.Join(lines[max(0, len(lines)-most):], "\n    ")
}
