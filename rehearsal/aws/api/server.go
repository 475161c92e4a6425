package api

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"
)

// closeGrace is how long Close waits for requests in progress. Shutdown alone would wait up to five seconds for a
// connection that a client opened but has not used yet.
const closeGrace = 2 * time.Second

// Server is a handler on its own port.
type Server struct {
	// URL is its address, such as "http://127.0.0.1:40123", without a trailing slash.
	URL string

	http *http.Server
	done chan error
}

// Serve starts serving on a free port of the loopback interface, which other machines cannot reach.
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

// Close stops serving. Requests in progress have 2 seconds to finish; then their connections are closed.
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
