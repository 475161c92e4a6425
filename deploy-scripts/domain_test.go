package deployscripts_test

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"cicd/automation"
	"cicd/internal/docker/dockertest"
	"cicd/internal/sendonce"
	"cicd/rehearsal/acme"

	realdocker "cicd/internal/docker"
)

const domain = "shop.example.com"

// certify gives the host a CA that knows the domain.
func (h *host) certify() *acme.Authority {
	t := h.t
	t.Helper()
	dockertest.Need(t)
	pebble, err := automation.Pebble.Build(t.Context(), "../tools", automation.Platform{OS: runtime.GOOS, Arch: runtime.GOARCH}, os.Stderr)
	if err != nil {
		t.Fatal(err)
	}
	listen, name, err := realdocker.HostOfContainers(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	ca, err := acme.Start(t.Context(), acme.Config{
		Program: pebble, Dir: t.TempDir(), Environment: os.Environ(), Listen: listen, Host: name, Lifetime: acme.Lifetime,
		Known:   func(name string) bool { return name == domain },
		Connect: func(ctx context.Context, port int) (net.Conn, error) { return h.dial(ctx, port) },
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := ca.Close(); err != nil {
			t.Error(err)
		}
	})
	h.env = append(h.env, "ACME_DIRECTORY="+ca.Directory, "ACME_ROOT="+ca.RootFile)
	return ca
}

// dial connects to port 80 or 443 of the host.
func (h *host) dial(ctx context.Context, port int) (net.Conn, error) {
	return (&net.Dialer{}).DialContext(ctx, "tcp", map[int]string{80: h.edge, 443: h.edgeTLS}[port])
}

// visitor is a client that trusts the CA alone, resolves the domain to the host, and does not follow redirects.
func (h *host) visitor(ca *acme.Authority, http2 bool) *http.Client {
	transport := &http.Transport{
		TLSClientConfig: &tls.Config{RootCAs: ca.Roots()}, ForceAttemptHTTP2: http2,
		DialContext: func(ctx context.Context, _, address string) (net.Conn, error) {
			if strings.HasSuffix(address, ":443") {
				return h.dial(ctx, 443)
			}
			return h.dial(ctx, 80)
		},
	}
	h.t.Cleanup(transport.CloseIdleConnections)
	client := &http.Client{Transport: sendonce.Transport{Transport: transport}, Timeout: 20 * time.Second}
	if http2 { // a request with a body is another one over HTTP/2
		client.Transport = transport
	}
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return client
}

// get returns an answer and its body.
func get(t *testing.T, client *http.Client, url string) (*http.Response, string) {
	t.Helper()
	response, err := client.Get(url)
	if err != nil {
		t.Errorf("%s: %v", url, err)
		return &http.Response{Header: http.Header{}}, ""
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Errorf("%s: %v", url, err)
	}
	return response, string(body)
}

// wantHTTPS checks that the domain serves a version over HTTPS, and that HTTP leads there; requests by the host's
// address stay where they are.
func (h *host) wantHTTPS(ca *acme.Authority, version string) (serial string) {
	t := h.t
	t.Helper()
	client := h.visitor(ca, true)
	secure, body := get(t, client, "https://"+domain+"/")
	if body != version || secure.ProtoMajor != 2 || secure.Header.Get("Strict-Transport-Security") != "max-age=15768000" || !strings.Contains(secure.Header.Get("Alt-Svc"), `h3=":443"`) {
		t.Errorf("https: %q over %s with %v, want %q over HTTP/2 with HSTS and an offer of HTTP/3", body, secure.Proto, secure.Header, version)
	}
	plain, _ := get(t, client, "http://"+domain+"/a/b?c=d")
	if plain.StatusCode != http.StatusPermanentRedirect || plain.Header.Get("Location") != "https://"+domain+"/a/b?c=d" {
		t.Errorf("http: %s to %q, want a permanent redirect to HTTPS", plain.Status, plain.Header.Get("Location"))
	}
	h.wantAnswer(t, version)
	if secure.TLS == nil {
		return ""
	}
	return secure.TLS.PeerCertificates[0].SerialNumber.String()
}

// wantHTTP checks that the domain serves a version over HTTP.
func (h *host) wantHTTP(ca *acme.Authority, version string) {
	h.t.Helper()
	if plain, body := get(h.t, h.visitor(ca, false), "http://"+domain+"/"); body != version || plain.Header.Get("Strict-Transport-Security") != "" {
		h.t.Errorf("http: %s %q with %v, want %q", plain.Status, body, plain.Header, version)
	}
}

// TestDomain gives a stack a domain, whose CA is away at first, and takes it away again.
func TestDomain(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	ca := h.certify()
	h.mustDeploy(h.mustBuild(1, app(t, "one", "")))
	ca.SetFault(acme.Away)
	bundle := h.mustBuild(2, app(t, "two", ""))
	settle(t, bundle, "DOMAIN="+domain)
	output, err := h.deploy(bundle)
	if err != nil || !strings.Contains(output, "validate.sh: warning: there is no certificate for "+domain+" yet, so HTTP goes on") || !strings.Contains(output, "EOF") {
		t.Fatalf("deploy: %v, want a warning with the reason\n%s", err, output)
	}
	h.wantHTTP(ca, "two")

	ca.SetFault(nil)
	edit(t, filepath.Join(bundle, "edge", "domain.caddyfile"), `\{\n`, "{\n\t# another configuration\n")
	if output, err = h.deploy(bundle); err != nil || strings.Contains(output, "warning") {
		t.Errorf("deploy: %v\n%s", err, output)
	}
	serial := h.wantHTTPS(ca, "two")
	h.wantTLS(ca)

	// A new edge has the old one's certificate.
	docker(t, "container rm --force "+h.app+"-edge")
	h.mustDeploy(bundle)
	if now := h.wantHTTPS(ca, "two"); now != serial {
		t.Errorf("the new edge has the certificate %s, want that of the old one, %s", now, serial)
	}
	h.wantHTTP3(ca, "two")

	h.mustDeploy(h.mustBuild(3, app(t, "three", "")))
	h.wantHTTP(ca, "three")
	if response, err := h.visitor(ca, false).Get("https://" + domain); err == nil {
		response.Body.Close()
		t.Errorf("https: %s, but the stack has no domain any more", response.Status)
	}
}

// wantTLS checks the versions of TLS that the edge speaks.
func (h *host) wantTLS(ca *acme.Authority) {
	h.t.Helper()
	for version, want := range map[uint16]bool{tls.VersionTLS11: false, tls.VersionTLS12: true, tls.VersionTLS13: true} {
		conn, err := tls.Dial("tcp", h.edgeTLS, &tls.Config{RootCAs: ca.Roots(), ServerName: domain, MinVersion: version, MaxVersion: version})
		if err == nil {
			conn.Close()
		}
		if (err == nil) != want {
			h.t.Errorf("%s: %v, want it to be spoken: %v", tls.VersionName(version), err, want)
		}
	}
}

// wantHTTP3 checks that the domain serves a version over HTTP/3. Caddy is the client: it passes a request on.
func (h *host) wantHTTP3(ca *acme.Authority, version string) {
	t := h.t
	t.Helper()
	caddy, err := automation.Caddy.Build(t.Context(), "../tools", automation.Platform{OS: runtime.GOOS, Arch: runtime.GOARCH}, os.Stderr)
	if err != nil {
		t.Fatal(err)
	}
	root, listen := filepath.Join(t.TempDir(), "root.pem"), freeAddress(t)
	write(t, root, string(ca.RootPEM()))
	_, port, _ := net.SplitHostPort(listen)
	ctx, cancel := context.WithCancel(t.Context())
	client := exec.CommandContext(ctx, caddy, "run", "--config", "-", "--adapter", "caddyfile")
	client.Env = append(os.Environ(), "XDG_DATA_HOME="+t.TempDir(), "XDG_CONFIG_HOME="+t.TempDir())
	client.Stdin = strings.NewReader(fmt.Sprintf(`{
	admin off
	auto_https off
}
:%s {
	bind 127.0.0.1
	reverse_proxy https://%s {
		header_up Host %s
		transport http {
			versions 3
			tls_server_name %[3]s
			tls_trust_pool file %s
		}
	}
}
`, port, h.edgeTLS, domain, root))
	said := &strings.Builder{}
	client.Stdout, client.Stderr = said, said
	if err := client.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { cancel(); _ = client.Wait() }() // it is killed
	answer := ""
	if !await(10*time.Second, func() bool { answer = answerAt(listen); return answer == version }) {
		cancel()
		_ = client.Wait()
		t.Errorf("over HTTP/3: %q, want %q\n%s", answer, version, said)
	}
}
