package rehearsal

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"cicd/internal/docker/dockertest"
	"cicd/internal/edit"
	"cicd/internal/testproject"
	"cicd/rehearsal/change"
	"cicd/rehearsal/drill"
	"cicd/rehearsal/rehearsaltest"

	"cicd/internal/docker"

	"cicd/automation"
)

// TestEverybodyCanRehearse rehearses as different people do: as a user with no rights but Docker's group, as on GitHub's
// runners; with a strict umask; in a checkout whose path needs quoting; with encrypted settings.
func TestEverybodyCanRehearse(t *testing.T) {
	dockertest.Need(t)
	const encrypted = "cicd:connectionAuthorized: false\n  cicd:manageRepository: true\n  github:token:\n    secure: v1:4BFH0vSBGWMKSDkw:HVIXWYhHd4+L/+cUGbAQgGlLW6A=\n" +
		"  cicd:operatorIp:\n    secure: v1:4BFH0vSBGWMKSDkw:HVIXWYhHd4+L/+cUGbAQgGlLW6A=\nencryptionsalt: v1:JqfmyBGvFiM=:v1:UVgHZkhsbMHEpr7Q:8ipxCRJr0LB8NSbI0vnlSgkNVzhBGg==\n"
	const domain = "cicd:connectionAuthorized: false\n  cicd:domain: shop.example.com\n  cicd:volumes:\n    data: /data\n"
	const edge = "REHEARSE_DRILLS=edge-crashes edge-removed edge-changed edge-refuses"
	tests := []struct {
		name        string
		nobody      bool
		environment []string
		edits       []edit.Edit
	}{
		{name: "nobody", nobody: true},
		{name: "nobody, drills of the edge", nobody: true, environment: []string{edge}},
		{name: "nobody, a domain and a volume", nobody: true, edits: []edit.Edit{edit.Replace("Pulumi.dev.yaml", "cicd:connectionAuthorized: false\n", domain)}},
		{name: "umask 077", environment: []string{"REHEARSE_UMASK=077", "REHEARSE_DRILLS=edge-changed"}},
		{name: `a blank, ' and " $ # % in the path`, environment: []string{"REHEARSE_UMASK=077"},
			edits: []edit.Edit{edit.Replace("Pulumi.dev.yaml", "cicd:connectionAuthorized: false\n", encrypted)}},
	}
	home := nobodysHome(t)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			project := filepath.Join(home, tt.name)
			if err := os.Mkdir(project, 0o755); err != nil {
				t.Fatal(err)
			}
			testproject.Fill(t, project)
			testproject.Apply(t, project, tt.edits...)
			clean := rehearsaltest.WantClean(t, project)
			cmd := rehearse(project, tt.environment...)
			if tt.nobody {
				becomeNobody(t, cmd, home, project)
			}
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Errorf("%v\n%s", err, out)
			}
			clean()
		})
	}
}

// rehearse returns the command that rehearses a project in its own process.
func rehearse(project string, environment ...string) *exec.Cmd {
	cmd := exec.Command(os.Args[0], "-test.run=^TestHelperRehearse$", "-test.timeout=10m")
	cmd.Env = append(os.Environ(), append(environment, "REHEARSE_PROJECT="+project)...)
	return cmd
}

// TestHelperRehearse is not a test: see rehearse.
func TestHelperRehearse(t *testing.T) {
	project := os.Getenv("REHEARSE_PROJECT")
	if project == "" {
		t.Skip("only runs in its own process")
	}
	if umask, err := strconv.ParseInt(os.Getenv("REHEARSE_UMASK"), 8, 0); err == nil {
		syscall.Umask(int(umask))
	}
	var drills []drill.Drill
	for _, name := range strings.Fields(os.Getenv("REHEARSE_DRILLS")) {
		found, err := drill.Find(name)
		if err != nil {
			t.Fatal(err)
		}
		drills = append(drills, found...)
	}
	scenario := Scenario(change.Scenario{Out: os.Stdout})
	if len(drills) > 0 {
		scenario = drill.Scenario{Drills: drills, Out: os.Stdout}
	}
	if err := Run(t.Context(), rehearsaltest.Options(project, DefaultStack, os.Stderr), scenario); err != nil {
		t.Fatal(err)
	}
}

const nobody = 65534

