package world

import (
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"

	"cicd/internal/sendonce/sendoncetest"

	"cicd/internal/sendonce"
)

// plainInternet is the rehearsal's internet, but with connections to the given address itself.
func plainInternet() *http.Client {
	client := new(cloud).internet()
	client.Transport.(sendonce.Transport).DialContext = (&net.Dialer{}).DialContext
	return client
}

// TestVisitorsSeeDroppedRequests: a visitor counts every request that the server drops; a client that retries would not.
func TestVisitorsSeeDroppedRequests(t *testing.T) {
	server := sendoncetest.NewServer(t)
	enough := make(chan struct{})
	answers := 0
	visitors := visit(t.Context(), plainInternet(), server.URL, func(Answer) {
		if answers++; answers == 20 {
			close(enough)
		}
	})
	<-enough
	got := visitors.Leave()
	if seen, dropped := server.Counts(); got.Failed != dropped || got.Requests != seen || dropped < 10 {
		t.Errorf("%s; the server dropped %d of %d, want the same", got, dropped, seen)
	}
}

// TestRedirectIsAnAnswer: clients do not follow redirects, whose targets, HTTPS or another site, are not rehearsed.
func TestRedirectIsAnAnswer(t *testing.T) {
	server := httptest.NewServer(http.RedirectHandler("https://www.example.com/", http.StatusFound))
	defer server.Close()
	if got, err := Get(t.Context(), plainInternet(), server.URL); err != nil || got.status != http.StatusFound {
		t.Errorf("get() = status %d, %v, want %d", got.status, err, http.StatusFound)
	}
}

// TestServerErrorThatIsTheApplicationsOwn: what the application answers from the start is no lost request.
func TestServerErrorThatIsTheApplicationsOwn(t *testing.T) {
	lost := errors.New("connection reset")
	for name, tt := range map[string]struct {
		statuses []int // 0 for no answer
		failed   int
	}{
		"never":                {[]int{200, 404, 302}, 0},
		"at all times":         {[]int{500, 500, 500}, 0},
		"after a lost request": {[]int{0, 500, 500}, 1},
		"now and then":         {[]int{200, 500, 200}, 1},
		"others":               {[]int{500, 502, 500, 0}, 2},
	} {
		var count Visits
		for _, status := range tt.statuses {
			if status == 0 {
				count.add(Answer{}, lost)
			} else {
				count.add(Answer{status: status}, nil)
			}
		}
		if count.Failed != tt.failed || count.Requests != len(tt.statuses) {
			t.Errorf("%s: %s, want %d", name, count, tt.failed)
		}
	}
}
