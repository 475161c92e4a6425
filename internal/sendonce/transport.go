// Package sendonce has the HTTP transport of everything that counts lost requests: a rehearsal's visitors, its load
// generator, and the load test of the deployment scripts.
package sendonce

import (
	"io"
	"net/http"
	"strings"
)

// Transport is an http.Transport that sends each request once.
//
// A plain http.Transport silently resends some requests if a kept-alive connection ends before the response
// (persistConn.shouldRetryRequest in net/http): those without a body, or with one that GetBody can recreate. That
// hides exactly the failures being counted. So every request gets a body, possibly empty, that cannot be recreated.
type Transport struct{ *http.Transport }

// RoundTrip implements http.RoundTripper.
func (t Transport) RoundTrip(r *http.Request) (*http.Response, error) {
	once := r.WithContext(r.Context()) // a RoundTripper must not change the request itself
	once.GetBody = nil
	if once.Body == nil || once.Body == http.NoBody {
		once.Body = io.NopCloser(strings.NewReader(""))
	}
	return t.Transport.RoundTrip(once)
}
