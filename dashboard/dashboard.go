// Package dashboard is a page on this machine that shows a running stack and lets a person release, approve and go back. It
// shows what package operations reads, live, in one browser or several.
//
// Who has the address with its token may do what the AWS credentials of its process may, so only this machine can connect,
// and a page of another site can neither read it nor send forms to it.
package dashboard

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"

	"cicd/operations"
)

// refresh is how old what a page shows may be. Each look asks CodePipeline three times, which takes 5 such requests a second
// from an account.
const refresh = 2 * time.Second

// Server is the dashboard of a stack.
type Server struct {
	stack    string
	pipeline *operations.Pipeline
	listener net.Listener
	token    string

	mu    sync.Mutex
	state state // as last read
	read  time.Time
}

// Listen opens the dashboard of a stack on a port of 127.0.0.1, 0 for any.
func Listen(stack string, pipeline *operations.Pipeline, port int) (*Server, error) {
	listener, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
	if err != nil {
		return nil, fmt.Errorf("dashboard: %w", err)
	}
	return &Server{stack: stack, pipeline: pipeline, listener: listener, token: rand.Text()}, nil
}

// URL is the address that a person opens, with the token.
func (s *Server) URL() string { return "http://" + s.listener.Addr().String() + "/?token=" + s.token }

// Serve answers until ctx ends.
func (s *Server) Serve(ctx context.Context) error {
	server := &http.Server{Handler: s.guard(s.routes()), ReadHeaderTimeout: 10 * time.Second}
	defer context.AfterFunc(ctx, func() { server.Close() })()
	if err := server.Serve(s.listener); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("dashboard: %w", err)
	}
	return nil
}

func (s *Server) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", s.page)
	mux.HandleFunc("GET /log/{of}", s.page)
	mux.HandleFunc("GET /live", s.live)
	mux.HandleFunc("GET /confirm/{verb}", s.confirm)
	mux.HandleFunc("POST /do/{verb}", s.do)
	mux.Handle("GET /files/", http.FileServerFS(files))
	return mux
}
