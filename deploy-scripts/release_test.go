package deployscripts_test

import (
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestReleasesLoseNoRequest(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	one, two, three := h.mustBuild(1, app(t, "one", "")), h.mustBuild(2, app(t, "two", "")), h.mustBuild(3, app(t, "three", ""), "CONTAINER_PORT=9090")
	h.mustDeploy(one)
	if got := h.answer(); got != "one" {
		t.Fatalf("answer %q, want that of release one", got)
	}
	load := startLoad(h.plain(), 2)
	h.services.parameters["/cicd/dev/TOKEN"] = "token"
	settle(t, two, slices.Concat([]string{"SECRET TOKEN=/cicd/dev/TOKEN"}, command("print", "TOKEN"), process("worker", "work"))...)
	h.mustDeploy(two)
	h.wantAnswer(t, "two")
	h.mustDeploy(two) // the same again
	load.stop(h)

	h.mustDeploy(three) // on another port
	h.wantAnswer(t, "three")
	if got := strings.Fields(h.names()); len(got) != 2 || !strings.Contains(h.names(), "9090") {
		t.Errorf("containers %q, want the edge and the one on port 9090", got)
	}
	images := docker(t, "image ls --digests --format {{.Digest}} "+h.registry+"/team/app")
	if got := strings.Count(images, "sha256:"); got != 2 {
		t.Errorf("%d released images are kept, want 2, the running and the previous one:\n%s", got, images)
	}
	if got := docker(t, "container inspect --format {{.HostConfig.RestartPolicy.Name}} "+h.app+"-9090"); got != "unless-stopped" {
		t.Errorf("restart policy %q, want one that survives a reboot", got)
	}
}

// TestReleasesOverHTTPS has a domain: the same clients come over TLS, streams over HTTP/2 too, and one release also changes the
// edge's configuration.
func TestReleasesOverHTTPS(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	ca := h.certify()
	one, two, three := h.mustBuild(1, app(t, "one", "")), h.mustBuild(2, app(t, "two", "")), h.mustBuild(3, app(t, "three", ""))
	settle(t, one, "DOMAIN="+domain)
	h.mustDeploy(one)
	h.wantHTTPS(ca, "one")
	load := startLoad(h.secure(ca), 0) // a slow request may outlive the old configuration, see edge.sh
	h.services.parameters["/cicd/dev/TOKEN"] = "token"
	settle(t, two, slices.Concat([]string{"DOMAIN=" + domain, "SECRET TOKEN=/cicd/dev/TOKEN"}, command("print", "TOKEN"), process("worker", "work"))...)
	h.mustDeploy(two)
	h.wantHTTPS(ca, "two")
	settle(t, three, "DOMAIN="+domain)
	edit(t, filepath.Join(three, "edge", "domain.caddyfile"), `\{\n`, "{\n\t# another configuration\n")
	h.mustDeploy(three)
	load.stop(h)
	h.wantHTTPS(ca, "three")
}

func TestFailedReleaseLeavesOldServing(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	h.mustDeploy(h.mustBuild(1, app(t, "old", "")))
	tests := []struct {
		name  string
		fill  func(string)
		spoil [2]string // text in release.env, and what replaces it
		want  string
	}{
		{"never healthy", app(t, "bad", "unhealthy"), [2]string{}, `did not answer 200 on port 8080, path /healthz, 3 times in a row within 3 s \(last status: 503\)`},
		{"refuses the Host header", app(t, "bad", "asks-host"), [2]string{"HEALTH_HOST=.*", "HEALTH_HOST=192.0.2.1"}, `\(last status: 400\): it may refuse the header 'Host: 192.0.2.1'`},
		{"listens on the loopback interface", app(t, "bad", "loopback"), [2]string{}, `\(last status: (closed|reset|refused)\): it listens on the loopback interface alone`},
		{"listens on another port", app(t, "bad", "elsewhere"), [2]string{}, `\(last status: (closed|reset|refused)\): it does not listen on port 8080, but on 3000`},
		{"hangs up", app(t, "bad", "hangs-up"), [2]string{}, `\(last status: closed\): it accepts a connection and ends it without an answer`},
		{"comes and goes", app(t, "bad", "flapping"), [2]string{}, `did not answer 200`},
		{"ends at once", app(t, "bad", "exits"), [2]string{}, `ended with exit code 3 before it was healthy; its last output: cannot reach the database`},
		{"cannot be started", func(webapp string) {
			write(t, filepath.Join(webapp, "Dockerfile"), "FROM scratch\nCOPY Dockerfile /\nENTRYPOINT [\"/absent\"]\n")
		}, [2]string{}, `does not start: .*/absent`},
		{"image that is not in the registry", app(t, "bad", ""), [2]string{"@sha256:.{8}", "@sha256:00000000"}, `cannot be pulled: .*(not found|unknown)`},
		{"wrong port", app(t, "bad", ""), [2]string{"CONTAINER_PORT=8080", "CONTAINER_PORT=x"}, `CONTAINER_PORT 'x': want a port number`},
	}
	for i, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			bundle := h.mustBuild(100+i, tt.fill)
			if tt.spoil[0] != "" {
				edit(t, filepath.Join(bundle, "release.env"), tt.spoil[0], tt.spoil[1])
			}
			output, err := h.deploy(bundle, "HEALTH_SECONDS=3")
			if err == nil {
				t.Fatalf("the deployment succeeded:\n%s", output)
			}
			if !regexp.MustCompile(tt.want).MatchString(lastLine(output)) {
				t.Errorf("last line %q, want a match of %q; all:\n%s", lastLine(output), tt.want, output)
			}
			const last, meanwhile = "last status: 503", "is not healthy yet (status: 503)"
			if strings.Contains(lastLine(output), last) && !strings.Contains(output, meanwhile) {
				t.Errorf("nothing is said while it waits, want %q; all:\n%s", meanwhile, output)
			}
			h.wantAnswer(t, "old")
			if got := strings.Fields(h.names()); len(got) != 2 {
				t.Errorf("containers %q, want the edge and the old release", got)
			}
		})
	}
}

