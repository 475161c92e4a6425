package deployscripts_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
)

// answerLimit is how long a stream may take to begin, and to answer a line. The load keeps the machine busy.
const answerLimit = 5 * time.Second

// streams are the kinds of streams, in the ways of their clients, and what opens one.
var streams = map[string]func(context.Context, site) (*stream, error){
	"server-sent events": openEvents,
	"chunked upload":     func(ctx context.Context, s site) (*stream, error) { return openEcho(ctx, s, "text/plain", false) },
	"HTTP/2":             func(ctx context.Context, s site) (*stream, error) { return openEcho(ctx, s, "text/plain", true) },
	"gRPC":               func(ctx context.Context, s site) (*stream, error) { return openEcho(ctx, s, "application/grpc", true) },
	"WebSocket":          openSocket,
}

// stream is an open stream of lines in both directions.
type stream struct {
	in  *bufio.Scanner
	out io.Writer // nil if the server alone speaks
	end func() error
}

// ask sends a line and returns the answer, which is the same line, or "bye" if the application ends the stream.
func (s *stream) ask(line string) (string, error) {
	var sent error
	if s.out != nil {
		_, sent = io.WriteString(s.out, line+"\n")
	}
	if !s.in.Scan() {
		return "", fmt.Errorf("cut off: %w", errors.Join(sent, s.in.Err()))
	}
	return s.in.Text(), nil
}

func openEvents(ctx context.Context, to site) (*stream, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, to.url+"/events", nil)
	if err != nil {
		return nil, err
	}
	transport := to.transport(false)
	transport.DisableKeepAlives = true
	response, err := openHTTP(transport, request)
	if err != nil {
		return nil, err
	}
	return &stream{in: bufio.NewScanner(response.Body), end: func() error { return nil }}, nil
}

// openEcho opens a request whose body goes on while its answer has begun.
func openEcho(ctx context.Context, to site, contentType string, http2 bool) (*stream, error) {
	body, out := io.Pipe()
	context.AfterFunc(ctx, func() { out.CloseWithError(ctx.Err()) })
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, to.url+"/echo", body)
	if err != nil {
		return nil, err
	}
	request.Header.Set("Content-Type", contentType)
	transport := to.transport(http2)
	context.AfterFunc(ctx, transport.CloseIdleConnections)
	response, err := openHTTP(transport, request)
	if err != nil {
		return nil, err
	}
	end := func() error {
		_, err := io.Copy(io.Discard, response.Body)
		if got := response.Trailer.Get("Grpc-Status"); got != "0" {
			err = errors.Join(err, fmt.Errorf("trailer %q, want 0", got))
		}
		return err
	}
	s := &stream{in: bufio.NewScanner(response.Body), out: out, end: end}
	if !s.in.Scan() || s.in.Text() != "hello" {
		return nil, fmt.Errorf("it begins with %q (%v), want hello", s.in.Text(), s.in.Err())
	}
	return s, nil
}

func openHTTP(transport http.RoundTripper, request *http.Request) (*http.Response, error) {
	response, err := transport.RoundTrip(request)
	if err != nil {
		return nil, err
	}
	context.AfterFunc(request.Context(), func() { response.Body.Close() })
	if response.StatusCode != http.StatusOK {
		return nil, errors.New(response.Status)
	}
	return response, nil
}

func openSocket(ctx context.Context, to site) (*stream, error) {
	conn, err := to.dial(ctx)
	if err != nil {
		return nil, err
	}
	context.AfterFunc(ctx, func() { conn.Close() })
	_, _ = io.WriteString(conn, "GET /socket HTTP/1.1\r\nHost: "+to.host()+"\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
	reader := bufio.NewReader(conn)
	response, err := http.ReadResponse(reader, nil)
	if err != nil {
		return nil, err
	}
	if response.StatusCode != http.StatusSwitchingProtocols {
		return nil, errors.New(response.Status)
	}
	return &stream{in: bufio.NewScanner(reader), out: conn, end: func() error { return nil }}, nil
}

// converse keeps a stream of a kind open until stop closes. Nobody but the application may end it, and then it begins again.
// It returns how many streams the application has ended.
func converse(kind string, to site, stop <-chan struct{}) (ended int, err error) {
	for {
		over, err := talk(kind, to, stop)
		if over || err != nil {
			return ended, err
		}
		ended++
	}
}

// talk opens a stream and exchanges lines until the application says bye, or stop closes: over is true then.
func talk(kind string, to site, stop <-chan struct{}) (over bool, err error) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	limit := time.AfterFunc(answerLimit, cancel)
	s, err := streams[kind](ctx, to)
	if err != nil {
		return false, fmt.Errorf("%s: %w", kind, err)
	}
	for n, pause := 0, time.Tick(20*time.Millisecond); ; n++ {
		want := "event"
		if s.out != nil {
			want = fmt.Sprint("line ", n)
		}
		limit.Reset(answerLimit)
		switch got, err := s.ask(want); {
		case err != nil:
			return false, fmt.Errorf("%s, line %d: %w", kind, n, err)
		case got == "bye":
			if err := s.end(); err != nil {
				return false, fmt.Errorf("%s, at its end: %w", kind, err)
			}
			return false, nil
		case got != want:
			return false, fmt.Errorf("%s: answer %q, want %q", kind, got, want)
		}
		select {
		case <-stop:
			return true, nil
		case <-pause:
		}
	}
}

// TestVersionsOfHTTP: gRPC reaches the application over HTTP/2, and everything else over HTTP/1.1, which every application
// speaks. gRPC-Web is what browsers speak, over either.
func TestVersionsOfHTTP(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	h.mustDeploy(h.mustBuild(1, app(t, "one", "")))
	for contentType, want := range map[string]string{
		"application/grpc": "HTTP/2.0", "application/grpc+proto": "HTTP/2.0",
		"application/grpc-web": "HTTP/1.1", "application/grpc-web+proto": "HTTP/1.1", "text/plain": "HTTP/1.1",
	} {
		response, err := http.Post("http://"+h.edge+"/echo", contentType, strings.NewReader("line\n"))
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		if got := response.Header.Get("X-Version"); got != want {
			t.Errorf("%s reaches the application over %q (%s), want %s", contentType, got, response.Status, want)
		}
	}
}

// TestRefusedBody has an application that refuses bodies without reading them, as for want of a login. The client gets that
// answer, whole, whether its body has a length or is a stream.
func TestRefusedBody(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	h.mustDeploy(h.mustBuild(1, app(t, "one", "")))
	client := &http.Client{Timeout: 10 * time.Second}
	for _, size := range []int{1, 2000, 5000, 70_000} {
		for _, length := range []int64{int64(size), -1} {
			for range 200 {
				request, err := http.NewRequest(http.MethodPost, "http://"+h.edge+"/refuse", io.NopCloser(strings.NewReader(strings.Repeat("x", size))))
				if err != nil {
					t.Fatal(err)
				}
				request.ContentLength = length
				response, err := client.Do(request)
				if err != nil {
					t.Fatalf("%d bytes, length %d: %v", size, length, err)
				}
				body, err := io.ReadAll(response.Body)
				response.Body.Close()
				if err != nil || response.StatusCode != http.StatusRequestEntityTooLarge || len(body) != refusal {
					t.Fatalf("%d bytes, length %d: %s, %d bytes (%v), want 413 with %d bytes", size, length, response.Status, len(body), err, refusal)
				}
			}
		}
	}
}

// refusal is how long testdata/app's refusal is: more than arrives at once with its header.
const refusal = 50_000
