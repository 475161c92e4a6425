package deployscripts_test

import (
	"bytes"
	"context"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"
	"time"

	"cicd/automation"
	"cicd/rehearsal/aws/account"
)

// cacheTools are buildx and BuildKit, built at the versions that builds have.
type cacheTools struct{ buildx, buildkit string }

func buildCacheTools(t *testing.T) (c cacheTools) {
	t.Helper()
	if _, err := exec.LookPath("runc"); err != nil || os.Geteuid() != 0 {
		const need = "BuildKit needs runc, which comes with Docker, and root"
		if os.Getenv("CI") == "true" {
			t.Fatal(need)
		}
		t.Skip(need)
	}
	for tool, path := range map[*automation.Tool]*string{&automation.Buildx: &c.buildx, &automation.BuildKit: &c.buildkit} {
		var err error
		if *path, err = tool.Build(t.Context(), "../tools/buildkit", automation.Platform{OS: runtime.GOOS, Arch: runtime.GOARCH}, os.Stderr); err != nil {
			t.Fatal(err)
		}
	}
	return c
}

// start starts a BuildKit that has built nothing yet, as on a fresh machine, and returns its address.
func (c cacheTools) start(t *testing.T) string {
	t.Helper()
	root, err := os.MkdirTemp("", "deploytest-buildkit-") // a socket's path has to be short
	if err != nil {
		t.Fatal(err)
	}
	socket := filepath.Join(root, "socket")
	daemon := exec.Command(c.buildkit, "--root", filepath.Join(root, "data"), "--addr", "unix://"+socket, "--oci-worker-net=host", "--containerd-worker=false")
	said := &bytes.Buffer{}
	daemon.Stdout, daemon.Stderr = said, said
	if err := daemon.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = daemon.Process.Signal(os.Interrupt)
		_ = daemon.Wait()
		if err := os.RemoveAll(root); err != nil {
			t.Error(err)
		}
	})
	if !await(30*time.Second, func() bool {
		conn, err := (&net.Dialer{}).DialContext(context.Background(), "unix", socket)
		if err == nil {
			conn.Close()
		}
		return err == nil
	}) {
		t.Fatalf("BuildKit does not start:\n%s", said)
	}
	return "unix://" + socket
}

// buildKitVersion is that of the builds' BuildKit.
func buildKitVersion(t *testing.T) string {
	t.Helper()
	match := regexp.MustCompile(`(?m)^readonly BUILDKIT=(v\S+)$`).FindStringSubmatch(readFile(t, "build/cache.sh"))
	if match == nil {
		t.Fatal("build/cache.sh names no version of BuildKit")
	}
	return match[1]
}

// TestOneBuildKit: tests use the version that builds have.
func TestOneBuildKit(t *testing.T) {
	t.Parallel()
	if pinned, want := readFile(t, "../tools/buildkit/go.mod"), "github.com/moby/buildkit "+buildKitVersion(t)+" "; !strings.Contains(pinned, want) {
		t.Errorf("tools/buildkit/go.mod does not require %q, which builds have", want)
	}
}