// edit replaces the matches of a pattern in a file.
func edit(t *testing.T, path, pattern, replacement string) {
	t.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	changed := regexp.MustCompile(pattern).ReplaceAllLiteralString(string(raw), replacement)
	if changed == string(raw) {
		t.Fatalf("%s has nothing that matches %q", path, pattern)
	}
	write(t, path, changed)
}

// TestUnusualHealthPaths has an application that needs 3 s for each answer of its health path, and one that wants its own name in the
// header Host.
func TestUnusualHealthPaths(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	for i, mode := range []string{"thinks", "asks-host"} {
		h.mustDeploy(h.mustBuild(i+1, app(t, mode, mode)))
		h.wantAnswer(t, mode)
	}
}

func TestEdge(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	h.mustDeploy(h.mustBuild(1, app(t, "one", "")))
	bundle := h.mustBuild(2, app(t, "two", ""))
	caddyfile := filepath.Join(bundle, "edge", "Caddyfile")
	edgeID := func() string { return docker(t, "container inspect --format {{.Id}} "+h.app+"-edge") }
	before := edgeID()

	edit(t, caddyfile, "\treverse_proxy", "\tno_such_directive\n\treverse_proxy")
	if output, err := h.deploy(bundle); err == nil || !strings.Contains(lastLine(output), "the edge rejects edge/Caddyfile") {
		t.Errorf("deploy with a bad Caddyfile: %v, last line %q", err, lastLine(output))
	}
	h.wantAnswer(t, "one")

	edit(t, caddyfile, "no_such_directive", "header X-Edge changed")
	h.mustDeploy(bundle)
	if got := h.edgeHeader(); got != "changed" || edgeID() != before {
		t.Errorf("header %q, want that of the changed configuration, in the same edge", got)
	}
	docker(t, "container restart "+h.app+"-edge")
	if got := h.edgeHeader(); got != "changed" {
		t.Errorf("header %q after a restart, want the configuration that was loaded last", got)
	}

	old := h.edge
	h.edge = freeAddress(t)
	h.mustDeploy(bundle, "EDGE_PORT="+h.edge)
	h.wantAnswer(t, "two")
	if _, err := http.Get("http://" + old + "/"); err == nil {
		t.Error("the old port still answers")
	}
	if output, err := h.deploy(bundle, "EDGE_PORT="+h.registry); err == nil || !strings.Contains(lastLine(output), "the old one keeps running") {
		t.Errorf("deploy on a port that is taken: %v, last line %q", err, lastLine(output))
	}
	h.wantAnswer(t, "two")
}

