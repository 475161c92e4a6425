package main

import (
	"context"
	"encoding/json"
	"html"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

var (
	quiet   = slog.New(slog.DiscardHandler)
	release = Release{
		Commit:  "0123456789abcdef0123456789abcdef01234567",
		Image:   "registry/app@sha256:feed",
		Started: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC),
	}
)

func TestRoutes(t *testing.T) {
	tests := []struct {
		method, path, body string
		wantStatus         int
		wantType           string
		want               []string // in the body
	}{
		{"GET", "/", "", 200, "text/html; charset=utf-8", []string{html.EscapeString(strings.TrimSpace(greeting)), release.Commit, ">0123456<", ">sha256:feed<", "2 January 2026, 03:04:05 UTC"}},
		{"GET", "/style.css", "", 200, "text/css; charset=utf-8", []string{"prefers-color-scheme: dark"}},
		{"GET", "/healthz", "", 200, "text/plain; charset=utf-8", []string{"ok"}},
		{"POST", "/echo", "what was sent", 200, "application/octet-stream", []string{"what was sent"}},
		{"POST", "/echo", strings.Repeat("x", maxEcho+1), 400, "text/plain; charset=utf-8", []string{"longer than 1 MiB"}},
		{"GET", "/echo", "", 405, "text/plain; charset=utf-8", nil},
		{"GET", "/absent", "", 404, "text/plain; charset=utf-8", nil},
	}
	handler := logRequests(quiet, newHandler(release))
	for _, tt := range tests {
		t.Run(tt.method+" "+tt.path, func(t *testing.T) {
			got := httptest.NewRecorder()
			handler.ServeHTTP(got, httptest.NewRequest(tt.method, tt.path, strings.NewReader(tt.body)))
			if got.Code != tt.wantStatus || got.Header().Get("Content-Type") != tt.wantType {
				t.Errorf("got %d, %q, want %d, %q", got.Code, got.Header().Get("Content-Type"), tt.wantStatus, tt.wantType)
			}
			for _, want := range tt.want {
				if !strings.Contains(got.Body.String(), want) {
					t.Errorf("body lacks %q:\n%.2000s", want, got.Body)
				}
			}
			if policy := got.Header().Get("Content-Security-Policy"); !strings.HasPrefix(policy, "default-src 'none'") {
				t.Errorf("Content-Security-Policy %q", policy)
			}
		})
	}
}

func TestVersion(t *testing.T) {
	got := httptest.NewRecorder()
	newHandler(release).ServeHTTP(got, httptest.NewRequest("GET", "/version", nil))
	var version Release
	if err := json.Unmarshal(got.Body.Bytes(), &version); err != nil || version != release {
		t.Errorf("version %+v (%v), want %+v", version, err, release)
	}
}

func TestPageWithoutAPipeline(t *testing.T) {
	got := httptest.NewRecorder()
	newHandler(Release{Commit: "<b>"}).ServeHTTP(got, httptest.NewRequest("GET", "/", nil))
	if body := got.Body.String(); !strings.Contains(body, "not set") || !strings.Contains(body, "&lt;b&gt;") || strings.Contains(body, "${") {
		t.Errorf("want placeholders filled, and values escaped:\n%s", body)
	}
}

// TestShutdown: after SIGTERM, a request in flight is finished, and no new one is accepted.
func TestShutdown(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	arrived, answer := make(chan struct{}), make(chan struct{})
	handler := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		close(arrived)
		<-answer
		_, _ = io.WriteString(w, "finished")
	})
	ctx, terminate := context.WithCancel(context.Background())
	stopped := make(chan error, 1)
	go func() { stopped <- serveOn(ctx, quiet, listener, handler) }()

	type result struct {
		body string
		err  error
	}
	answered := make(chan result, 1)
	go func() {
		response, err := http.Get("http://" + listener.Addr().String())
		if err != nil {
			answered <- result{err: err}
			return
		}
		defer response.Body.Close()
		body, err := io.ReadAll(response.Body)
		answered <- result{string(body), err}
	}()
	<-arrived
	terminate()
	for { // until the listener is closed
		conn, err := net.Dial("tcp", listener.Addr().String())
		if err != nil {
			break
		}
		conn.Close()
	}
	select {
	case err := <-stopped:
		t.Fatalf("stopped with a request in flight: %v", err)
	default:
	}
	close(answer)
	if got := <-answered; got.body != "finished" || got.err != nil {
		t.Errorf("answer %q, %v, want the whole of it", got.body, got.err)
	}
	if err := <-stopped; err != nil {
		t.Errorf("stopped with %v, want no error", err)
	}
}

func TestShutdownGrace(t *testing.T) {
	if shutdownGrace < 10*time.Second || shutdownGrace >= 30*time.Second {
		t.Errorf("shutdownGrace = %s, want at least 10 s, and less than the 30 s after which the host kills", shutdownGrace)
	}
}

func TestRun(t *testing.T) {
	server := httptest.NewServer(newHandler(release))
	defer server.Close()
	_, healthy, _ := net.SplitHostPort(server.Listener.Addr().String())
	failing := httptest.NewServer(http.NotFoundHandler())
	defer failing.Close()
	_, sick, _ := net.SplitHostPort(failing.Listener.Addr().String())

	tests := []struct {
		name string
		args []string
		port string
		want int
	}{
		{"healthy", []string{"healthcheck"}, healthy, 0},
		{"not healthy", []string{"healthcheck"}, sick, 1},
		{"unknown command", []string{"health"}, "", exitUsage},
		{"port that is not a number", nil, "http", exitUsage},
		{"port out of range", nil, "65536", exitUsage},
		{"port that is taken", nil, healthy, 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			getenv := func(name string) string { return map[string]string{"PORT": tt.port}[name] }
			if got := run(context.Background(), tt.args, getenv); got != tt.want {
				t.Errorf("exit code %d, want %d", got, tt.want)
			}
		})
	}
}
