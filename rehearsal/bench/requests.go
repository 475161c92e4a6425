package bench

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"cicd/rehearsal/load"

	"cicd/internal/docker"

	vegeta "github.com/tsenart/vegeta/v12/lib"
)

const (
	// benchConnections is the number of connections; each sends its next request as soon as the last is answered.
	benchConnections = 50
	// benchTime is how long requests are sent to one address in each round.
	benchTime = 4 * time.Second
)

// bareHello is a web server that only answers.
//
//go:embed hello/main.go
var bareHello string

// measureRequests compares the throughput of the edge, the application and the simplest possible server. All are containers,
// and get requests at their addresses on Docker's own networks: ports published on a loopback address go through Docker's
// proxy, which requests from outside never pass, and which is slower than any of them.
func (b *bench) measureRequests(ctx context.Context, report *report) error {
	if err := b.runHello(ctx); err != nil {
		return err
	}
	var throughputs []measure
	for _, server := range []struct{ container, port string }{
		{b.Workspace.Name + "-[0-9]+-edge", "80"}, {b.servingName(), `{{index .Config.Labels "com.cicd.port"}}`}, {b.helloName(), "8080"},
	} {
		url, err := inspect(ctx, server.container, "http://{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}:"+server.port+"/")
		if err != nil {
			return err
		}
		throughputs = append(throughputs, func(int) (float64, error) { return requestsPerSecond(ctx, url, benchTime) })
	}
	figures, err := b.inTurns("Requests through the edge, compared with the application and a bare server", "%.0f/s", throughputs...)
	if err != nil {
		return err
	}
	how := fmt.Sprintf("GET / on %d kept connections for %d s, each sending the next request when the last is answered; "+
		"the load generator shares the machine. ", benchConnections, int(benchTime.Seconds()))
	report.add(comparison{
		name: "GET through edge", baseline: "app alone", unit: "%.0f/s", judge: ratio, here: figures[0], there: figures[1],
		how: how + "The edge in front of the application, compared with the application itself",
	})
	report.add(comparison{
		name: "GET of webapp", baseline: "bare net/http", unit: "%.0f/s", judge: ratio, here: figures[1], there: figures[2],
		how: "in the same rounds, the application, which logs every request, compared with `rehearsal/bench/hello`",
	})
	return nil
}

// runHello builds and runs the simplest possible server, in the way the application is built and run.
func (b *bench) runHello(ctx context.Context) error {
	dir, err := b.bare.MakeDir("hello")
	if err != nil {
		return err
	}
	for name, text := range map[string]string{
		"go.mod": "module hello\n\ngo 1.22\n", "main.go": bareHello, "Dockerfile": "FROM scratch\nCOPY hello /hello\nENTRYPOINT [\"/hello\"]\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			return err
		}
	}
	build := exec.CommandContext(ctx, "go", "build", "-trimpath", "-ldflags=-s -w", "-o", "hello", ".")
	build.Dir, build.Env = dir, append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOWORK=off")
	if out, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("building the bare server: %w: %s", err, out)
	}
	name := b.helloName()
	if _, err := docker.Run(ctx, "build", "--quiet", "--force-rm", "--tag", name, dir); err != nil {
		return err
	}
	_, err = docker.Run(ctx, "run", "--detach", "--name", name, "--security-opt", "no-new-privileges", "--log-driver", "local", name)
	return err
}

// servingName and helloName are patterns for container names.
func (b *bench) servingName() string { return b.Workspace.Name + "-[0-9]+-[0-9]+" } // see hooks/lib/containers.sh

func (b *bench) helloName() string { return b.bare.Name + "-hello" }

// inspect applies a template to the one running container whose name matches a pattern.
func inspect(ctx context.Context, pattern, template string) (string, error) {
	ids, err := docker.Run(ctx, "ps", "--quiet", "--filter", "name=^/"+pattern+"$")
	if err != nil {
		return "", err
	}
	found := strings.Fields(ids)
	if len(found) != 1 {
		return "", fmt.Errorf("%d containers run that are called %s, want one", len(found), pattern)
	}
	about, err := docker.Run(ctx, "inspect", "--format", template, found[0])
	return strings.TrimSpace(about), err
}

// requestsPerSecond sends requests to a URL for a while, as fast as they are answered. All must be answered.
func requestsPerSecond(ctx context.Context, url string, d time.Duration) (float64, error) {
	connections := &http.Transport{MaxIdleConnsPerHost: benchConnections} // no proxy: the addresses are this machine's own
	defer connections.CloseIdleConnections()
	attacker := vegeta.NewAttacker(vegeta.Client(&http.Client{Transport: connections, Timeout: 15 * time.Second}),
		vegeta.Workers(benchConnections), vegeta.MaxWorkers(benchConnections))
	stop := context.AfterFunc(ctx, func() { attacker.Stop() })
	defer stop()
	var m load.Measurement
	unpaced := vegeta.Rate{}
	for result := range attacker.Attack(vegeta.NewStaticTargeter(vegeta.Target{Method: http.MethodGet, URL: url}), unpaced, d, "") {
		m.Add(result)
	}
	m = m.Summed()
	if m.Failed > 0 && ctx.Err() == nil {
		return 0, errors.New(m.Explain())
	}
	return float64(m.Requests) / m.Seconds, ctx.Err()
}

// measureImage measures the image that a host pulls and stores.
func (b *bench) measureImage(ctx context.Context, report *report) error {
	image, err := inspect(ctx, b.servingName(), "{{.Image}}")
	if err != nil {
		return err
	}
	size, err := docker.Run(ctx, "image", "inspect", "--format", "{{.Size}}", image)
	if err != nil {
		return err
	}
	var n float64
	if _, err := fmt.Sscan(size, &n); err != nil {
		return fmt.Errorf("size of %s: %w", image, err)
	}
	report.add(comparison{
		name: "image of webapp", unit: "%.2f MB", judge: itself, here: []float64{n / 1e6}, limit: 8,
		how: "the size of the image as Docker stores it, uncompressed; 1 MB is 1,000,000 bytes",
	})
	return nil
}