// edgeHeader returns the header X-Edge of an answer. It waits for an edge that is still starting.
func (h *host) edgeHeader() string {
	h.t.Helper()
	var header string
	answers := func() bool {
		response, err := http.Get("http://" + h.edge + "/")
		if err != nil {
			return false
		}
		header = response.Header.Get("X-Edge")
		return response.Body.Close() == nil
	}
	if !await(5*time.Second, answers) {
		h.t.Fatal("the edge does not answer")
	}
	return header
}

func TestRegistryIsAwayForAMoment(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	bundle := h.mustBuild(1, app(t, "one", ""))
	h.mu.Lock()
	h.unavailable = 2
	h.mu.Unlock()
	h.mustDeploy(bundle)
	h.wantAnswer(t, "one")
}

// TestPullEndsInTime has a slow login and a slow pull: each fits the limit, but not both together.
func TestPullEndsInTime(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	bundle := h.mustBuild(1, app(t, "one", ""))
	h.wrapDocker(`case "$1 $2" in 'login --username' | 'image pull') sleep 4 ;; esac`)
	edit(t, filepath.Join(bundle, "hooks", "lib", "pull.sh"), `PULL_SECONDS=\d+`, "PULL_SECONDS=6")
	output, err := h.deploy(bundle)
	if err == nil || !strings.Contains(lastLine(output), "cannot be pulled: it took longer than 6 s: release again") {
		t.Errorf("deploy: %v, want the exceeded limit as the last line:\n%s", err, output)
	}
}

func TestApplicationThatIsNotGo(t *testing.T) {
	t.Parallel()
	compiler, err := exec.LookPath("gcc")
	if err != nil && os.Getenv("CI") == "true" {
		t.Fatal(err)
	}
	if err != nil {
		t.Skip("needs gcc")
	}
	h := newHost(t)
	h.mustDeploy(h.mustBuild(1, func(webapp string) {
		copyFile(t, "testdata/c/Dockerfile", filepath.Join(webapp, "Dockerfile"))
		if out, err := exec.Command(compiler, "-static", "-Os", "-o", filepath.Join(webapp, "server"), "testdata/c/server.c").CombinedOutput(); err != nil {
			t.Fatalf("gcc: %v: %s", err, out)
		}
	}))
	h.wantAnswer(t, "C")
}

func TestValidateRefusesAnotherRelease(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	h.mustDeploy(h.mustBuild(1, app(t, "one", "")))
	for commit, version := range map[int]string{2: "two", 3: "one"} { // the third is another commit with the same image
		out, err := h.run(h.hook(h.mustBuild(commit, app(t, version, "")), "hooks/validate.sh"))
		last := lastLine(out)
		if err == nil || !strings.Contains(last, "want "+h.registry+"/team/app@sha256:") || !strings.Contains(last, "of commit "+commitID(commit)) {
			t.Errorf("validate.sh: %v, last line %q, want it to name image and commit", err, last)
		}
	}
}
