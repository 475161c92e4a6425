package load

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"

	vegeta "github.com/tsenart/vegeta/v12/lib"
)

const (
	// connectionCount is how many connections carry the load. All are kept alive and in use.
	connectionCount = 50

	// requestRate is the number of requests per second over all connections. It is fixed and independent of answers, like
	// the visitors of a site: a load that waits for each answer before the next request would itself pause when the
	// application pauses, and so miss exactly that. It is about a tenth of what the edge can do on two cores, because this
	// machine also runs the builds, which have their own machine in AWS: the load is to measure the release, and not what
	// is left of a machine at its limit.
	requestRate = 200

	// bodySize is the size of each POST's body in bytes: more than a proxy reads at once.
	bodySize = 64 << 10
)

// generator sends GET and POST requests alternately to a URL, on connections that it keeps from one run to the next.
// It works with any HTTP server: every status below 500 is an answer, and so is a server error that the application
// answers with at all times.
type generator struct {
	client  *http.Client
	targets []vegeta.Target
	usual   map[string]uint16 // by method, see learn
}

// newGenerator makes a generator like the clients from internet, with a connection of one each. POST requests go to
// /echo, where the embedded application accepts bodies; another application may answer 404 or 405.
func newGenerator(internet func() *http.Client, url string) *generator {
	pool := make(connectionPool, connectionCount)
	for range cap(pool) {
		pool <- internet().Transport
	}
	client := internet()
	client.Transport = pool
	return &generator{
		client: client,
		targets: []vegeta.Target{
			{Method: http.MethodGet, URL: url},
			{
				Method: http.MethodPost, URL: url + "/echo",
				Header: http.Header{"Content-Type": {"application/octet-stream"}},
				Body:   bytes.Repeat([]byte("load"), bodySize/4),
			},
		},
	}
}

// learn sends each request once, and remembers the server errors.
func (g *generator) learn(ctx context.Context) error {
	g.usual = map[string]uint16{}
	for _, target := range g.targets {
		request, err := target.Request()
		if err != nil {
			return err
		}
		response, err := g.client.Do(request.WithContext(ctx))
		if err != nil {
			return err
		}
		response.Body.Close()
		if response.StatusCode >= http.StatusInternalServerError {
			g.usual[target.Method] = uint16(response.StatusCode)
		}
	}
	return nil
}

// close closes the connections.
func (g *generator) close() { g.client.CloseIdleConnections() }

// run sends requests for a while and returns what became of them. If ctx ends first, it returns early with ctx's error.
func (g *generator) run(ctx context.Context, d time.Duration) (results, error) {
	load := g.start(d)
	stop := context.AfterFunc(ctx, func() { load.attacker.Stop() })
	defer stop()
	r := <-load.done
	return r, ctx.Err()
}

// load is a running load of requests.
type load struct {
	attacker *vegeta.Attacker
	done     chan results
}

// start begins to send requests, for at most d.
func (g *generator) start(d time.Duration) *load {
	l := &load{
		// The number of workers is unlimited, so that requests that have to wait for a connection are sent, and measured,
		// all the same.
		attacker: vegeta.NewAttacker(vegeta.Client(g.client), vegeta.MaxBody(0)),
		done:     make(chan results, 1),
	}
	attack := l.attacker.Attack(vegeta.NewStaticTargeter(g.targets...), vegeta.Rate{Freq: requestRate, Per: time.Second}, d, "")
	go func() {
		var all results
		for result := range attack {
			if result.Code > 0 && result.Code == g.usual[result.Method] {
				result.Code = http.StatusOK // it counts as any other answer
			}
			all = append(all, result)
		}
		l.done <- all
	}()
	return l
}

// end stops sending requests, waits for the outstanding answers, and returns what became of all.
func (l *load) end() results {
	l.attacker.Stop()
	return <-l.done
}

// connectionPool sends requests on its connections, one at a time each. The channel holds the idle connections: a request
// takes the one that has been idle for longest, so that all are in use, and waits if there is none.
//
// Each of them must send every request only once, as sendonce.Transport does.
type connectionPool chan http.RoundTripper

// RoundTrip sends a request and reads the whole answer. An answer is an error too if the body could not be sent
// completely.
func (c connectionPool) RoundTrip(request *http.Request) (*http.Response, error) {
	body := &sentBody{from: request.Body, left: request.ContentLength, closed: make(chan struct{})}
	once := request.Clone(request.Context())
	once.Body, once.GetBody = body, nil

	var one http.RoundTripper
	select {
	case one = <-c:
	case <-request.Context().Done():
		body.Close()
		return nil, fmt.Errorf("no connection was free: %w", request.Context().Err())
	}
	defer func() { c <- one }()
	response, err := one.RoundTrip(once)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		return nil, fmt.Errorf("the answer ends in the middle: %w", err)
	}
	<-body.closed // http.Transport guarantees it
	if body.left > 0 {
		return nil, fmt.Errorf("status %d came with the last %d bytes of the body unsent", response.StatusCode, body.left)
	}
	response.Body = io.NopCloser(bytes.NewReader(answer))
	return response, nil
}

// CloseIdleConnections lets http.Client close them.
func (c connectionPool) CloseIdleConnections() {
	for range cap(c) {
		one := <-c
		one.(interface{ CloseIdleConnections() }).CloseIdleConnections()
		c <- one
	}
}

// sentBody is a request's body, or nil for none, that knows how much of it is still unsent.
type sentBody struct {
	from   io.ReadCloser
	left   int64
	once   sync.Once
	closed chan struct{}
}

func (b *sentBody) Read(p []byte) (int, error) {
	if b.from == nil {
		return 0, io.EOF
	}
	n, err := b.from.Read(p)
	b.left -= int64(n)
	return n, err
}

func (b *sentBody) Close() error {
	b.once.Do(func() { close(b.closed) })
	return nil
}
