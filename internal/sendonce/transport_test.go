package sendonce

import (
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"cicd/internal/sendonce/sendoncetest"
)

// TestDroppedRequestsAreSeen: each request that the server drops is an error here. The plain transport shows that the
// server works: it resends what was dropped, and sees no error.
func TestDroppedRequestsAreSeen(t *testing.T) {
	const requests = 20
	tests := []struct {
		name         string
		client       func(*http.Transport) http.RoundTripper
		method, body string
		sees         bool
	}{
		{"plain GET", func(t *http.Transport) http.RoundTripper { return t }, http.MethodGet, "", false},
		{"GET", func(t *http.Transport) http.RoundTripper { return Transport{t} }, http.MethodGet, "", true},
		{"HEAD", func(t *http.Transport) http.RoundTripper { return Transport{t} }, http.MethodHead, "", true},
		{"PUT with a body", func(t *http.Transport) http.RoundTripper { return Transport{t} }, http.MethodPut, "body", true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			server := sendoncetest.NewServer(t)
			plain := &http.Transport{}
			defer plain.CloseIdleConnections()
			client := &http.Client{Transport: tt.client(plain)}
			var failed int
			for range requests {
				r, err := http.NewRequestWithContext(t.Context(), tt.method, server.URL, strings.NewReader(tt.body))
				if err != nil {
					t.Fatal(err)
				}
				answer, err := client.Do(r)
				if err != nil {
					failed++
					continue
				}
				io.Copy(io.Discard, answer.Body)
				answer.Body.Close()
			}
			seen, dropped := server.Counts()
			if dropped < requests/2 {
				t.Fatalf("the server dropped %d of %d requests, want half of them at least", dropped, seen)
			}
			if want := map[bool]int{true: dropped}[tt.sees]; failed != want {
				t.Errorf("the server dropped %d requests and the client saw %d failures, want %d", dropped, failed, want)
			}
		})
	}
}

// TestRequestIsAsSent: no request gains or loses a body, and the caller's request stays unchanged.
func TestRequestIsAsSent(t *testing.T) {
	var got string
	var length int64
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		got, length = string(body), r.ContentLength
	})}
	go server.Serve(listener)
	defer server.Close()
	client := &http.Client{Transport: Transport{&http.Transport{}}}
	defer client.CloseIdleConnections()
	for method, body := range map[string]string{http.MethodGet: "", http.MethodPost: "hello"} {
		r, err := http.NewRequestWithContext(t.Context(), method, "http://"+listener.Addr().String(), strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		before := r.Body
		answer, err := client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		answer.Body.Close()
		if got != body || length != int64(len(body)) {
			t.Errorf("%s: the server got %q of length %d, want %q", method, got, length, body)
		}
		if r.Body != before {
			t.Errorf("%s: the caller's request was changed", method)
		}
	}
}
