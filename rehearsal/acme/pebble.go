package acme

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"time"

	"cicd/internal/freeport"
)

// startTimeout is how long Pebble may take to answer. It makes a few keys first.
const startTimeout = 20 * time.Second

// pebbleSettings are what Pebble is started with.
type pebbleSettings struct {
	program, dir string
	environment  []string
	dns          string // address
	http, https  string // ports at which domains are checked
	lifetime     time.Duration
	keys         *keys
}

// process is a running Pebble.
type process struct {
	api, management string // addresses
	keys            *keys
	command         *exec.Cmd
	ended           chan struct{}
}

// startPebble starts Pebble and waits until it answers. Its settings are those of cmd/pebble/main.go. With the
// variables, it does what a CA does without its random failures and delays (wfe.go, va.go): these are for testing ACME
// clients.
func startPebble(ctx context.Context, s pebbleSettings) (*process, error) {
	p := &process{keys: s.keys, ended: make(chan struct{})}
	var err error
	if p.api, err = freeport.Address(); err != nil {
		return nil, err
	}
	if p.management, err = freeport.Address(); err != nil {
		return nil, err
	}
	file, err := s.write(p)
	if err != nil {
		return nil, err
	}
	output, err := os.OpenFile(filepath.Join(s.dir, "pebble.log"), os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return nil, err
	}
	defer output.Close()
	p.command = exec.CommandContext(ctx, s.program, "-config", file, "-dnsserver", s.dns)
	p.command.Env = append(s.environment, "PEBBLE_VA_NOSLEEP=1", "PEBBLE_WFE_NONCEREJECT=0")
	p.command.Stdout, p.command.Stderr = output, output
	if err := p.command.Start(); err != nil {
		return nil, err
	}
	go func() {
		defer close(p.ended)
		_ = p.command.Wait() // it is killed
	}()
	if err := p.awaitAnswer(ctx); err != nil {
		p.stop()
		return nil, fmt.Errorf("pebble does not start: %w", errors.Join(err, said(output.Name())))
	}
	return p, nil
}

// write writes Pebble's settings, and returns the file's path.
func (s pebbleSettings) write(p *process) (string, error) {
	httpPort, err := strconv.Atoi(s.http)
	if err != nil {
		return "", err
	}
	tlsPort, err := strconv.Atoi(s.https)
	if err != nil {
		return "", err
	}
	content, err := json.Marshal(map[string]any{"pebble": map[string]any{
		"listenAddress": p.api, "managementListenAddress": p.management,
		"certificate": s.keys.certificate, "privateKey": s.keys.key,
		"httpPort": httpPort, "tlsPort": tlsPort, "keyAlgorithm": "ecdsa",
		"retryAfter": map[string]int{"authz": 1, "order": 1},
		"profiles":   map[string]any{"classic": map[string]any{"description": "the only one", "validityPeriod": int(s.lifetime.Seconds())}},
	}})
	if err != nil {
		return "", err
	}
	return writeFile(s.dir, "pebble.json", content)
}

// awaitAnswer waits until Pebble answers, or has ended.
func (p *process) awaitAnswer(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	for {
		_, err := p.get(ctx, "https://"+p.api+"/dir")
		if err == nil {
			return nil
		}
		select {
		case <-p.ended:
			return errors.New("it has ended")
		case <-ctx.Done():
			return err
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func (p *process) get(ctx context.Context, url string) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	response, err := p.keys.client().Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s: %s", url, response.Status)
	}
	return io.ReadAll(response.Body)
}

// stop kills Pebble and waits for its end: it has nothing to save.
func (p *process) stop() {
	_ = p.command.Process.Kill()
	<-p.ended
}

// said returns the end of what a process has printed, as an error.
func said(file string) error {
	const most = 500
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	return errors.New(string(text[max(0, len(text)-most):]))
}

// portOf returns the port of a listener.
func portOf(l net.Listener) string { return strconv.Itoa(l.Addr().(*net.TCPAddr).Port) }
