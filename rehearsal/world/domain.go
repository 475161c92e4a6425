package world

import (
	"context"
	"crypto/x509"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"time"

	"cicd/automation"
	"cicd/internal/docker"
	"cicd/rehearsal/acme"
	"cicd/rehearsal/aws/account"
)

// This file is about what the internet has for a stack with a domain: records in the DNS, and a CA.

// recordToMake is how the output nextStep names the record that a person has to make.
var recordToMake = regexp.MustCompile("`([a-z0-9.-]+)\\. [0-9]+ IN A ([0-9.]+)`")

// Domain is the name by which visitors come over HTTPS, "" if they come by the host's address.
func (w *World) Domain() string {
	u, err := url.Parse(w.AppURL())
	if err != nil || u.Scheme != "https" {
		return ""
	}
	return u.Hostname()
}

// provideDomain does, after an up, what a stack with a domain needs of others: a person makes the record that the stack
// does not make, and there is a CA.
func (w *World) provideDomain(ctx context.Context) error {
	w.cloud.names.setDomain(w.Domain())
	if w.Domain() == "" {
		return nil
	}
	if record := recordToMake.FindStringSubmatch(w.stack.output("nextStep")); record != nil && w.cloud.names.made(record[1], record[2]) {
		w.Note("made the record %s IN A %s, as nextStep asks a person to do", record[1], record[2])
	}
	if w.cloud.ca != nil {
		return nil
	}
	return w.ReplaceCA(ctx, acme.Lifetime)
}

// ReplaceCA starts a CA, in the place of the one before, that issues certificates of a lifetime. It is at another address:
// to the clients of the same one, it would have lost their accounts, which no CA does.
func (w *World) ReplaceCA(ctx context.Context, lifetime time.Duration) error {
	pebble, err := automation.Pebble.Build(ctx, filepath.Join(w.ProjectDir, "tools"), automation.Platform{OS: runtime.GOOS, Arch: runtime.GOARCH}, w.Console)
	if err != nil {
		return err
	}
	start := time.Now()
	if w.cloud.ca != nil {
		if err := w.cloud.ca.Close(); err != nil {
			return err
		}
	}
	if err := w.cloud.startCA(ctx, pebble, lifetime); err != nil {
		return err
	}
	w.Step("CA", "started Pebble, in the place of Let's Encrypt", time.Since(start))
	return nil
}

// startCA starts a CA. The hooks learn where it is as they learn the edge's image, from their environment.
func (c *cloud) startCA(ctx context.Context, pebble string, lifetime time.Duration) error {
	dir, err := c.work.MakeDir("ca")
	if err != nil {
		return err
	}
	listen, host, err := docker.HostOfContainers(ctx)
	if err != nil {
		return err
	}
	c.ca, err = acme.Start(ctx, acme.Config{
		Program: pebble, Dir: dir, Environment: c.machine.environment(c.work), Listen: listen, Host: host, Lifetime: lifetime,
		Known: func(name string) bool { _, err := c.resolve(name); return err == nil },
		Connect: func(ctx context.Context, port int) (net.Conn, error) {
			return c.dial(ctx, "tcp", c.names.currentDomain(), port)
		},
	})
	if err != nil {
		return err
	}
	c.closers = append(c.closers, c.ca.Close)
	c.hosts.mu.Lock()
	defer c.hosts.mu.Unlock()
	for _, h := range c.hosts.byID {
		h.agent.Env = slices.DeleteFunc(h.agent.Env, func(v string) bool { return strings.HasPrefix(v, "ACME_") })
		h.agent.Env = append(h.agent.Env, c.caEnvironment()...)
	}
	return nil
}

// caEnvironment is where the hooks find the CA, if there is one.
func (c *cloud) caEnvironment() []string {
	if c.ca == nil {
		return nil
	}
	return []string{"ACME_DIRECTORY=" + c.ca.Directory, "ACME_ROOT=" + c.ca.RootFile}
}

// CA is the certificate authority. There is one once the stack has had a domain.
func (w *World) CA() *acme.Authority { return w.cloud.ca }

// checkDomain checks what a domain promises: HTTPS with a certificate of the CA, HTTP/2 and an offer of HTTP/3, and
// HTTP that leads there.
func (w *World) checkDomain(ctx context.Context) error {
	domain := w.Domain()
	if domain == "" {
		return nil
	}
	start := time.Now()
	client := w.cloud.browser()
	defer client.CloseIdleConnections()
	secure, err := w.ask(ctx, client, "https://"+domain+"/")
	if err != nil {
		return err
	}
	hsts, alternative := secure.Header.Get("Strict-Transport-Security"), secure.Header.Get("Alt-Svc")
	if secure.ProtoMajor != 2 || hsts == "" || !strings.Contains(alternative, "h3=") {
		return fmt.Errorf("https://%s answers over %s, with Strict-Transport-Security %q and Alt-Svc %q: want HTTP/2, and both", domain, secure.Proto, hsts, alternative)
	}
	plain, err := w.ask(ctx, client, "http://"+domain+"/some/path?a=b")
	if err != nil {
		return err
	}
	if to := plain.Header.Get("Location"); plain.StatusCode != http.StatusPermanentRedirect || to != "https://"+domain+"/some/path?a=b" {
		return fmt.Errorf("http://%s answers with %s and leads to %q: want a permanent redirect to HTTPS", domain, plain.Status, to)
	}
	w.Step("HTTPS", fmt.Sprintf("%s has a certificate of the CA; HTTP/2, HSTS, HTTP redirects", domain), time.Since(start))
	return nil
}

// Certificate returns the domain's certificate, as a new visitor gets it.
func (w *World) Certificate(ctx context.Context) (*x509.Certificate, error) {
	client := w.cloud.browser()
	defer client.CloseIdleConnections()
	response, err := w.ask(ctx, client, "https://"+w.Domain()+"/")
	if err != nil {
		return nil, err
	}
	return response.TLS.PeerCertificates[0], nil
}

// ask sends a request and returns the answer without its body.
func (w *World) ask(ctx context.Context, client *http.Client, url string) (*http.Response, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	response, err := client.Do(request)
	if err != nil {
		return nil, err
	}
	return response, response.Body.Close()
}

// existingZone is the hosted zone that the stack's configuration names, as it has to be for the stack to work: it holds
// the domain.
func existingZone(config automation.Config) (id, name string) {
	id, name = config.Values[config.Project+":hostedZoneId"], config.Values[config.Project+":domain"]
	if _, parent, _ := strings.Cut(name, "."); strings.Contains(parent, ".") {
		name = parent
	}
	return id, name
}

// declaredAddress returns the address that a declared record gives a name, "" for none.
func (c *cloud) declaredAddress(name string) string {
	type record struct {
		Type    string   `json:"type"`
		FQDN    string   `json:"fqdn"`
		Records []string `json:"records"`
	}
	for _, r := range c.account.ByType(account.Record) {
		if a, err := account.Decode[record](r); err == nil && a.Type == "A" && a.FQDN == name && len(a.Records) > 0 {
			return a.Records[0]
		}
	}
	return ""
}
