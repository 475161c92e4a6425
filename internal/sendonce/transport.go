// Package sendonce has the HTTP transport of everything that counts lost requests: the visitors of a rehearsal, its load
// generator, and the load test of the deployment scripts.
package sendonce

import (
	"io"
	"net/http"
	"strings"
)

// Transport is an http.Transport that sends each request once.
//
// A plain http.Transport silently sends some requests a second time, when a kept connection ends before the answer
// (persistConn.shouldRetryRequest in net/http): those without a body, or with one that GetBody brings back. That hides
// exactly the failures that a count is for. So every request gets a body, empty if need be, that cannot be brought back.
type Transport struct{ *http.Transport }

// RoundTrip implements http.RoundTripper.
func (t Transport) RoundTrip(r *http.Request) (*http.Response, error) {
	once := r.WithContext(r.Context()) // a RoundTripper may not change the request itself
	once.GetBody = nil
	if once.Body == nil || once.Body == http.NoBody {
		once.Body = io.NopCloser(strings.NewReader(""))
	}
	return t.Transport.RoundTrip(once)
}
