package load

import (
	"bytes"
	"context"
	"errors"
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
	"sync/atomic"
	"testing"
	"time"

	"cicd/internal/docker/dockertest"
	"cicd/internal/testproject"
	"cicd/rehearsal/rehearsaltest"
	"cicd/rehearsal/world"

	"cicd/internal/sendonce/sendoncetest"

	"cicd/internal/sendonce"
)

// client returns a client that sends each request once, as those from the internet do.
func client() *http.Client {
	return &http.Client{Timeout: 15 * time.Second, Transport: sendonce.Transport{Transport: &http.Transport{}}}
}

// TestLoadSeesDroppedRequests: a request that the server drops has failed, even a GET, which net/http would send again.
func TestLoadSeesDroppedRequests(t *testing.T) {
	server := sendoncetest.NewServer(t)
	generator := newGenerator(client, server.URL)
	defer generator.close()
	sent, err := generator.run(t.Context(), time.Second)
	if err != nil {
		t.Fatal(err)
	}
	m := sent.measured()
	seen, dropped := server.Counts()
	if dropped < connectionCount || m.Failed != dropped || int(m.Requests) != seen {
		t.Errorf("%d of %d requests failed; the server dropped %d of %d, want the same", m.Failed, m.Requests, dropped, seen)
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
		if want := map[string]int{"GET": 0, "POST": bodySize}[r.Method]; err != nil || len(body) != want {
			t.Errorf("%s with a body of %d bytes, %v, want %d", r.Method, len(body), err, want)
		}
		w.WriteHeader(http.StatusNotFound) // an answer as good as any
	}))
	defer server.Close()
	generator := newGenerator(client, server.URL)
	defer generator.close()
	for range 2 { // the second run has the connections of the first
		sent, err := generator.run(t.Context(), time.Second)
		if m := sent.measured(); err != nil || m.Failed > 0 {
			t.Fatalf("%v, %v", err, m.Failures)
		}
	}
	if len(from) != connectionCount {
		t.Errorf("%d connections, want %d", len(from), connectionCount)
	}
	if least := slices.Min(slices.Collect(maps.Values(from))); least < 2 {
		t.Errorf("some connection carried %d requests, want all of them to be in use", least)
	}
	if diff := methods["GET"] - methods["POST"]; diff < -1 || diff > 2 {
		t.Errorf("%v, want as many GET as POST", methods)
	}
}

// TestPauseIsMeasured: if the server pauses, the requests that are due meanwhile count with their waiting time, even if
// they outnumber the connections.
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
	generator := newGenerator(client, server.URL)
	defer generator.close()
	sent, err := generator.run(t.Context(), 2*time.Second)
	m := sent.measured()
	if err != nil || m.Failed > 0 {
		t.Fatalf("%v, %v", err, m.Failures)
	}
	// Half of the requests fall into the pause, and half of those wait for at least half of it.
	if p75 := m.metrics.Latencies.Quantile(0.75); p75 < pause/4 {
		t.Errorf("p75 is %s, want about %s", p75, pause/2)
	}
}

// TestUnsentBody: an answer does not count if the request was not sent completely.
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
		listener.Accept() // until the test ends
	}()
	pool := make(connectionPool, 1)
	pool <- &http.Transport{}
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+listener.Addr().String(), bytes.NewReader(make([]byte, 64<<20)))
	if err != nil {
		t.Fatal(err)
	}
	_, err = pool.RoundTrip(request)
	if err == nil || !strings.Contains(err.Error(), "status 413 came with") {
		t.Errorf("error %v, want that the body was not sent", err)
	}
}

// otherApplication replaces webapp by another application: testdata/slow, compiled.
func otherApplication(t *testing.T, project string) {
	t.Helper()
	webapp := filepath.Join(project, "webapp")
	if err := errors.Join(os.RemoveAll(webapp), os.Mkdir(webapp, 0o755)); err != nil {
		t.Fatal(err)
	}
	build := exec.Command("go", "build", "-o", filepath.Join(webapp, "server"), "./testdata/slow")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v: %s", err, out)
	}
	testproject.PackServer(t, webapp)
	testproject.Commit(t, project, "Another application")
}

// TestReleasesCostNoRequest releases an application that answers 404 to the load's POST before it has read the body.
func TestReleasesCostNoRequest(t *testing.T) {
	dockertest.Need(t)
	project := testproject.New(t)
	otherApplication(t, project)
	r, log := rehearsaltest.Started(t, project)
	t.Run("under load", func(t *testing.T) {
		report, err := measureReleases(t.Context(), r, 2)
		if err != nil {
			t.Fatalf("%v\n%s", err, rehearsaltest.Tail(log))
		}
		t.Logf("\n%s", report.table()) // only failures count: other tests may run beside this one
		if failed := report.Before.Failed + report.During.Failed; failed > 0 {
			t.Errorf("%d requests failed: %q", failed, append(report.Before.Failures, report.During.Failures...))
		}
		for _, part := range []Measurement{report.Before, report.Building, report.Deploying} {
			if part.Requests < requestRate {
				t.Errorf("%d requests before or during two releases, want them all the time", part.Requests)
			}
		}
	})
	t.Run("long requests", func(t *testing.T) { longRequests(t, r) })
}

// longRequests sends requests that take 10 s for the duration of a release. The old container must also answer those that
// are in flight when it is asked to end.
func longRequests(t *testing.T, r *world.World) {
	const every = 250 * time.Millisecond
	generator := newGenerator(r.Client, r.AppURL())
	defer generator.close()
	dir := r.Workspace.Path("clone")
	_, id, err := r.CommitChange(t.Context(), dir, "Released under long requests.")
	if err != nil {
		t.Fatal(err)
	}
	released := make(chan error, 1)
	go func() {
		_, err := r.Release(t.Context(), dir, id)
		released <- err
	}()
	var group sync.WaitGroup
	var mu sync.Mutex
	meanwhile := map[string]int{}
	for i, under := 0, true; under; i++ {
		method := []string{http.MethodGet, http.MethodPost}[i%2]
		group.Go(func() {
			askedToEnd, err := longRequest(t.Context(), generator.client, method, r.AppURL())
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

// longRequest reports whether the container that answered was asked to end meanwhile.
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

// TestServerErrorThatIsTheApplicationsOwn: an application may answer POST with its own page for 500 at all times. What it
// answers only now and then has failed.
func TestServerErrorThatIsTheApplicationsOwn(t *testing.T) {
	var broken atomic.Bool
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.Method == http.MethodPost:
			http.Error(w, "this application has no such page", http.StatusInternalServerError)
		case broken.Load():
			w.WriteHeader(http.StatusInternalServerError)
		}
	}))
	defer server.Close()
	generator := newGenerator(client, server.URL)
	defer generator.close()
	if err := generator.learn(t.Context()); err != nil {
		t.Fatal(err)
	}
	run := func() Measurement {
		all, err := generator.run(t.Context(), 200*time.Millisecond)
		if err != nil {
			t.Fatal(err)
		}
		return all.measured()
	}
	if m := run(); m.Failed > 0 || m.Requests == 0 {
		t.Error(m.Explain())
	}
	broken.Store(true)
	if m := run(); m.Failed == 0 || m.Failed == int(m.Requests) {
		t.Errorf("%v, want only the GETs to fail", m.Explain())
	}
}
