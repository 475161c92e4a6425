package deployscripts_test

import (
	"context"
	"net"
	"path/filepath"
	"strings"
	"testing"
)

// TestEdgeAsksDockerAlone has a host whose resolv.conf names a search domain, as EC2's does. Docker passes that on to
// containers, and asks the host's resolver for names that it does not know.
func TestEdgeAsksDockerAlone(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	address, asked := h.resolver()
	h.wrapDocker(`[[ "$1 $2" != "container create" ]] || set -- container create --dns-search eu-central-1.compute.internal --dns ` + address + ` "${@:3}"`)
	h.mustDeploy(h.mustBuild(1, app(t, "one", "")))
	h.mustDeploy(h.mustBuild(2, app(t, "two", ""))) // meanwhile nobody has its name for a moment
	h.wantAnswer(t, "two")
	resolver := net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "udp", net.JoinHostPort(address, "53"))
	}}
	if _, err := resolver.LookupHost(t.Context(), "control.example."); err == nil {
		t.Error("the resolver knows a name")
	}
	names := asked()
	if !strings.Contains(names, "control.example") {
		t.Errorf("the resolver was asked for %q, and not for the control's name", names)
	}
	if strings.Contains(names, h.app) {
		t.Errorf("the edge asks outside: %q", names)
	}
}

// resolver starts a name server. It returns its address, and a function that lists the queries so far.
func (h *host) resolver() (address string, asked func() string) {
	h.t.Helper()
	dir := h.t.TempDir()
	buildStatic(h.t, filepath.Join(dir, "resolver"), "./testdata/resolver")
	write(h.t, filepath.Join(dir, "Dockerfile"), "FROM scratch\nCOPY resolver /\nENTRYPOINT [\"/resolver\"]\n")
	image, name := h.registry+"/team/resolver:1", h.app+"-resolver"
	docker(h.t, "build --quiet --tag "+image+" "+dir)
	docker(h.t, "network create "+h.app+"-edge") // Docker lets no packet pass from one network to another
	docker(h.t, "run --detach --name "+name+" --network "+h.app+"-edge "+image)
	address = docker(h.t, "container inspect --format {{range.NetworkSettings.Networks}}{{.IPAddress}}{{end}} "+name)
	return address, func() string { return docker(h.t, "logs "+name) }
}
