// Package wholebody makes net/http/httputil's ReverseProxy safe for requests with a body.
package wholebody

import (
	"bytes"
	"io"
	"net/http"
)

// First reads the body of each request before next gets it. Otherwise a proxy that passes requests on would sometimes cut
// their answers short: the server closes the body once the answer begins (net/http, server.go, writeHeader), while the
// transport may still look for its end; then it finds an error, and closes the connection on which the answer comes
// (transport.go, writeLoop).
func First(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			panic(http.ErrAbortHandler) // the client is gone
		}
		r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
		if len(body) == 0 {
			r.Body = http.NoBody
		}
		next.ServeHTTP(w, r)
	})
}
