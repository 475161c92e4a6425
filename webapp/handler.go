package main

import (
	"cmp"
	_ "embed"
	"encoding/json"
	"html"
	"io"
	"log/slog"
	"net/http"
	"os"
	"strings"
	"time"
)

// greeting is the first line of the page. To change it, edit greeting.txt.
//
//go:embed greeting.txt
var greeting string

//go:embed page/index.html
var page string

//go:embed page/style.css
var styleSheet []byte

// maxEcho is the longest body that /echo accepts, in bytes.
const maxEcho = 1 << 20

// Release is the running release. Commit and Image are empty outside the pipeline.
type Release struct {
	Commit  string    `json:"commit"`
	Image   string    `json:"image"`
	Started time.Time `json:"started"`
}

// newHandler returns the application's routes.
func newHandler(release Release) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", servePage(release))
	mux.HandleFunc("GET /style.css", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/css; charset=utf-8")
		_, _ = w.Write(styleSheet) // a client that has gone is not our failure
	})
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "ok\n")
	})
	mux.HandleFunc("GET /version", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(release)
	})
	mux.HandleFunc("POST /echo", echo)
	return secure(mux)
}

// servePage answers with the page. It is rendered once, because nothing on it changes while the process lives. This code
// fills in its ${names}: html/template alone would add 2 MB to an image of 7.
func servePage(release Release) http.HandlerFunc {
	_, digest, _ := strings.Cut(release.Image, "@")
	values := map[string]string{
		"Greeting": strings.TrimSpace(greeting),
		"Short":    cmp.Or(release.Commit[:min(7, len(release.Commit))], "local"),
		"Commit":   cmp.Or(release.Commit, "not set"),
		"Digest":   cmp.Or(digest, "not set"),
		"Started":  release.Started.Format("2 January 2006, 15:04:05 UTC"),
		"Machine":  release.Started.Format(time.RFC3339),
	}
	rendered := os.Expand(page, func(name string) string { return html.EscapeString(values[name]) })
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = io.WriteString(w, rendered)
	}
}

// echo answers with the request's body: a request with something to lose, for testing a release under load.
func echo(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxEcho))
	if err != nil {
		http.Error(w, "the body is longer than 1 MiB or was cut off", http.StatusBadRequest)
		return
	}
	w.Header().Set("Content-Type", "application/octet-stream")
	_, _ = w.Write(body)
}

// secure sets the headers of every answer. Nothing may be cached: a page must never show a release that is gone.
func secure(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		header := w.Header()
		header.Set("Cache-Control", "no-store")
		header.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
		header.Set("Referrer-Policy", "no-referrer")
		header.Set("X-Content-Type-Options", "nosniff")
		next.ServeHTTP(w, r)
	})
}

// logRequests logs all requests except health checks, which come every few seconds and say nothing.
func logRequests(log *slog.Logger, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/healthz" {
			next.ServeHTTP(w, r)
			return
		}
		started := time.Now()
		recorder := &statusRecorder{ResponseWriter: w, status: http.StatusOK}
		next.ServeHTTP(recorder, r)
		log.Info("request", "method", r.Method, "path", r.URL.Path, "status", recorder.status,
			"duration_ms", time.Since(started).Milliseconds())
	})
}

// statusRecorder records the status of an answer.
type statusRecorder struct {
	http.ResponseWriter
	status int
}

func (s *statusRecorder) WriteHeader(status int) {
	s.status = status
	s.ResponseWriter.WriteHeader(status)
}
