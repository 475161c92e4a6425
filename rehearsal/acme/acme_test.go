package acme

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

// ask asks a name server over an open connection.
func ask(t *testing.T, conn net.Conn, name string, kind dnsmessage.Type) dnsmessage.Message {
	t.Helper()
	question := dnsmessage.Message{
		Header:    dnsmessage.Header{ID: 7, RecursionDesired: true},
		Questions: []dnsmessage.Question{{Name: dnsmessage.MustNewName(name), Type: kind, Class: dnsmessage.ClassINET}},
	}
	packed, err := question.Pack()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(packed))), packed...)); err != nil {
		t.Fatal(err)
	}
	var length uint16
	if err := binary.Read(conn, binary.BigEndian, &length); err != nil {
		t.Fatal(err)
	}
	packed = make([]byte, length)
	if _, err := io.ReadFull(conn, packed); err != nil {
		t.Fatal(err)
	}
	var answer dnsmessage.Message
	if err := answer.Unpack(packed); err != nil {
		t.Fatal(err)
	}
	return answer
}

func TestNameServer(t *testing.T) {
	s, err := serveNames(func(name string) bool { return name == "shop.example.com" })
	if err != nil {
		t.Fatal(err)
	}
	conn, err := net.Dial("tcp", s.address)
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name    string
		kind    dnsmessage.Type
		code    dnsmessage.RCode
		answers int
	}{
		{"shop.example.com.", dnsmessage.TypeA, dnsmessage.RCodeSuccess, 1},
		{"SHOP.example.com.", dnsmessage.TypeA, dnsmessage.RCodeSuccess, 1},
		{"shop.example.com.", dnsmessage.TypeAAAA, dnsmessage.RCodeSuccess, 0},
		{"other.example.com.", dnsmessage.TypeA, dnsmessage.RCodeNameError, 0},
	} {
		answer := ask(t, conn, tt.name, tt.kind)
		if answer.ID != 7 || answer.RCode != tt.code || len(answer.Answers) != tt.answers {
			t.Errorf("%s %s: %v, want %s and %d answers", tt.name, tt.kind, answer.GoString(), tt.code, tt.answers)
		}
	}
	conn.Close()
	if err := s.close(); err != nil {
		t.Error(err)
	}
}

// TestRelay: what is reachable gets everything, and what is not gets no answer and no end.
func TestRelay(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = io.Copy(w, r.Body) }))
	defer server.Close()
	var blocked atomic.Bool
	r, err := newRelay(func(ctx context.Context) (net.Conn, error) {
		if blocked.Load() {
			return nil, errors.New("no rule lets it in")
		}
		return (&net.Dialer{}).DialContext(ctx, "tcp", server.Listener.Addr().String())
	})
	if err != nil {
		t.Fatal(err)
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	response, err := client.Post("http://127.0.0.1:"+r.port, "text/plain", strings.NewReader("hello"))
	if err != nil {
		t.Fatal(err)
	}
	if body, err := io.ReadAll(response.Body); err != nil || string(body) != "hello" {
		t.Errorf("answer %q, %v", body, err)
	}
	response.Body.Close()
	blocked.Store(true)
	client.Timeout = 100 * time.Millisecond
	if _, err := client.Get("http://127.0.0.1:" + r.port); err == nil || !strings.Contains(err.Error(), "Timeout") {
		t.Errorf("error = %v, want a timeout", err)
	}
	if err := r.close(); err != nil {
		t.Error(err)
	}
}

// TestFront: requests reach Pebble as the client has sent them, unless a fault takes them.
func TestFront(t *testing.T) {
	k, err := newKeys(t.TempDir(), "ca.example.com")
	if err != nil {
		t.Fatal(err)
	}
	f, err := serveFront("127.0.0.1", "127.0.0.1:1", k) // nothing listens there
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := f.close(); err != nil {
			t.Error(err)
		}
	}()
	get := func(path string) (status int, body string, err error) {
		response, err := k.client().Get("https://127.0.0.1:" + f.port + path)
		if err != nil {
			return 0, "", err
		}
		defer response.Body.Close()
		text, err := io.ReadAll(response.Body)
		return response.StatusCode, string(text), err
	}
	if status, _, err := get("/dir"); err != nil || status != http.StatusBadGateway {
		t.Errorf("without Pebble: %d, %v", status, err)
	}
	f.setFault(RateLimited)
	if status, body, err := get(newOrderPath); err != nil || status != http.StatusTooManyRequests || !strings.Contains(body, "urn:ietf:params:acme:error:rateLimited") {
		t.Errorf("an order: %d, %q, %v", status, body, err)
	}
	if status, _, err := get("/dir"); err != nil || status != http.StatusBadGateway {
		t.Errorf("the directory while orders are refused: %d, %v, want that of Pebble", status, err)
	}
	f.setFault(Away)
	if _, _, err := get("/dir"); err == nil || !strings.Contains(err.Error(), "EOF") {
		t.Errorf("away: %v, want an end without an answer", err)
	}
	f.setFault(nil)
	if status, _, err := get("/dir"); err != nil || status != http.StatusBadGateway {
		t.Errorf("back: %d, %v", status, err)
	}
}
