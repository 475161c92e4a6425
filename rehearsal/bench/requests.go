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
	"strconv"
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

// measureRequests compares what a request costs at the edge, at a Caddy with the least configuration, in the
// application and in the simplest possible server: in processor time, which other work on the machine changes little,
// unlike throughput. All are containers, and get requests at their addresses on Docker's own networks: ports published
// on a loopback address go through Docker's proxy, which requests from outside never pass.
func (b *bench) measureRequests(ctx context.Context, report *report) error {
	if err := errors.Join(b.runHello(ctx), b.runMinimalCaddy(ctx)); err != nil {
		return err
	}
	var costs []measure
	for _, server := range []struct{ container, port string }{
		{b.edgeName(), "80"}, {b.minimalName(), "80"}, {b.servingName(), portTemplate}, {b.helloName(), "8080"},
	} {
		url, err := inspect(ctx, server.container, "http://"+addressTemplate+":"+server.port+"/")
		if err != nil {
			return err
		}
		pid, err := inspect(ctx, server.container, "{{.State.Pid}}")
		if err != nil {
			return err
		}
		costs = append(costs, func(int) (float64, error) { return costOfRequest(ctx, url, pid, benchTime) })
	}
	figures, err := b.inTurns("Processor time of a request: edge, minimal Caddy, application, bare server", "%.0f us", costs...)
	if err != nil {
		return err
	}
	edge, minimal, app, hello := figures[0], figures[1], figures[2], figures[3]
	report.add(comparison{
		name: "GET at the edge", baseline: "minimal Caddy", unit: "%.0f us", judge: ratio, here: edge, there: minimal, limit: 1.1,
		how: fmt.Sprintf("the processor time that the edge takes to pass a GET / on to the application, on %d kept connections for %d s, "+
			"each sending the next request when the last is answered; compared with the same image as `caddy reverse-proxy`", benchConnections, int(benchTime.Seconds())),
	})
	report.add(comparison{
		name: "GET at the edge", baseline: "application", unit: "%.0f us", judge: ratio, here: edge, there: app,
		how: "in the same rounds, compared with what the application takes for the request itself",
	})
	report.add(comparison{
		name: "GET of webapp", baseline: "bare net/http", unit: "%.0f us", judge: ratio, here: app, there: hello,
		how: "in the same rounds, the application, which logs every request, compared with `rehearsal/bench/hello`",
	})
	return nil
}

const (
	// addressTemplate and portTemplate are what to inspect for a container's address and an application's port.
	addressTemplate = "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}"
	portTemplate    = `{{index .Config.Labels "com.cicd.port"}}`
)

// runMinimalCaddy runs the edge's image as a proxy in front of the application, with Caddy's own command for that.
func (b *bench) runMinimalCaddy(ctx context.Context) error {
	image, err := inspect(ctx, b.edgeName(), "{{.Image}} {{range $name, $_ := .NetworkSettings.Networks}}{{$name}}{{end}}")
	if err != nil {
		return err
	}
	image, network, _ := strings.Cut(image, " ")
	app, err := inspect(ctx, b.servingName(), addressTemplate+":"+portTemplate)
	if err != nil {
		return err
	}
	_, err = docker.Run(ctx, "run", "--detach", "--name", b.minimalName(), "--network", network, "--security-opt", "no-new-privileges",
		"--log-driver", "local", image, "caddy", "reverse-proxy", "--from", ":80", "--to", app)
	return err
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

// servingName, edgeName, helloName and minimalName are patterns for container names.
func (b *bench) servingName() string { return b.Workspace.Name + "-[0-9]+-[0-9]+" } // see hooks/lib/containers.sh

func (b *bench) edgeName() string { return b.Workspace.Name + "-[0-9]+-edge" }

func (b *bench) helloName() string { return b.bare.Name + "-hello" }

func (b *bench) minimalName() string { return b.bare.Name + "-caddy" }

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

// costOfRequest sends requests to a URL for a while, as fast as they are answered, and returns the processor time in
// microseconds that the process which answers them takes for each.
func costOfRequest(ctx context.Context, url, pid string, d time.Duration) (float64, error) {
	before, err := processorTime(pid)
	if err != nil {
		return 0, err
	}
	requests, err := sendRequests(ctx, url, d)
	if err != nil {
		return 0, err
	}
	after, err := processorTime(pid)
	return float64((after - before).Microseconds()) / float64(requests), err
}

// sendRequests sends requests to a URL for a while, as fast as they are answered. All must be answered.
func sendRequests(ctx context.Context, url string, d time.Duration) (requests uint64, err error) {
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
	return m.Requests, ctx.Err()
}

// processorTime returns how long a process has run on processors: user and system time, see proc_pid_stat(5). Linux
// counts them there in hundredths of a second.
func processorTime(pid string) (time.Duration, error) {
	file := "/proc/" + pid + "/stat"
	content, err := os.ReadFile(file)
	if err != nil {
		return 0, err
	}
	_, rest, _ := strings.Cut(string(content), ") ") // the name of the command may have blanks
	fields := strings.Fields(rest)                   // from the third on
	if len(fields) < 13 {
		return 0, fmt.Errorf("%s: %q", file, content)
	}
	user, err := strconv.Atoi(fields[11])
	system, err2 := strconv.Atoi(fields[12])
	return time.Duration(user+system) * 10 * time.Millisecond, errors.Join(err, err2)
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
