package rehearsal

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"cicd/internal/sendonce"
)

// plainInternet is the rehearsal's internet with connections that lead where the address says.
func plainInternet() *http.Client {
	client := new(cloud).internet()
	client.Transport.(sendonce.Transport).DialContext = (&net.Dialer{}).DialContext
	return client
}

// dropping hangs up without an answer on the second request of each connection, as a server does that closes a kept
// connection just when a request comes. It counts the requests it has seen and those it dropped.
type dropping struct {
	mu            sync.Mutex
	seen, dropped int
	used          map[string]int // requests by the client's address
}

func (d *dropping) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	io.Copy(io.Discard, r.Body)
	d.mu.Lock()
	defer d.mu.Unlock()
	d.seen++
	d.used[r.RemoteAddr]++
	if d.used[r.RemoteAddr] == 2 {
		d.dropped++
		panic(http.ErrAbortHandler)
	}
}

// TestLoadSeesDroppedRequests: what a server drops is a failed request, with GET too, which net/http would send again.
func TestLoadSeesDroppedRequests(t *testing.T) {
	server := &dropping{used: map[string]int{}}
	address := httptest.NewServer(server)
	defer address.Close()
	generator := newLoadGenerator(plainInternet, address.URL)
	defer generator.close()
	m, err := generator.run(t.Context(), time.Second)
	if err != nil {
		t.Fatal(err)
	}
	if server.dropped < loadConnections || m.Failed != server.dropped || int(m.Requests) != server.seen {
		t.Errorf("%d of %d requests failed; the server dropped %d of %d, want the same", m.Failed, m.Requests, server.dropped, server.seen)
	}
	for _, method := range []string{"GET", "POST"} {
		if !strings.Contains(strings.Join(m.Failures, "\n"), method) {
			t.Errorf("no %s in the failures: %q", method, m.Failures)
		}
	}
}

// TestLoad: every connection is used, GET and POST alternate, and bodies arrive whole.
func TestLoad(t *testing.T) {
	var mu sync.Mutex
	from, methods := map[string]int{}, map[string]int{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		mu.Lock()
		defer mu.Unlock()
		from[r.RemoteAddr]++
		methods[r.Method]++
		if want := map[string]int{"GET": 0, "POST": loadBody}[r.Method]; err != nil || len(body) != want {
			t.Errorf("%s with a body of %d bytes, %v, want %d", r.Method, len(body), err, want)
		}
		w.WriteHeader(http.StatusNotFound) // an answer as good as any
	}))
	defer server.Close()
	generator := newLoadGenerator(plainInternet, server.URL)
	defer generator.close()
	for range 2 { // the second run has the connections of the first
		m, err := generator.run(t.Context(), time.Second)
		if err != nil || m.Failed > 0 {
			t.Fatalf("%v, %v", err, m.Failures)
		}
	}
	if len(from) != loadConnections {
		t.Errorf("%d connections, want %d", len(from), loadConnections)
	}
	if least := slices.Min(slices.Collect(maps.Values(from))); least < 2 {
		t.Errorf("some connection carried %d requests, want all of them to be in use", least)
	}
	if diff := methods["GET"] - methods["POST"]; diff < -1 || diff > 2 {
		t.Errorf("%v, want as many GET as POST", methods)
	}
}

// TestPauseIsMeasured: when the server pauses, the requests that are due meanwhile count with their time of waiting,
// though there are more of them than connections.
func TestPauseIsMeasured(t *testing.T) {
	const pause = time.Second
	var once sync.Once
	var gate sync.RWMutex
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		once.Do(func() {
			gate.Lock()
			time.AfterFunc(pause, gate.Unlock)
		})
		gate.RLock()
		defer gate.RUnlock()
	}))
	defer server.Close()
	generator := newLoadGenerator(plainInternet, server.URL)
	defer generator.close()
	m, err := generator.run(t.Context(), 2*time.Second)
	if err != nil || m.Failed > 0 {
		t.Fatalf("%v, %v", err, m.Failures)
	}
	// Half of the requests fall into the pause, and half of those wait for half of it or longer.
	if p75 := m.metrics.Latencies.Quantile(0.75); p75 < pause/4 {
		t.Errorf("p75 is %s, want about %s", p75, pause/2)
	}
}