// cached lets a host's builds use a cache, with buildx. Its BuildKit is that at the address in MACHINE, because a machine for
// tests may not have a privileged container; and what stands for BuildKit's image, which nothing runs, is the edge's.
func (h *host) cached(c cacheTools, calls string) {
	t := h.t
	t.Helper()
	h.declare(account.Repository, "team/cache", map[string]any{"name": "team/cache", "imageTagMutability": "MUTABLE",
		"arn": "arn:aws:ecr:eu-central-1:123456789012:repository/team/cache"})
	h.grant(granted)
	h.env = append(h.env, "CACHE_URL="+h.registry+"/team/cache")
	plugins := filepath.Join(h.home, ".docker", "cli-plugins")
	if err := os.MkdirAll(plugins, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(c.buildx, filepath.Join(plugins, "docker-buildx")); err != nil {
		t.Fatal(err)
	}
	h.wrapDocker(`echo "$*" >>` + calls + `
case "$*" in
  'pull --quiet moby/buildkit:'*) exit ;;
  'tag moby/buildkit:'*) set -- tag "$EDGE_IMAGE" "$3" ;;
  'buildx create '*) set -- buildx create --name "$4" --driver remote "$MACHINE" ;;
esac`)
}

// TestLayerCache builds two commits on fresh machines: the second has the layers of the first, and not only those of the last
// stage.
func TestLayerCache(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	calls := filepath.Join(t.TempDir(), "calls")
	tools := buildCacheTools(t)
	h.cached(tools, calls)
	dependencies := filepath.Join(t.TempDir(), "dependencies")
	buildStatic(t, dependencies, "./testdata/dependencies")
	program, err := os.ReadFile(dependencies)
	if err != nil {
		t.Fatal(err)
	}
	fill := func(version string) func(string) {
		return func(webapp string) {
			app(t, version, "")(webapp)
			write(t, filepath.Join(webapp, "dependencies"), string(program))
			edit(t, filepath.Join(webapp, "Dockerfile"), "FROM scratch\n", `FROM scratch AS build
COPY dependencies /dependencies
RUN ["/dependencies"]
COPY app /app
FROM scratch
COPY --from=build /proof /proof
`)
		}
	}
	build := func(n int, version string) (proof, output string, took time.Duration) {
		machine := tools.start(t)
		docker(t, "image rm --force "+h.registry+"/team/cache:buildkit-"+buildKitVersion(t)+"-"+runtime.GOARCH)
		began := time.Now()
		bundle, output, err := h.build(commitID(n), fill(version), "MACHINE="+machine)
		if err != nil {
			t.Fatalf("build %d: %v\n%s", n, err, output)
		}
		return string(layers(t, released(t, bundle))["proof"]), output, time.Since(began)
	}
	proof, output, first := build(1, "one")
	again, cached, second := build(2, "two")
	if proof == "" || again != proof || !strings.Contains(cached, "CACHED") || strings.Contains(output, "CACHED") {
		t.Errorf("the dependencies are %q and then %q, want the same again, from the cache:\n%s\n%s", proof, again, output, cached)
	}
	t.Logf("a build took %s, and %s with its layers, both on an empty machine", first.Round(time.Millisecond), second.Round(time.Millisecond))
	_, failed, err := h.build(commitID(3), func(webapp string) {
		fill("three")(webapp)
		edit(t, filepath.Join(webapp, "Dockerfile"), `COPY app /app\nFROM`, "RUN [\"/nothing\"]\nFROM")
	}, "MACHINE="+tools.start(t))
	if err == nil || !strings.HasSuffix(failed, "was not built: docker build failed\n") || !strings.Contains(failed, "/nothing: no such file or directory") || strings.Contains(failed, "daemon") {
		t.Errorf("a Dockerfile that fails: %v, want its error and no other:\n%s", err, failed)
	}
	recorded, err := os.ReadFile(calls)
	if pulls := strings.Count(string(recorded), "pull --quiet moby/buildkit:"+buildKitVersion(t)+"\n"); err != nil || pulls != 1 {
		t.Errorf("BuildKit's image was pulled %d times from Docker Hub (%v), want once:\n%s", pulls, err, recorded)
	}
	if removed := strings.Count(string(recorded), "buildx rm --force cicd-"); removed != 3 {
		t.Errorf("%d builders were removed, want 3:\n%s", removed, recorded)
	}
}

// TestNoLayerCache: without a cache, the build says why, and builds.
func TestNoLayerCache(t *testing.T) {
	t.Parallel()
	const plugin = `[[ "$1" != buildx ]] || exit 0`
	for name, tt := range map[string]struct {
		docker string // what docker does first
		env    string
		want   string // in the log
		noted  bool   // people are told
	}{
		"no plugin":       {`[[ "$1" != buildx ]] || exit 1`, "", "image.sh: no layer cache: docker has no plugin buildx here", false},
		"taken":           {plugin, "DOCKER_AUTH_CONFIG={}", "image.sh: no layer cache: it needs DOCKER_AUTH_CONFIG, which this build has set", false},
		"image from here": {plugin + "\n[[ \"$1 $2 $5\" != 'image inspect base' ]] || { echo 0; exit; }", "", "no layer cache: its builder would not find the image base, which was made on this machine", false},
		"Docker Hub": {plugin + "\n[[ \"$*\" != *pull* ]] || { echo 'toomanyrequests: You have reached your pull rate limit' >&2; exit 1; }", "",
			"warning: no layer cache, so this build may take longer: toomanyrequests: You have reached your pull rate limit", true},
		"no builder": {"[[ \"$1 $2\" != 'buildx create' ]] || { echo 'ERROR: no space left on device'; exit 1; }\n" + plugin, "",
			"warning: no layer cache, so this build may take longer: ERROR: no space left on device", true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			build := imageScript{dockerfile: "FROM base\n", docker: tt.docker, env: []string{"CACHE_URL=registry.example.com/app-cache", tt.env}}
			output, err := build.run(t)
			if err != nil || strings.Count(output, tt.want+"\n") != 1 {
				t.Errorf("build: %v, want one line with %q:\n%s", err, tt.want, output)
			}
			if got := build.got(t, "arguments"); got[0] != "build" {
				t.Errorf("docker got %q, want a plain build", got)
			}
			notes, err := os.ReadFile(filepath.Join(build.source, "deploy-scripts", "notes.txt"))
			if err != nil || strings.Contains(string(notes), "no layer cache") != tt.noted {
				t.Errorf("the notes are %q (%v), want the reason there: %v", notes, err, tt.noted)
			}
		})
	}
}
