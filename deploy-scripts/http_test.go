package deployscripts_test

import (
	"bufio"
	"net"
	"net/http"
	"os/exec"
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

func TestHTTPGet(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, answer, want string }{
		{"a container's answer", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nx-upstream: 172.18.0.2:8080\r\n\r\nok", "200 172.18.0.2:8080"},
		{"no such header", "HTTP/1.1 503 Service Unavailable\r\n\r\n", "503 -"},
		{"no reason", "HTTP/1.1 200\r\n\r\n", "200 -"},
		{"nothing but line feeds", "HTTP/1.0 204 No Content\nServer: x\n\n", "204 -"},
		{"no answer", "", "000 -"},
		{"half an answer", "HTTP/1.1 200 OK\r\nContent-Le", "000 -"},
	}
	for _, tt := range tests {
		for _, hangsUp := range []bool{false, true} {
			name := tt.name
			if hangsUp {
				name += ", then the end"
			}
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				address := answering(t, tt.answer, hangsUp)
				host, port, _ := net.SplitHostPort(address)
				start := time.Now()
				got, err := sourced(t, "", "hooks/lib/http.sh", "http_get "+host+" "+port+" /healthz")
				if err != nil || got != tt.want {
					t.Errorf("http_get prints %q (%v), want %q", got, err, tt.want)
				}
				if took := time.Since(start); took > 3500*time.Millisecond {
					t.Errorf("it took %s, want 2 s at most for a line", took)
				}
			})
		}
	}
	t.Run("nobody listens", func(t *testing.T) {
		host, port, _ := net.SplitHostPort(freeAddress(t))
		if got, err := sourced(t, "", "hooks/lib/http.sh", "http_get "+host+" "+port+" /healthz"); err != nil || got != "000 -" {
			t.Errorf("http_get prints %q (%v), want 000 -", got, err)
		}
	})
}

// answering listens and gives each client the same answer after its request.
func answering(t *testing.T, answer string, hangsUp bool) (address string) {
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
			_, _ = http.ReadRequest(bufio.NewReader(conn)) // all of it: closing earlier would reset the connection
			_, _ = conn.Write([]byte(answer))
			if hangsUp {
				conn.Close()
			}
		}
	}()
	return l.Addr().String()
}

// TestAddresses: Docker lists an address per IP version, and more lines than a reader wants must not fail the hook.
func TestAddresses(t *testing.T) {
	const docker = "APP_NAME=x EDGE=x-edge CANDIDATE=x-1 CONTAINER_PORT=8080 COMMIT=0 WORK=/nowhere\n" +
		`docker() { for ((i = 80; i < 20000; i++)); do echo "0.0.0.0:$i"; done; }`
	for script, command := range map[string]string{"hooks/lib/serving.sh": "edge_address", "hooks/lib/candidate.sh": "candidate_address"} {
		got, err := sourced(t, docker, script, command)
		if want := ":80"; err != nil || !strings.HasSuffix(got, want) || strings.Contains(got, "\n") {
			t.Errorf("%s prints %.100q (%v), want one address", command, got, err)
		}
	}
}
