package main

import (
	"context"
	"errors"
	"io"
	"os"
	"os/signal"
	"syscall"
)

// interruptible returns a context that ends when a person, a closed terminal or CI asks the process to end, or when
// nobody reads its output any more (`cicd up | head`), so that a running operation can end cleanly. Output must go to
// the writers that it returns.
func interruptible() (ctx context.Context, stdout, stderr io.Writer, stop func()) {
	var asked []os.Signal
	for _, s := range []os.Signal{os.Interrupt, syscall.SIGTERM, syscall.SIGHUP} {
		if !signal.Ignored(s) { // as SIGHUP is under nohup
			asked = append(asked, s)
		}
	}
	ctx, cancel := signal.NotifyContext(context.Background(), asked...)
	// While a channel is registered for it, SIGPIPE does not end the process; the write fails with EPIPE instead. Broken
	// connections cause it too, so only the failed write counts. Ignoring the signal is no alternative: every command that
	// this process runs would inherit that.
	pipes := make(chan os.Signal, 1)
	signal.Notify(pipes, syscall.SIGPIPE)
	stop = func() {
		signal.Stop(pipes)
		cancel()
	}
	return ctx, pipe{os.Stdout, cancel}, pipe{os.Stderr, cancel}, stop
}

// pipe calls broken once nobody reads what is written.
type pipe struct {
	io.Writer
	broken func()
}

func (p pipe) Write(b []byte) (int, error) {
	n, err := p.Writer.Write(b)
	if errors.Is(err, syscall.EPIPE) {
		p.broken()
	}
	return n, err
}
