// Package dashboard is a page on this machine that shows a running stack and lets a person release, approve and go back. It
// shows what package operations reads, live, in one browser or several.
//
// Who has the address with its token may do what the AWS credentials of its process may, so only this machine can connect,
// and a page of another site can neither read it nor send forms to it. Browsers send cookies to all ports of an address; the
// pages are below a path that nobody can guess, so that the cookie with the token goes to this server alone.
package dashboard

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"html/template"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"cicd/operations"
)

const (
	// refresh is how old what a page shows may be. Each look asks CodePipeline three or four times, which takes 5 such requests a
	// second from an account.
	refresh = 2 * time.Second
	// pathLength is how many letters are in the path that nobody guesses: 60 bits, and the address fits a terminal.
	pathLength = 12
	// patience is how long a look may take.
	patience = 10 * time.Second
)

// Server is the dashboard of a stack.
type Server struct {
	stack    string
	pipeline *operations.Pipeline
	listener net.Listener
	// base is the path of the first page, with a slash at its end, and token what opens it.
	base, token string
	pages       *template.Template

	mu    sync.Mutex
	state state // as last read
	read  time.Time
	logs  map[string]logRead // by the name of the log
	app   *operations.AppTail
}

// Listen opens the dashboard of a stack on a port of 127.0.0.1, 0 for any.
func Listen(stack string, pipeline *operations.Pipeline, port int) (*Server, error) {
	listener, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
	if err != nil {
		return nil, fmt.Errorf("dashboard: %w", err)
	}
	s := &Server{stack: stack, pipeline: pipeline, listener: listener, base: "/" + rand.Text()[:pathLength] + "/", token: rand.Text(), logs: map[string]logRead{}}
	s.pages = template.Must(template.New("").Funcs(s.words()).Parse(pagesText))
	return s, nil
}

// URL is the address that a person opens, with the token.
func (s *Server) URL() string {
	return "http://" + s.listener.Addr().String() + s.base + "?token=" + s.token
}

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
	return http.StripPrefix(strings.TrimSuffix(s.base, "/"), mux)
}