// nobodysHome makes a home for the user nobody, with copies of the test binary and the tools, which nobody cannot reach in
// place. Unless the test runs as root, it is just a folder.
func nobodysHome(t *testing.T) string {
	t.Helper()
	home := t.TempDir()
	if os.Getuid() != 0 {
		return home
	}
	tools, host := filepath.Join(testproject.Root(t), "tools"), automation.Platform{OS: "linux", Arch: serverArch(t)}
	caddy, err := automation.Caddy.Build(t.Context(), tools, host, os.Stderr)
	if err != nil {
		t.Fatal(err)
	}
	pebble, err := automation.Pebble.Build(t.Context(), tools, host, os.Stderr)
	if err != nil {
		t.Fatal(err)
	}
	engine, err := automation.FindEngine(t.Context(), testproject.Root(t), os.Stderr)
	if err != nil {
		t.Fatal(err)
	}
	for from, to := range map[string]string{
		os.Args[0]:  "bin/rehearsal.test",
		engine.Path: "bin/pulumi",
		caddy:       cachedTool(caddy),
		pebble:      cachedTool(pebble),
	} {
		to = filepath.Join(home, to)
		if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
			t.Fatal(err)
		}
		if out, err := exec.Command("cp", from, to).CombinedOutput(); err != nil {
			t.Fatalf("cp: %v: %s", err, out)
		}
	}
	copyBuildCache(t, home)
	if err := os.Chmod(filepath.Dir(home), 0o755); err != nil {
		t.Fatal(err)
	}
	giveToNobody(t, home)
	return home
}

// cachedTool returns where a tool is in a home.
func cachedTool(path string) string {
	return filepath.Join(".cache/cicd/tools", filepath.Base(filepath.Dir(path)), filepath.Base(path))
}

func giveToNobody(t *testing.T, dir string) {
	t.Helper()
	if out, err := exec.Command("chown", "-R", fmt.Sprint(nobody), dir).CombinedOutput(); err != nil {
		t.Fatalf("chown: %v: %s", err, out)
	}
}

// becomeNobody makes a command run as the user nobody, in Docker's group. The project then belongs to that user.
func becomeNobody(t *testing.T, cmd *exec.Cmd, home, project string) {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("only root can become nobody; whoever runs this test is not root either")
	}
	giveToNobody(t, project)
	cmd.Path = filepath.Join(home, "bin", "rehearsal.test")
	cmd.Env = append(cmd.Env, "HOME="+home, "XDG_CACHE_HOME=", "PATH="+filepath.Join(home, "bin")+":"+os.Getenv("PATH"))
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody, Groups: []uint32{dockerGroup(t)}}}
}

// copyBuildCache copies the build cache, so that nobody's first build need not compile Go's standard library again. It
// waits for a cache that a build has locked.
func copyBuildCache(t *testing.T, home string) {
	t.Helper()
	cache, err := os.UserCacheDir()
	if err != nil {
		t.Fatal(err)
	}
	to := filepath.Join(home, ".cache", "cicd", "codebuild")
	if err := os.MkdirAll(to, 0o755); err != nil {
		t.Fatal(err)
	}
	locks, err := filepath.Glob(filepath.Join(cache, "cicd", "codebuild", "*.lock"))
	if err != nil {
		t.Fatal(err)
	}
	for _, lock := range locks {
		from := strings.TrimSuffix(lock, ".lock")
		if _, err := os.Stat(from); err != nil {
			continue // no build has needed it yet
		}
		if out, err := exec.Command("flock", lock, "cp", "-R", from, to).CombinedOutput(); err != nil {
			t.Fatalf("cp: %v: %s", err, out)
		}
	}
}

func serverArch(t *testing.T) string {
	t.Helper()
	architecture, err := docker.Run(t.Context(), "version", "--format", "{{.Server.Arch}}")
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(architecture)
}

// dockerGroup returns the group that may use the Docker daemon.
func dockerGroup(t *testing.T) uint32 {
	t.Helper()
	host, err := docker.Run(t.Context(), "context", "inspect", "--format", "{{.Endpoints.docker.Host}}")
	if err != nil {
		t.Fatal(err)
	}
	socket, err := os.Stat(strings.TrimPrefix(strings.TrimSpace(host), "unix://"))
	if err != nil {
		t.Fatal(err)
	}
	return socket.Sys().(*syscall.Stat_t).Gid
}
