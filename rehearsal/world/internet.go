package world

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"cicd/internal/docker"

	"cicd/internal/sendonce"
	"cicd/rehearsal/aws/ec2"
)

// internet returns a client somewhere on the internet: it resolves names by the stack's records, reaches only what the
// declared network lets it reach, and trusts the CA alone. It sends each request once and does not follow redirects.
// The hosts decide where on this machine a connection ends.
func (c *cloud) internet() *http.Client {
	transport := sendonce.Transport{Transport: c.transport()}
	return &http.Client{Timeout: 15 * time.Second, Transport: transport, CheckRedirect: noRedirects}
}

// browser is such a client that also speaks HTTP/2, and may send a request twice.
func (c *cloud) browser() *http.Client {
	transport := c.transport()
	transport.ForceAttemptHTTP2 = true
	return &http.Client{Timeout: 15 * time.Second, Transport: transport, CheckRedirect: noRedirects}
}

func (c *cloud) transport() *http.Transport {
	t := &http.Transport{
		Proxy:               nil, // the addresses are this machine's own
		MaxIdleConnsPerHost: 100,
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			host, port, err := net.SplitHostPort(address)
			if err != nil {
				return nil, err
			}
			number, err := strconv.Atoi(port)
			if err != nil {
				return nil, err
			}
			return c.dial(ctx, network, host, number)
		},
	}
	if c.ca != nil {
		t.TLSClientConfig = &tls.Config{RootCAs: c.ca.Roots()}
	}
	return t
}

// dial connects to a host on the internet.
func (c *cloud) dial(ctx context.Context, network, host string, port int) (net.Conn, error) {
	ip, err := c.resolve(host)
	if err != nil {
		return nil, err
	}
	local, err := c.locally(ip, port)
	if err != nil {
		return nil, fmt.Errorf("connection to %s:%d times out: %w", host, port, err)
	}
	return (&net.Dialer{}).DialContext(ctx, network, local)
}

// noRedirects keeps a client from following redirects: their targets, HTTPS or another site, are not rehearsed.
func noRedirects(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// locally returns the address on this machine behind a port of an Elastic IP.
func (c *cloud) locally(publicIP string, port int) (string, error) {
	instance, err := ec2.Behind(c.account, publicIP, port)
	if err != nil {
		return "", err
	}
	h, err := c.host(instance.ID)
	if err != nil {
		return "", err
	}
	switch port {
	case 80:
		return h.Edge, nil
	case 443:
		return h.EdgeTLS, nil
	}
	return "", fmt.Errorf("instance %s has nothing that listens on tcp/%d", instance.ID, port)
}

// addressOf returns the address on this machine behind a URL of the stack, for HTTP: no browser here trusts the CA.
func (c *cloud) addressOf(raw string) (string, error) {
	u, err := url.Parse(raw)
	if err != nil {
		return "", err
	}
	ip, err := c.resolve(u.Hostname())
	if err != nil {
		return "", err
	}
	return c.locally(ip, 80)
}

// commitAt returns the commit of the container that the edge named as its upstream, "address:port", or "" if there is
// none.
func (c *cloud) commitAt(ctx context.Context, upstream string) (string, error) {
	address, _, err := net.SplitHostPort(upstream)
	if err != nil {
		return "", fmt.Errorf("the edge did not say which container answered: X-Upstream is %q", upstream)
	}
	const format = `{{range .NetworkSettings.Networks}}{{.IPAddress}} {{end}}{{range .Config.Env}}{{println .}}{{end}}`
	ids, err := docker.Run(ctx, "ps", "--quiet", "--filter", "name=^/"+c.work.Name)
	if err != nil {
		return "", err
	}
	for _, id := range strings.Fields(ids) {
		about, err := docker.Run(ctx, "inspect", "--format", format, id)
		if err != nil {
			continue // gone since it was listed
		}
		fields := strings.Fields(about)
		if !slices.Contains(fields, address) {
			continue
		}
		for _, field := range fields {
			if commit, ok := strings.CutPrefix(field, "RELEASE_COMMIT="); ok {
				return commit, nil
			}
		}
	}
	return "", nil
}
