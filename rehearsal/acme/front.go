package acme

import (
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httputil"
	"sync"
	"time"

	"cicd/internal/wholebody"
)

// Fault answers a request instead of the authority, and returns whether it has.
type Fault func(w http.ResponseWriter, r *http.Request) bool

// Away ends every connection without an answer.
func Away(http.ResponseWriter, *http.Request) bool { panic(http.ErrAbortHandler) }

// RateLimited refuses every order, as Let's Encrypt does when a domain has had its five certificates of the week
// (letsencrypt.org, "Rate Limits"; RFC 8555, section 6.6). Pebble has no such limits.
func RateLimited(w http.ResponseWriter, r *http.Request) bool {
	if r.URL.Path != newOrderPath {
		return false
	}
	after := 34 * time.Hour
	w.Header().Set("Content-Type", "application/problem+json")
	w.Header().Set("Retry-After", fmt.Sprint(int(after.Seconds())))
	w.WriteHeader(http.StatusTooManyRequests)
	_ = json.NewEncoder(w).Encode(map[string]any{
		"type":   "urn:ietf:params:acme:error:rateLimited",
		"status": http.StatusTooManyRequests,
		"detail": fmt.Sprintf("too many certificates (5) already issued for this exact set of identifiers in the last 168h0m0s, retry after %s: see https://letsencrypt.org/docs/rate-limits/",
			time.Now().Add(after).UTC().Format("2006-01-02 15:04:05 MST")),
	})
	return true
}

// newOrderPath is where Pebble takes orders (wfe.go).
const newOrderPath = "/order-plz"

// front is where containers reach the authority. It passes requests on to Pebble, unless a fault takes them.
type front struct {
	port   string
	server *http.Server
	served chan error

	mu    sync.Mutex
	fault Fault
}

// serveFront serves the API of a Pebble on an address of this machine.
func serveFront(listen, pebble string, k *keys) (*front, error) {
	certificate, err := tls.LoadX509KeyPair(k.certificate, k.key)
	if err != nil {
		return nil, err
	}
	listener, err := net.Listen("tcp", net.JoinHostPort(listen, "0"))
	if err != nil {
		return nil, err
	}
	f := &front{port: portOf(listener), served: make(chan error, 1)}
	proxy := &httputil.ReverseProxy{
		// Host stays what the client has signed: Pebble compares them (wfe.go, validPOST).
		Rewrite: func(r *httputil.ProxyRequest) {
			r.Out.URL.Scheme, r.Out.URL.Host = "https", pebble
		},
		Transport: &http.Transport{Proxy: nil, TLSClientConfig: &tls.Config{RootCAs: k.pool}},
		ErrorLog:  log.New(io.Discard, "", 0), // a Pebble that is being restarted
	}
	f.server = &http.Server{
		Handler: wholebody.First(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if fault := f.currentFault(); fault == nil || !fault(w, r) {
				proxy.ServeHTTP(w, r)
			}
		})),
		// Without HTTP/2, where a fault would end a stream, and not the connection.
		TLSNextProto:      map[string]func(*http.Server, *tls.Conn, http.Handler){},
		TLSConfig:         &tls.Config{Certificates: []tls.Certificate{certificate}},
		ReadHeaderTimeout: time.Minute,
		ErrorLog:          log.New(io.Discard, "", 0),
	}
	go func() { f.served <- f.server.ServeTLS(listener, "", "") }()
	return f, nil
}

func (f *front) setFault(fault Fault) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.fault = fault
}

func (f *front) currentFault() Fault {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.fault
}

func (f *front) close() error {
	err := f.server.Close()
	if served := <-f.served; !errors.Is(served, http.ErrServerClosed) {
		err = errors.Join(err, served)
	}
	return err
}
