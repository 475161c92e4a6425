package world

import (
	"context"
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

// internet returns a client somewhere on the internet: it reaches only what the declared network lets it reach. It sends
// each request once and does not follow redirects. The hosts decide where on this machine a connection ends.
func (c *cloud) internet() *http.Client {
	transport := sendonce.Transport{Transport: &http.Transport{
		Proxy:               nil, // the addresses are this machine's own
		MaxIdleConnsPerHost: 100,
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			ip, port, err := net.SplitHostPort(address)
			if err != nil {
				return nil, err
			}
			number, err := strconv.Atoi(port)
			if err != nil {
				return nil, err
			}
			local, err := c.locally(ip, number)
			if err != nil {
				return nil, fmt.Errorf("connection to %s times out: %w", address, err)
			}
			return (&net.Dialer{}).DialContext(ctx, network, local)
		},
	}}
	return &http.Client{Timeout: 15 * time.Second, Transport: transport, CheckRedirect: noRedirects}
}

// noRedirects keeps a client from following redirects: their targets, HTTPS or another site, are not rehearsed.
func noRedirects(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// locally returns the address on this machine behind a port of an Elastic IP.
func (c *cloud) locally(publicIP string, port int) (string, error) {
	instance, err := ec2.Behind(c.account, publicIP, port)
	if err != nil {
		return "", err
	}
	if port != 80 {
		return "", fmt.Errorf("instance %s has nothing that listens on tcp/%d", instance.ID, port)
	}
	h, err := c.host(instance.ID)
	if err != nil {
		return "", err
	}
	return h.Edge, nil
}

// addressOf returns the address on this machine behind a URL of the stack.
func (c *cloud) addressOf(raw string) (string, error) {
	u, err := url.Parse(raw)
	if err != nil {
		return "", err
	}
	return c.locally(u.Hostname(), 80)
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
