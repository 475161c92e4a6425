// Package deployscripts_test runs the scripts as CodeBuild and CodeDeploy's agent do, with real Docker, a real registry and
// the real edge. Only the AWS CLI is a fake, which this test binary plays itself.
package deployscripts_test

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log"
	"net/http"
	"net/http/httptest"
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

	"github.com/google/go-containerregistry/pkg/registry"
	"sigs.k8s.io/yaml"
)

// fakeAWS makes this binary the AWS CLI; its value is the address of the registry.
const fakeAWS = "DEPLOYSCRIPTS_TEST_FAKE_AWS"

func TestMain(m *testing.M) {
	if address := os.Getenv(fakeAWS); address != "" {
		os.Exit(aws(address, os.Args[1:]))
	}
	code := m.Run()
	if caddyMade {
		_ = exec.Command("docker", "image", "rm", caddyImage).Run()
	}
	os.Exit(code)
}

// Variables that have the beginning of the calls that ECR refuses, and of those that it does not answer.
const (
	denied = "DENIED"
	mute   = "MUTE"
)

// aws answers the two calls that the scripts make. Like version 1 of the AWS CLI it knows no region but --region.
func aws(registry string, args []string) int {
	command := strings.Join(args, " ")
	if !strings.Contains(command, " --region eu-central-1") {
		fmt.Fprintln(os.Stderr, "You must specify a region. You can also configure your region by running \"aws configure\".")
		return 253
	}
	switch {
	case os.Getenv(mute) != "" && strings.HasPrefix(command, os.Getenv(mute)):
		time.Sleep(time.Hour)
		return 255
	case os.Getenv(denied) != "" && strings.HasPrefix(command, os.Getenv(denied)):
		fmt.Fprintln(os.Stderr, "An error occurred (AccessDeniedException) when calling the operation: not authorized to perform it")
		return 254
	case strings.HasPrefix(command, "ecr get-login-password "):
		fmt.Println("token")
		return 0
	case strings.HasPrefix(command, "ecr describe-images "):
		_, tag, _ := strings.Cut(command, "imageTag=")
		tag, _, _ = strings.Cut(tag, " ")
		answer, err := http.Head("http://" + registry + "/v2/team/app/manifests/" + tag)
		if err == nil && answer.StatusCode == http.StatusOK {
			fmt.Println(answer.Header.Get("Docker-Content-Digest"))
			return 0
		}
		fmt.Fprintln(os.Stderr, "\nAn error occurred (ImageNotFoundException) when calling the DescribeImages operation: The image does not exist")
		return 254
	}
	fmt.Fprintln(os.Stderr, "unexpected call: aws", command)
	return 252
}

// hosts counts those that were made, to name them.
var hosts atomic.Int64

// host is a machine that is released to, and the registry and build machine that go with it.
type host struct {
	t        *testing.T
	app      string // prefix of its Docker objects
	edge     string // address at which its port 80 answers
	registry string // address
	home     string
	tmp      string              // where scripts make their temporary files
	env      []string            // of builds and hooks
	umask    string              // of builds and hooks, the test's own when empty
	user     *syscall.Credential // whom hooks run as, the test's own when nil

	// unavailable is how many requests the registry refuses before it works again.
	mu          sync.Mutex
	unavailable int
}

