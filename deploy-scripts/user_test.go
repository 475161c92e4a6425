package deployscripts_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// TestUserWhoIsNotRoot runs hooks as a user who is only in Docker's group, under a umask that keeps everybody else out, as
// when people rehearse at home or GitHub's runners do.
func TestUserWhoIsNotRoot(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	h.umask = "077"
	one, two := h.mustBuild(1, app(t, "one", "")), h.mustBuild(2, app(t, "two", ""))
	edit(t, filepath.Join(two, "edge", "Caddyfile"), "\treverse_proxy", "\theader X-Edge changed\n\treverse_proxy")
	if os.Geteuid() == 0 {
		h.become(12345)
	}
	h.mustDeploy(one)
	h.wantAnswer(t, "one")
	h.mustDeploy(two)
	docker(t, "container restart "+h.app+"-edge")
	if got := h.edgeHeader(); got != "changed" {
		t.Errorf("header %q after a restart, want the configuration that was loaded last", got)
	}
}

// become makes hooks run as another user, in the group of Docker's socket.
func (h *host) become(user uint32) {
	h.t.Helper()
	socket, err := os.Stat("/var/run/docker.sock")
	if err != nil {
		h.t.Fatal(err)
	}
	h.user = &syscall.Credential{Uid: user, Gid: user, Groups: []uint32{socket.Sys().(*syscall.Stat_t).Gid}}
	// Only root can enter the parent of this test's folders, and the folder of the test binary, which plays aws.
	if err := os.Chmod(filepath.Dir(h.home), 0o755); err != nil {
		h.t.Fatal(err)
	}
	self, err := os.Executable()
	if err == nil {
		err = os.Remove(h.builtInAWS())
	}
	if err != nil {
		h.t.Fatal(err)
	}
	copyFile(h.t, self, h.builtInAWS())
	for _, dir := range []string{h.home, h.tmp} {
		if err := os.Chown(dir, int(user), -1); err != nil {
			h.t.Fatal(err)
		}
	}
}

// TestImageUnderAnyUmask has a build make files of the image under a umask that keeps everybody else out: the user of the
// container has to read them all the same.
func TestImageUnderAnyUmask(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	h.umask = "077"
	h.mustDeploy(h.mustBuild(1, func(webapp string) {
		app(t, "one", "")(webapp)
		write(t, filepath.Join(webapp, "Makefile"), "image:\n\tmkdir built && cat app >built/app && chmod +x built/app\n\tdocker build --quiet --tag '$(IMAGE)' .\n")
		edit(t, filepath.Join(webapp, "Dockerfile"), "COPY app /app", "COPY built/app /app\nUSER 1234")
	}))
	h.wantAnswer(t, "one")
}

// onHost are the commands that hooks may use, in addition to bash's own: those of Amazon Linux 2023 (coreutils, gawk, grep, tar),
// and those that user data installs or the AMI has for AWS. diffutils and the like may be missing.
var onHost = []string{"awk", "aws", "bash", "cat", "cksum", "cut", "date", "df", "docker", "grep", "head", "mkdir", "mktemp", "rm", "sleep", "sort", "tail", "tar", "timeout", "tr", "wc"}

func TestHooksUseWhatTheHostHas(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	bin := t.TempDir()
	for _, name := range onHost {
		if err := os.Symlink(h.command(name), filepath.Join(bin, name)); err != nil {
			t.Fatal(err)
		}
	}
	for i, bundle := range []string{h.mustBuild(1, app(t, "one", "")), h.mustBuild(2, app(t, "two", ""))} {
		output, err := h.deploy(bundle, "PATH="+bin)
		if err != nil || strings.Contains(output, "not found") {
			t.Errorf("deploy: %v\n%s", err, output)
		}
		if strings.Contains(docker(t, "container logs "+h.app+"-edge"), `"/load"`) {
			t.Errorf("release %d has the edge load what it has already", i+1)
		}
	}
}

// command returns the path of one of the commands in onHost.
func (h *host) command(name string) string {
	h.t.Helper()
	path, err := exec.LookPath(name)
	if name == "aws" || name == "docker" {
		path, err = filepath.Join(h.home, name), nil
	}
	if err != nil {
		h.t.Fatal(err)
	}
	return path
}
