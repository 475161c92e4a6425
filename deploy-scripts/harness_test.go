// Package deployscripts_test runs the scripts as CodeBuild and CodeDeploy's agent do, with real Docker and the real edge.
// ECR and the AWS CLI are the rehearsal's.
package deployscripts_test

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"cicd/internal/docker/dockertest"
	"cicd/internal/freeport"
	"cicd/rehearsal/aws/account"
	"cicd/rehearsal/aws/cli"
)

func TestMain(m *testing.M) {
	if filepath.Base(os.Args[0]) == "aws" {
		if isServices(os.Args[1:]) {
			os.Exit(runServices(os.Args[1:], os.Stdout, os.Stderr))
		}
		os.Exit(cli.Main(os.Args[1:], os.Stdout, os.Stderr))
	}
	code := m.Run()
	if caddyMade {
		_ = exec.Command("docker", "image", "rm", caddyImage).Run()
	}
	os.Exit(code)
}

// hosts counts the hosts, to name them.
var hosts atomic.Int64

// host is a machine to release to, with its registry and build machine.
type host struct {
	t        *testing.T
	app      string // prefix of its Docker objects
	edge     string // address at which its port 80 answers
	edgeTLS  string // and port 443
	registry string // address
	account  *account.Account
	services *services
	home     string
	tmp      string              // where scripts make their temporary files
	env      []string            // of builds and hooks
	settings string              // of the stack, which builds fetch
	notes    string              // of the last build
	umask    string              // of builds and hooks; "" for the test's own
	user     *syscall.Credential // of hooks; nil for the test's own

	// unavailable is how many requests the registry refuses before it recovers.
	mu          sync.Mutex
	unavailable int
}

func newHost(t *testing.T, env ...string) *host {
	t.Helper()
	dockertest.Need(t)
	h := &host{t: t, app: fmt.Sprintf("deploytest-%d-%d", os.Getpid(), hosts.Add(1)), edge: freeAddress(t), edgeTLS: freeAddress(t), home: t.TempDir(), tmp: t.TempDir(), settings: settings}
	aws := h.startAWS()
	// The build must not look like a part of the make that may run this test: its flags and level would show in the output.
	h.env = append(os.Environ(), "MAKEFLAGS=", "MAKELEVEL=", "PATH="+h.home+":"+os.Getenv("PATH"), "HOME="+h.home, "TMPDIR="+h.tmp, "APP_NAME="+h.app, "EDGE_PORT="+h.edge, "EDGE_TLS_PORT="+h.edgeTLS,
		"EDGE_IMAGE="+edgeImage(t),
		"GOCACHE="+goEnv(t, "GOCACHE"), "GOPATH="+goEnv(t, "GOPATH"),
		"REPOSITORY_URL="+h.registry+"/team/app", "CONTAINER_PORT=8080", "HEALTH_PATH=/healthz", "HEALTH_HOST=app.example.com", "GOARCH="+runtime.GOARCH, "AWS_REGION=eu-central-1",
		"SETTINGS=artifacts/_stack/settings.env", "APP_PATH=webapp", "DOCKERFILE=Dockerfile", "BUILD_TARGET=", "IMAGE_VARIANT=")
	h.env = slices.Concat(h.env, aws, env)
	h.wrapDocker("")
	t.Cleanup(func() {
		remove(t, "container rm --force --volumes", "container ls --all --quiet --filter name=^/"+h.app+"-")
		remove(t, "volume rm --force", "volume ls --quiet --filter name=^"+h.app+"-")
		remove(t, "network rm", "network ls --quiet --filter name=^"+h.app+"-")
		removeImages(t, h.registry+"/*/*")
	})
	return h
}

func goEnv(t *testing.T, name string) string {
	t.Helper()
	out, err := exec.Command("go", "env", name).Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(out))
}

func freeAddress(t *testing.T) string {
	t.Helper()
	address, err := freeport.Address()
	if err != nil {
		t.Fatal(err)
	}
	return address
}

// answer returns what the application says through the edge.
func (h *host) answer() string { return answerAt(h.edge) }

// wantAnswer checks which version of testdata/app answers at the host's edge.
func (h *host) wantAnswer(t *testing.T, version string) {
	t.Helper()
	if got := h.answer(); got != version {
		t.Errorf("the edge answers %q, want %q", got, version)
	}
}

func answerAt(address string) string {
	response, err := http.Get("http://" + address + "/")
	if err != nil {
		return err.Error()
	}
	defer response.Body.Close()
	body, _ := io.ReadAll(response.Body)
	return string(body)
}

// names returns the host's containers, without the prefix, unordered.
func (h *host) names() string {
	return strings.ReplaceAll(docker(h.t, "container ls --all --format {{.Names}} --filter name=^/"+h.app+"-"), h.app+"-", "")
}

// lastLine is the line that an operator sees first.
func lastLine(output string) string {
	lines := strings.Split(strings.TrimSpace(output), "\n")
	return lines[len(lines)-1]
}

// await waits until a condition holds, and returns whether it did within the limit.
func await(limit time.Duration, so func() bool) bool {
	over := time.After(limit)
	for again := time.Tick(50 * time.Millisecond); ; {
		if so() {
			return true
		}
		select {
		case <-over:
			return false
		case <-again:
		}
	}
}