func newHost(t *testing.T, env ...string) *host {
	t.Helper()
	dockertest.Need(t)
	h := &host{t: t, app: fmt.Sprintf("deploytest-%d-%d", os.Getpid(), hosts.Add(1)), edge: freeAddress(t), home: t.TempDir(), tmp: t.TempDir()}
	handler := registry.New(registry.Logger(log.New(io.Discard, "", 0)))
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h.mu.Lock()
		refuse := h.unavailable > 0
		if refuse {
			h.unavailable--
		}
		h.mu.Unlock()
		if refuse {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		handler.ServeHTTP(w, r)
	}))
	h.registry = server.Listener.Addr().String()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(self, filepath.Join(h.home, "aws")); err != nil {
		t.Fatal(err)
	}
	// The build is not a part of the make that may run this test: its flags and level must not show in the output.
	h.env = append(os.Environ(), "MAKEFLAGS=", "MAKELEVEL=", "PATH="+h.home+":"+os.Getenv("PATH"), "HOME="+h.home, "TMPDIR="+h.tmp, "APP_NAME="+h.app, "EDGE_PORT="+h.edge,
		"EDGE_IMAGE="+edgeImage(t), fakeAWS+"="+h.registry,
		"GOCACHE="+goEnv(t, "GOCACHE"), "GOPATH="+goEnv(t, "GOPATH"),
		"REPOSITORY_URL="+h.registry+"/team/app", "CONTAINER_PORT=8080", "HEALTH_PATH=/healthz", "GOARCH="+runtime.GOARCH, "AWS_REGION=eu-central-1")
	h.env = append(h.env, env...)
	t.Cleanup(func() {
		server.Close()
		remove(t, "container rm --force --volumes", "container ls --all --quiet --filter name=^/"+h.app+"-")
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

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(text), 0o755)); err != nil {
		t.Fatal(err)
	}
}

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	raw, err := os.ReadFile(from)
	if err != nil {
		t.Fatal(err)
	}
	write(t, to, string(raw))
}

