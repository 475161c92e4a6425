package api

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"
)

// closeGrace is how long Close lets requests that are under way finish. Shutdown alone would wait up to five seconds
// for a connection that a client has opened ahead of its need.
const closeGrace = 2 * time.Second

// Server is a handler on a port of its own.
type Server struct {
	// URL is where it answers, such as "http://127.0.0.1:40123", without a slash at the end.
	URL string

	http *http.Server
	done chan error
}

// Serve starts to answer on a free port of the loopback interface, which nobody outside this machine can reach.
func Serve(h http.Handler) (*Server, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("endpoint: %w", err)
	}
	s := &Server{
		URL:  "http://" + listener.Addr().String(),
		http: &http.Server{Handler: h, ReadHeaderTimeout: time.Minute},
		done: make(chan error, 1),
	}
	go func() { s.done <- s.http.Serve(listener) }()
	return s, nil
}

// Close stops answering. Requests under way have 2 seconds to finish; then their connections are cut.
func (s *Server) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), closeGrace)
	defer cancel()
	err := s.http.Shutdown(ctx)
	if errors.Is(err, context.DeadlineExceeded) {
		err = s.http.Close()
	}
	if served := <-s.done; !errors.Is(served, http.ErrServerClosed) {
		err = errors.Join(err, served)
	}
	if err != nil {
		return fmt.Errorf("endpoint %s: %w", s.URL, err)
	}
	return nil
}
