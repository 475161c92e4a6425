package acme

import (
	"context"
	"errors"
	"io"
	"net"
	"sync"
)

// relay is a port of the loopback interface that stands for the same port of the domain's address.
type relay struct {
	port     string
	listener net.Listener
	connect  func(ctx context.Context) (net.Conn, error)
	stop     context.CancelFunc
	group    sync.WaitGroup
}

func newRelay(connect func(ctx context.Context) (net.Conn, error)) (*relay, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	ctx, stop := context.WithCancel(context.Background())
	r := &relay{port: portOf(listener), listener: listener, connect: connect, stop: stop}
	r.group.Go(func() { r.serve(ctx) })
	return r, nil
}

func (r *relay) serve(ctx context.Context) {
	for {
		from, err := r.listener.Accept()
		if err != nil {
			return // it is closed
		}
		r.group.Go(func() {
			defer from.Close()
			defer context.AfterFunc(ctx, func() { from.Close() })()
			r.pass(ctx, from)
		})
	}
}

// pass passes on what a connection carries, in both directions. If the address cannot be reached, nobody answers, as
// where a firewall drops packets, until the client has had enough.
func (r *relay) pass(ctx context.Context, from net.Conn) {
	to, err := r.connect(ctx)
	if err != nil {
		_, _ = io.Copy(io.Discard, from)
		return
	}
	defer to.Close()
	defer context.AfterFunc(ctx, func() { to.Close() })()
	done := make(chan struct{})
	go func() {
		defer close(done)
		copyHalf(to, from)
	}()
	copyHalf(from, to)
	<-done
}

// copyHalf copies one direction of a connection, then ends it. An error ends it as well.
func copyHalf(to, from net.Conn) {
	_, _ = io.Copy(to, from)
	if half, ok := to.(*net.TCPConn); ok {
		_ = half.CloseWrite()
	}
}

func (r *relay) close() error {
	r.stop()
	err := r.listener.Close()
	r.group.Wait()
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}