func copyTree(t *testing.T, from, to string) {
	t.Helper()
	err := filepath.WalkDir(from, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			rel, _ := filepath.Rel(from, path)
			copyFile(t, path, filepath.Join(to, rel))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// commitID makes a commit id that says which test's which commit it is.
func commitID(n int) string { return fmt.Sprintf("%040x", n) }

// build runs the buildspec's commands for a commit whose application is what fill writes, phase by phase as CodeBuild does.
// It returns the folder of the bundle.
func (h *host) build(commit string, fill func(webapp string), env ...string) (bundle, output string, err error) {
	h.t.Helper()
	source := h.t.TempDir()
	for _, part := range []string{"build", "hooks", "edge"} {
		copyTree(h.t, part, filepath.Join(source, "deploy-scripts", part))
	}
	copyFile(h.t, "appspec.yml", filepath.Join(source, "deploy-scripts", "appspec.yml"))
	fill(filepath.Join(source, "webapp"))

	succeeding := 1
	spec := readBuildspec(h.t)
	for _, phase := range []string{"pre_build", "build", "post_build"} {
		for _, command := range spec.Phases[phase].Commands {
			cmd := exec.Command("bash", "-c", h.withUmask(command))
			cmd.Dir = source
			cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
			cmd.Env = slices.Concat(h.env, env, []string{"COMMIT_ID=" + commit, fmt.Sprint("CODEBUILD_BUILD_SUCCEEDING=", succeeding)})
			out, failed := h.run(cmd)
			output += out
			h.wantNothingLeft(command)
			if failed != nil {
				err, succeeding = fmt.Errorf("%s: %w", command, failed), 0
				break
			}
		}
		if err != nil && phase == "pre_build" {
			break
		}
	}
	if _, statErr := os.Stat(filepath.Join(source, "deploy-scripts", "login")); statErr == nil {
		h.t.Error("the build leaves the login to ECR in its source folder")
	}
	if err == nil {
		bundle = h.t.TempDir()
		for _, pattern := range spec.Artifacts.Files {
			from := filepath.Join(source, spec.Artifacts.BaseDirectory)
			if folder, all := strings.CutSuffix(pattern, "/**/*"); all {
				copyTree(h.t, filepath.Join(from, folder), filepath.Join(bundle, folder))
			} else {
				copyFile(h.t, filepath.Join(from, pattern), filepath.Join(bundle, pattern))
			}
		}
	}
	return bundle, output, err
}

// mustBuild builds what cannot fail.
func (h *host) mustBuild(n int, fill func(webapp string), env ...string) string {
	h.t.Helper()
	bundle, output, err := h.build(commitID(n), fill, env...)
	if err != nil {
		h.t.Fatalf("build %d: %v\n%s", n, err, output)
	}
	return bundle
}

// deploy runs the bundle's hooks as the agent does, one event after the other.
func (h *host) deploy(bundle string, env ...string) (output string, err error) {
	h.t.Helper()
	spec := readAppspec(h.t)
	for _, event := range []string{"BeforeInstall", "ApplicationStart", "ValidateService"} {
		for _, script := range spec.Hooks[event] {
			var out string
			out, err = h.run(h.hook(bundle, script.Location, env...))
			output += out
			h.wantNothingLeft(script.Location)
			if err != nil {
				return output, fmt.Errorf("%s: %w", script.Location, err)
			}
		}
	}
	return output, nil
}

// hook is a hook as the agent runs it, in a process group of its own.
func (h *host) hook(bundle, location string, env ...string) *exec.Cmd {
	cmd := exec.Command(filepath.Join(bundle, location))
	if h.umask != "" {
		cmd = exec.Command("bash", "-c", h.withUmask(`exec "$0"`), filepath.Join(bundle, location))
	}
	cmd.Dir = "/"
	cmd.Env = append(slices.Clone(h.env), env...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Credential: h.user}
	return cmd
}

func (h *host) withUmask(command string) string {
	if h.umask == "" {
		return command
	}
	return "umask " + h.umask + " && " + command
}

// run returns what a command writes. That goes to a file: at the other end of a pipe os/exec would wait for whatever process the
// command leaves behind.
func (h *host) run(cmd *exec.Cmd) (string, error) {
	h.t.Helper()
	out, err := os.CreateTemp(h.home, "output")
	if err != nil {
		h.t.Fatal(err)
	}
	defer out.Close()
	cmd.Stdout, cmd.Stderr = out, out
	err = cmd.Run()
	text, readErr := os.ReadFile(out.Name())
	if readErr != nil {
		h.t.Fatal(readErr)
	}
	return string(text), err
}

func (h *host) mustDeploy(bundle string, env ...string) {
	h.t.Helper()
	if output, err := h.deploy(bundle, env...); err != nil {
		h.t.Fatalf("deploy: %v\n%s", err, output)
	}
}

// answer returns what the application says through the edge.
func (h *host) answer() string { return answerAt(h.edge) }

func answerAt(address string) string {
	response, err := http.Get("http://" + address + "/")
	if err != nil {
		return err.Error()
	}
	defer response.Body.Close()
	body, _ := io.ReadAll(response.Body)
	return string(body)
}

// names returns the host's containers, without the prefix, in no order.
func (h *host) names() string {
	return strings.ReplaceAll(docker(h.t, "container ls --all --format {{.Names}} --filter name=^/"+h.app+"-"), h.app+"-", "")
}

// lastLine is what an operator sees first.
func lastLine(output string) string {
	lines := strings.Split(strings.TrimSpace(output), "\n")
	return lines[len(lines)-1]
}

type buildspec struct {
	Phases    map[string]struct{ Commands []string }
	Artifacts struct {
		BaseDirectory string `json:"base-directory"`
		Files         []string
	}
}

type appspec struct {
	Version float64
	OS      string
	Hooks   map[string][]struct {
		Location string
		Timeout  int // seconds
	}
}

func readBuildspec(t *testing.T) (spec buildspec) { readYAML(t, "buildspec.yml", &spec); return spec }

func readAppspec(t *testing.T) (spec appspec) { readYAML(t, "appspec.yml", &spec); return spec }

func readYAML(t *testing.T, path string, into any) {
	t.Helper()
	raw, err := os.ReadFile(path)
	if err == nil {
		err = yaml.Unmarshal(raw, into)
	}
	if err != nil {
		t.Fatal(err)
	}
}
