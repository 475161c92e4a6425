package sendonce

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
)

// droppingServer answers the first request of each connection and drops the connection at the second. It counts the
// requests that it has dropped.
func droppingServer(t *testing.T) (url string, dropped *atomic.Int64) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	dropped = new(atomic.Int64)
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				requests := bufio.NewReader(conn)
				for answered := false; ; answered = true {
					r, err := http.ReadRequest(requests)
					if err != nil {
						return
					}
					io.Copy(io.Discard, r.Body)
					if answered {
						dropped.Add(1)
						return
					}
					io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
				}
			}()
		}
	}()
	return "http://" + listener.Addr().String(), dropped
}

// TestDroppedRequestsAreSeen: each request that the server drops is an error here. The plain transport shows that the server
// does what it is for: it repeats what was dropped, and sees no error.
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
			url, dropped := droppingServer(t)
			plain := &http.Transport{}
			defer plain.CloseIdleConnections()
			client := &http.Client{Transport: tt.client(plain)}
			var failed int64
			for range requests {
				r, err := http.NewRequestWithContext(t.Context(), tt.method, url, strings.NewReader(tt.body))
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
			if dropped.Load() < requests/2 {
				t.Fatalf("the server dropped %d of %d requests, want half of them at least", dropped.Load(), requests)
			}
			if want := map[bool]int64{true: dropped.Load()}[tt.sees]; failed != want {
				t.Errorf("the server dropped %d requests and the client saw %d failures, want %d", dropped.Load(), failed, want)
			}
		})
	}
}

// TestRequestIsAsSent: no request gets a body, or loses its own, and the caller's request stays as it is.
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
