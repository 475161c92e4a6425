package deployscripts_test

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"cicd/internal/sendonce"
	"cicd/rehearsal/acme"
)

// load sends requests without pause until it is stopped.
type load struct {
	done         chan struct{}
	wg           sync.WaitGroup
	sent, failed atomic.Int64
	first        atomic.Value // the first failure
}

// site is where the load goes.
type site struct {
	url string // without a path
	// dial opens a connection for HTTP/1.1, and transport makes a client's, for HTTP/1.1 or HTTP/2 alone.
	dial      func(context.Context) (net.Conn, error)
	transport func(http2 bool) *http.Transport
}

func (s site) host() string {
	_, host, _ := strings.Cut(s.url, "://")
	return host
}

// plain is the host's port 80.
func (h *host) plain() site {
	return site{
		url:  "http://" + h.edge,
		dial: func(ctx context.Context) (net.Conn, error) { return h.dial(ctx, 80) },
		transport: func(http2 bool) *http.Transport {
			transport := &http.Transport{Protocols: new(http.Protocols)}
			transport.Protocols.SetHTTP1(!http2)
			transport.Protocols.SetUnencryptedHTTP2(http2)
			return transport
		},
	}
}

// secure is the domain, at the host's port 443.
func (h *host) secure(ca *acme.Authority) site {
	trust := &tls.Config{RootCAs: ca.Roots(), ServerName: domain}
	return site{
		url: "https://" + domain,
		dial: func(ctx context.Context) (net.Conn, error) {
			return (&tls.Dialer{Config: trust}).DialContext(ctx, "tcp", h.edgeTLS)
		},
		transport: func(http2 bool) *http.Transport {
			transport := &http.Transport{
				Protocols: new(http.Protocols), TLSClientConfig: trust.Clone(),
				DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) { return h.dial(ctx, 443) },
			}
			transport.Protocols.SetHTTP1(!http2)
			transport.Protocols.SetHTTP2(http2)
			return transport
		},
	}
}

// startLoad starts 16 busy clients with kept-alive connections, half of them sending bodies, some with requests of 3 s, and
// one with a stream of each kind. Each has its own connection: in a shared pool, some would be idle for long.
func startLoad(to site, slow int) *load {
	l := &load{done: make(chan struct{})}
	for kind := range streams {
		l.wg.Go(func() {
			ended, err := converse(kind, to, l.done)
			if err == nil && ended == 0 {
				err = fmt.Errorf("%s: no release has ended the stream", kind)
			}
			if err != nil {
				l.fail(err)
			}
		})
	}
	for i := range 16 + slow {
		l.wg.Add(1)
		go func() {
			defer l.wg.Done()
			client := &http.Client{Transport: sendonce.Transport{Transport: to.transport(false)}, Timeout: 20 * time.Second}
			defer client.CloseIdleConnections()
			for {
				select {
				case <-l.done:
					return
				default:
				}
				var body io.Reader
				method := http.MethodGet
				switch {
				case i >= 16:
					method, body = http.MethodPost, &slowBody{pieces: 6}
				case i%2 == 1:
					method, body = http.MethodPost, strings.NewReader(strings.Repeat("x", 2000))
				}
				l.send(client, method, to.url+"/", body)
			}
		}()
	}
	return l
}

func (l *load) send(client *http.Client, method, url string, body io.Reader) {
	l.sent.Add(1)
	request, err := http.NewRequest(method, url, body)
	var response *http.Response
	if err == nil {
		response, err = client.Do(request)
	}
	if err == nil {
		_, err = io.Copy(io.Discard, response.Body)
		response.Body.Close()
		if err == nil && response.StatusCode != http.StatusOK {
			err = fmt.Errorf("%s: %s", method, response.Status)
		}
	}
	if err != nil {
		l.fail(err)
	}
}

func (l *load) fail(err error) {
	if l.failed.Add(1) == 1 {
		l.first.Store(err.Error())
	}
}

// stop ends the load and reports failures.
func (l *load) stop(h *host) {
	t := h.t
	t.Helper()
	close(l.done)
	l.wg.Wait()
	t.Logf("%d requests, %d failed", l.sent.Load(), l.failed.Load())
	if l.failed.Load() > 0 || l.sent.Load() < 100 {
		t.Errorf("%d of %d requests failed, want 0 of many; first: %v", l.failed.Load(), l.sent.Load(), l.first.Load())
		t.Logf("the edge says:\n%s", docker(t, "container logs --tail 5 "+h.app+"-edge"))
	}
}

// slowBody is a request body of one byte every 500 ms.
type slowBody struct{ pieces int }

func (s *slowBody) Read(p []byte) (int, error) {
	if s.pieces == 0 {
		return 0, io.EOF
	}
	s.pieces--
	time.Sleep(500 * time.Millisecond)
	return copy(p, "x"), nil
}
