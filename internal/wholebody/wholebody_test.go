package wholebody

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"strings"
	"testing"
)

// late stands for net/http's transport when it is slow: it has sent the question, and looks for the end of the request's body
// only while it receives the answer. If it cannot read the body, it closes the connection.
type late struct {
	request *http.Request
	begun   bool
}

func (l *late) RoundTrip(r *http.Request) (*http.Response, error) {
	if _, err := io.ReadFull(r.Body, make([]byte, len(question))); err != nil {
		return nil, err
	}
	return &http.Response{StatusCode: http.StatusOK, Body: &late{request: r}, ContentLength: -1, Request: r}, nil
}

// Read returns more than the server keeps back, and then the end, or what is wrong with the request.
func (l *late) Read(p []byte) (int, error) {
	if l.begun {
		_, err := l.request.Body.Read(make([]byte, 1))
		return 0, err
	}
	l.begun = true
	return copy(p, strings.Repeat("x", answer)), nil
}

func (l *late) Close() error { return nil }

const (
	question = "question"
	answer   = 20_000 // in bytes
)

// TestAnswersAreWhole: an answer that begins before the transport has seen the end of the request's body is not cut short.
func TestAnswersAreWhole(t *testing.T) {
	proxy := httptest.NewServer(First(&httputil.ReverseProxy{Rewrite: func(*httputil.ProxyRequest) {}, Transport: &late{}}))
	defer proxy.Close()
	response, err := http.Post(proxy.URL, "text/plain", strings.NewReader(question))
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if got, err := io.ReadAll(response.Body); err != nil || len(got) != answer {
		t.Errorf("got %d bytes, %v, want %d", len(got), err, answer)
	}
}
