// Package sendoncetest has a server that drops requests, to test what counts them.
package sendoncetest

import (
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
)

// Server drops the second request of each connection without a response, like a server that closes a kept-alive
// connection just when a request arrives.
type Server struct {
	URL string

	mu            sync.Mutex
	seen, dropped int
	used          map[string]int // requests by client address
}

// NewServer starts a server that runs until the test ends.
func NewServer(t *testing.T) *Server {
	t.Helper()
	s := &Server{used: map[string]int{}}
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	s.URL = server.URL
	return s
}

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(_ http.ResponseWriter, r *http.Request) {
	io.Copy(io.Discard, r.Body)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.seen++
	s.used[r.RemoteAddr]++
	if s.used[r.RemoteAddr] == 2 {
		s.dropped++
		panic(http.ErrAbortHandler)
	}
}

// Counts returns how many requests arrived, and how many of them were dropped.
func (s *Server) Counts() (seen, dropped int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.seen, s.dropped
}
