package codebuild

import (
	"bytes"
	"crypto/rand"
	"fmt"
	"io"
	"os"
	"strings"
	"sync/atomic"
	"time"
)

// logPipe carries the build's log: the commands' output and CodeBuild's own lines, in the order in which they were
// written, because all of it goes through one pipe.
type logPipe struct {
	pipe *os.File      // what commands write to
	mark []byte        // written to the pipe to learn when everything before it has been read
	tail chan []byte   // the end of what was read up to each mark
	done chan struct{} // closed when the reader has ended

	masking atomic.Pointer[masking]
}

// tailSize is how much of a command's output is kept for error messages, in bytes.
const tailSize = 64 << 10

// nopCloser is a writer that need not be closed.
type nopCloser struct{ io.Writer }

func (nopCloser) Close() error { return nil }

// newLogPipe copies the log to w, and closes w at the end. The caller must call close.
func newLogPipe(w io.WriteCloser) (*logPipe, error) {
	r, pipe, err := os.Pipe()
	if err != nil {
		w.Close()
		return nil, err
	}
	p := &logPipe{pipe: pipe, mark: []byte("\x00" + rand.Text()), tail: make(chan []byte), done: make(chan struct{})}
	go p.copy(r, w)
	return p, nil
}

func (p *logPipe) copy(r *os.File, w io.WriteCloser) {
	defer close(p.done)
	defer r.Close()
	defer w.Close()
	var pending, tail []byte
	show := func(b []byte) {
		b = p.masking.Load().apply(b)
		w.Write(b) // a log that cannot be shown must not end the build
		tail = append(tail, b...)
		tail = tail[max(0, len(tail)-tailSize):]
	}
	chunk := make([]byte, 32<<10)
	for {
		n, err := r.Read(chunk)
		pending = append(pending, chunk[:n]...)
		for {
			before, after, found := bytes.Cut(pending, p.mark)
			if !found {
				break
			}
			show(before)
			p.tail <- tail
			tail, pending = nil, after
		}
		held := max(beginningAtEnd(pending, p.mark), p.masking.Load().heldBack(pending))
		show(pending[:len(pending)-held])
		pending = pending[len(pending)-held:]
		if err != nil {
			show(pending)
			return
		}
	}
}

// hide masks values in everything that is written from now on.
func (p *logPipe) hide(values []string) { p.masking.Store(newMasking(values)) }

// sync waits until everything written before has been shown, and returns the end of what came since the last sync.
func (p *logPipe) sync() string {
	p.pipe.Write(p.mark)
	return string(<-p.tail)
}

// say logs one of CodeBuild's own lines.
func (p *logPipe) say(format string, args ...any) {
	fmt.Fprintf(p.pipe, "[Container] %s %s\n", time.Now().UTC().Format("2006/01/02 15:04:05.000000"), fmt.Sprintf(format, args...))
}

// blank ends the output of a command.
func (p *logPipe) blank() { io.WriteString(p.pipe, "\n") }

// close waits until all of the log has been shown. Nobody else may be writing to it any more. A process that escaped
// with the pipe delays it by at most a second.
func (p *logPipe) close() {
	p.sync()
	p.pipe.Close()
	select {
	case <-p.done:
	case <-time.After(time.Second):
	}
}

// lastLines returns the end of a command's output, indented, for an error message, or "" if there is none.
func lastLines(output string) string {
	const most = 20
	lines := strings.Split(strings.TrimSpace(output), "\n")
	if lines[0] == "" {
		return ""
	}
	return "\n    " + strings.Join(lines[max(0, len(lines)-most):], "\n    ")
}
