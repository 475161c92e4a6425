package rehearsal

import (
	"net/http"
	"net/http/httptest"
	"testing"
)

// TestVisitorsSeeDroppedRequests: a visitor counts what the server drops, which a client that repeats requests would not.
func TestVisitorsSeeDroppedRequests(t *testing.T) {
	server := &dropping{used: map[string]int{}}
	address := httptest.NewServer(server)
	defer address.Close()
	enough := make(chan struct{})
	answers := 0
	visitors := visit(t.Context(), plainInternet(), address.URL, func(answer) {
		if answers++; answers == 20 {
			close(enough)
		}
	})
	<-enough
	got := visitors.leave()
	server.mu.Lock()
	defer server.mu.Unlock()
	if got.failed != server.dropped || got.requests != server.seen || server.dropped < 10 {
		t.Errorf("%s; the server dropped %d of %d, want the same", got, server.dropped, server.seen)
	}
}

// TestRedirectIsAnAnswer: where a redirect leads, HTTPS or another site, is not rehearsed.
func TestRedirectIsAnAnswer(t *testing.T) {
	server := httptest.NewServer(http.RedirectHandler("https://www.example.com/", http.StatusFound))
	defer server.Close()
	if got, err := get(t.Context(), plainInternet(), server.URL); err != nil || got.status != http.StatusFound {
		t.Errorf("get() = status %d, %v, want %d", got.status, err, http.StatusFound)
	}
}
