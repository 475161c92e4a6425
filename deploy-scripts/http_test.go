package deployscripts_test

import (
	"bufio"
	"cmp"
	"io"
	"net"
	"net/http"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// sourced runs a command of a script that is only sourced, after the bash code before.
func sourced(t *testing.T, before, script, command string) (string, error) {
	t.Helper()
	out, err := exec.Command("bash", "-c", "set -euo pipefail\n"+before+"\nsource "+script+"\n"+command).CombinedOutput()
	return strings.TrimSpace(string(out)), err
}

// httpGet runs http_get with short waits, after the bash code before, and returns what it prints.
func httpGet(t *testing.T, before, address string) string {
	t.Helper()
	host, port, _ := net.SplitHostPort(address)
	got, err := sourced(t, before, shortWaits(t), "http_get "+host+" "+port+" /healthz")
	if err != nil {
		t.Errorf("http_get: %v", err)
	}
	return got
}

// TestHTTPGet has answers after which the peer waits, or hangs up.
func TestHTTPGet(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, answer, want string }{
		{"a container's answer", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nx-upstream: 172.18.0.2:8080\r\n\r\nok", "200 172.18.0.2:8080"},
		{"no such header", "HTTP/1.1 503 Service Unavailable\r\n\r\n", "503 -"},
		{"no reason", "HTTP/1.1 200\r\n\r\n", "200 -"},
		{"nothing but line feeds", "HTTP/1.0 204 No Content\nServer: x\n\n", "204 -"},
		{"no answer", "", ""},
		{"half an answer", "HTTP/1.1 200 OK\r\nContent-Le", ""},
		{"not HTTP", "220 mail.example.com ESMTP\r\n\r\n", "not-http -"},
		{"TLS", "\x15\x03\x01\x00\x02\x02\x46\n\n", "not-http -"},
	}
	for _, tt := range tests {
		for _, hangsUp := range []bool{false, true} {
			name, want := tt.name, cmp.Or(tt.want, "timeout -")
			if hangsUp {
				name, want = name+", then the end", cmp.Or(tt.want, "closed -")
			}
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				address := answering(t, tt.answer, hangsUp)
				start := time.Now()
				if got := httpGet(t, "", address); got != want {
					t.Errorf("http_get prints %q, want %q", got, want)
				}
				if took := time.Since(start); took > 3500*time.Millisecond {
					t.Errorf("it took %s, want 2 s at most for the header", took)
				}
			})
		}
	}
}

// TestHTTPGetWithoutAnswer has peers that never send a whole header.
func TestHTTPGetWithoutAnswer(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, address, want string }{
		{"nobody listens", freeAddress(t), "refused -"},
		{"reset", listen(t, func(conn net.Conn) {
			_, _ = http.ReadRequest(bufio.NewReader(conn))
			_ = conn.(*net.TCPConn).SetLinger(0)
			conn.Close()
		}), "reset -"},
		{"a line a second, for ever", listen(t, func(conn net.Conn) {
			_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\n")
			for range time.Tick(time.Second) {
				if _, err := io.WriteString(conn, "X: y\r\n"); err != nil {
					return
				}
			}
		}), "timeout -"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := httpGet(t, "", tt.address); got != tt.want {
				t.Errorf("http_get prints %q, want %q", got, tt.want)
			}
		})
	}
}

// TestHTTPGetNamesTheHost: an application may check by which name it is asked.
func TestHTTPGetNamesTheHost(t *testing.T) {
	t.Parallel()
	asked := make(chan string, 1)
	address := listen(t, func(conn net.Conn) {
		if request, err := http.ReadRequest(bufio.NewReader(conn)); err == nil {
			asked <- request.Host
		}
		conn.Close()
	})
	httpGet(t, "HEALTH_HOST=www.example.com", address)
	if got := <-asked; got != "www.example.com" {
		t.Errorf("it asks for %q, want www.example.com", got)
	}
}

// shortWaits returns a copy of hooks/lib/http.sh that waits 2 s.
func shortWaits(t *testing.T) string {
	t.Helper()
	script := filepath.Join(t.TempDir(), "http.sh")
	copyFile(t, "hooks/lib/http.sh", script)
	edit(t, script, `HTTP_SECONDS=\d+`, "HTTP_SECONDS=2")
	return script
}

// answering listens and gives each client the same answer after its request.
func answering(t *testing.T, answer string, hangsUp bool) (address string) {
	t.Helper()
	return listen(t, func(conn net.Conn) {
		_, _ = http.ReadRequest(bufio.NewReader(conn)) // all of it: closing earlier would reset the connection
		_, _ = io.WriteString(conn, answer)
		if hangsUp {
			conn.Close()
		}
	})
}

// listen runs a function for each connection.
func listen(t *testing.T, serve func(net.Conn)) (address string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			t.Cleanup(func() { conn.Close() })
			go serve(conn)
		}
	}()
	return l.Addr().String()
}

// TestAddresses: Docker lists an address per IP version, in either order, and more lines than a reader wants must not fail the
// hook. Version 20.10 of the CLI writes IPv6 without brackets (docker/cli, cli/command/container/port.go).
func TestAddresses(t *testing.T) {
	const before = "APP_NAME=x EDGE=x-edge CANDIDATE=x-1 CONTAINER_PORT=8080 COMMIT=0 WORK=/nowhere\nsource hooks/lib/http.sh\n"
	for _, printed := range []string{
		`for ((i = 80; i < 20000; i++)); do echo "0.0.0.0:$i"; done`,
		`printf '0.0.0.0:80\n:::80\n'`,
		`printf '[::]:80\n0.0.0.0:80\n'`,
	} {
		for script, command := range map[string]string{"hooks/lib/serving.sh": "edge_address", "hooks/lib/candidate.sh": "candidate_address"} {
			got, err := sourced(t, before+"docker() { "+printed+"; }", script, command)
			if want := ".0.1:80"; command == "edge_address" && got != "127.0"+want || !strings.HasSuffix(got, ".0.0:80") && !strings.HasSuffix(got, want) || err != nil {
				t.Errorf("%s prints %.100q (%v) of %s, want the address of IPv4", command, got, err, printed)
			}
		}
	}
}