// TestUnsentBody: an answer does not count when the request was not sent to its end.
func TestUnsentBody(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	go func() {
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		conn.Read(make([]byte, 1024))
		io.WriteString(conn, "HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n")
		listener.Accept() // until the test is over
	}()
	lines := make(connections, 1)
	lines <- &http.Transport{}
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+listener.Addr().String(), bytes.NewReader(make([]byte, 64<<20)))
	if err != nil {
		t.Fatal(err)
	}
	_, err = lines.RoundTrip(request)
	if err == nil || !strings.Contains(err.Error(), "status 413 came with") {
		t.Errorf("error %v, want that the body was not sent", err)
	}
}

// otherApplication puts an application in the place of webapp that is not webapp: testdata/slow, compiled.
func otherApplication(t *testing.T, project string) {
	t.Helper()
	webapp := filepath.Join(project, "webapp")
	if err := os.RemoveAll(webapp); err != nil {
		t.Fatal(err)
	}
	apply(t, project, write("webapp/Dockerfile", "FROM scratch\nCOPY server /server\nENTRYPOINT [\"/server\"]\n"))
	build := exec.Command("go", "build", "-o", filepath.Join(webapp, "server"), "./testdata/slow")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v: %s", err, out)
	}
	commit(t, project, "Another application")
}

// TestReleasesCostNoRequest releases an application that says 404 to the POST of the load, before it has read a body.
func TestReleasesCostNoRequest(t *testing.T) {
	needDocker(t)
	project := newProject(t)
	otherApplication(t, project)
	r, log := started(t, project)
	t.Run("under load", func(t *testing.T) {
		report, err := r.measureReleases(t.Context(), 2)
		if err != nil {
			t.Fatalf("%v\n%s", err, tail(log))
		}
		t.Logf("\n%s", report.table()) // of which only the failures are judged: other tests may run beside this one
		if failed := report.Before.Failed + report.During.Failed; failed > 0 {
			t.Errorf("%d requests failed: %q", failed, append(report.Before.Failures, report.During.Failures...))
		}
		if report.During.Requests < loadRate {
			t.Errorf("%d requests in two releases, want them all the time", report.During.Requests)
		}
	})
	t.Run("long requests", func(t *testing.T) { longRequests(t, r) })
}

// longRequests sends requests that take 10 s for as long as a release goes on. Those in flight when the old container
// is asked to end must be answered too, by that container.
func longRequests(t *testing.T, r *rehearsal) {
	const every = 250 * time.Millisecond
	generator := newLoadGenerator(r.cloud.internet, r.stack.output("appUrl"))
	defer generator.close()
	dir := r.work.path("clone")
	_, id, err := r.commitChange(t.Context(), dir, "Released under long requests.")
	if err != nil {
		t.Fatal(err)
	}
	released := make(chan error, 1)
	go func() {
		_, err := r.release(t.Context(), dir, id)
		released <- err
	}()
	var group sync.WaitGroup
	var mu sync.Mutex
	meanwhile := map[string]int{}
	for i, under := 0, true; under; i++ {
		method := []string{http.MethodGet, http.MethodPost}[i%2]
		group.Go(func() {
			askedToEnd, err := longRequest(t.Context(), generator.client, method, r.stack.output("appUrl"))
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				t.Errorf("%s: %v", method, err)
			}
			if askedToEnd {
				meanwhile[method]++
			}
		})
		select {
		case err := <-released:
			if err != nil {
				t.Error(err)
			}
			under = false
		case <-time.After(every):
		}
	}
	group.Wait()
	t.Logf("in flight when the old container was asked to end: %v", meanwhile)
	if meanwhile[http.MethodGet] == 0 || meanwhile[http.MethodPost] == 0 {
		t.Errorf("in flight when the old container was asked to end: %v, want some of each", meanwhile)
	}
}

// longRequest says whether the container that answered was asked to end meanwhile.
func longRequest(ctx context.Context, client *http.Client, method, url string) (askedToEnd bool, err error) {
	const text = "all of it"
	var body io.Reader
	if method == http.MethodPost {
		body = strings.NewReader(text)
	}
	request, err := http.NewRequestWithContext(ctx, method, url+"/slow?for=10s", body)
	if err != nil {
		return false, err
	}
	response, err := client.Do(request)
	if err != nil {
		return false, err
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err == nil && (response.StatusCode != http.StatusOK || method == http.MethodPost && string(answer) != text) {
		err = fmt.Errorf("status %d, body %q", response.StatusCode, answer)
	}
	return response.Header.Get("Asked-To-End") != "", err
}
