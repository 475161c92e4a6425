package deployscripts_test

import (
	"context"
	"crypto/rand"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"

	"cicd/automation"
)

var (
	caddyImage = fmt.Sprintf("deploytest-caddy:%d", os.Getpid())
	caddyOnce  sync.Once
	caddyMade  bool
)

// docker runs a command line and returns what it prints.
func docker(t *testing.T, command string) string {
	t.Helper()
	out, err := exec.Command("docker", strings.Fields(command)...).CombinedOutput()
	if err != nil {
		t.Errorf("docker %s: %v: %s", command, err, out)
	}
	return strings.TrimSpace(string(out))
}

// wrapDocker runs bash code before each docker command of the hooks. In it, $real is docker itself. Docker has no
// CloudWatch here: what is to go there stays with Docker, and the options for it are noted in the host's home.
func (h *host) wrapDocker(script string) {
	h.t.Helper()
	real, err := exec.LookPath("docker")
	if err != nil {
		h.t.Fatal(err)
	}
	write(h.t, filepath.Join(h.home, "docker"), "#!/bin/bash\nreal="+real+"\n"+script+`
if [[ " $* " == *' --log-driver awslogs '* ]]; then
  arguments=() noted=''
  while (($# > 0)); do
    case "$1 $2" in
      '--log-driver awslogs') arguments+=(--log-driver local) && shift 2 ;;
      --log-opt\ *) noted+=" $2" && shift 2 ;;
      *) arguments+=("$1") && shift ;;
    esac
  done
  echo "$noted" >>"${BASH_SOURCE[0]%/*}/logs"
  set -- "${arguments[@]}"
fi
exec "$real" "$@"
`)
}

// remove runs a command on what another command lists.
func remove(t *testing.T, command, list string) {
	if found := docker(t, list); found != "" {
		docker(t, command+" "+found)
	}
}

// removeImages removes images by their names, not ids: another test may have the same image under another name.
func removeImages(t *testing.T, reference string) {
	t.Helper()
	for _, line := range strings.Fields(docker(t, "image ls --digests --format {{.Repository}},{{.Tag}},{{.Digest}} --filter reference="+reference)) {
		part := strings.Split(line, ",")
		if part[1] != "<none>" {
			docker(t, "image rm "+part[0]+":"+part[1])
		} else {
			docker(t, "image rm "+part[0]+"@"+part[2])
		}
	}
}

// edgeImage returns an image with nothing but Caddy. It is made once.
func edgeImage(t *testing.T) string {
	t.Helper()
	caddyOnce.Do(func() {
		caddy, err := automation.Caddy.Build(context.Background(), "../tools", automation.Platform{OS: "linux", Arch: runtime.GOARCH}, os.Stderr)
		if err != nil {
			t.Fatal(err)
		}
		dir := t.TempDir()
		write(t, filepath.Join(dir, "Dockerfile"), "FROM scratch\nCOPY caddy /usr/bin/caddy\n")
		copyFile(t, caddy, filepath.Join(dir, "caddy"))
		caddyMade = true
		docker(t, "build --quiet --tag "+caddyImage+" "+dir)
	})
	return caddyImage
}

var (
	appOnce   sync.Once
	appBinary []byte
)

// app returns a function that puts the test application into webapp/: a Dockerfile and a binary, without a Makefile.
func app(t *testing.T, version, mode string) func(string) {
	t.Helper()
	appOnce.Do(func() {
		binary := filepath.Join(t.TempDir(), "app")
		buildStatic(t, binary, "./testdata/app")
		appBinary, _ = os.ReadFile(binary)
	})
	// No two have a layer in common: when a test removes its image while another's is being tagged, Docker may take the same
	// image for unused.
	binary := string(appBinary) + rand.Text()
	return func(webapp string) {
		write(t, filepath.Join(webapp, "app"), binary)
		write(t, filepath.Join(webapp, "Dockerfile"), fmt.Sprintf("FROM scratch\nCOPY app /app\nENV VERSION=%s MODE=%s\nENTRYPOINT [\"/app\"]\n", version, mode))
	}
}

// buildStatic compiles a program for an image that has nothing else.
func buildStatic(t *testing.T, binary, source string) {
	t.Helper()
	cmd := exec.Command("go", "build", "-ldflags=-s -w", "-o", binary, source)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH="+runtime.GOARCH)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v: %s", err, out)
	}
}
