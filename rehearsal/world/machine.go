package world

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os/exec"
	"strconv"
	"strings"

	"cicd/rehearsal/workspace"

	"cicd/internal/docker"

	"golang.org/x/sys/unix"

	"cicd/rehearsal/github"
)

// checkMachine returns everything that this machine or checkout lacks for a rehearsal.
func checkMachine(ctx context.Context, o Options) error {
	return errors.Join(CheckDocker(ctx), checkCheckout(ctx, o.ProjectDir), checkPort(o.Port), checkBash(), checkFolders())
}

// checkFolders makes sure that programs can run in a rehearsal's folder: hooks, and what a build compiles.
func checkFolders() error {
	var about unix.Statfs_t
	if err := unix.Statfs(workspace.Folders, &about); err != nil {
		return fmt.Errorf("%s, where a rehearsal has its files: %w", workspace.Folders, err)
	}
	if about.Flags&unix.ST_NOEXEC != 0 {
		return fmt.Errorf("%s is mounted with noexec, but a rehearsal runs programs in it: mount -o remount,exec %s", workspace.Folders, workspace.Folders)
	}
	return nil
}

func CheckDocker(ctx context.Context) error {
	if _, err := exec.LookPath("docker"); err != nil {
		return errors.New("docker is not installed (no docker on PATH): install Docker Engine 20.10 or newer")
	}
	version, err := docker.Run(ctx, "version", "--format", "{{.Server.Version}}")
	if err != nil {
		return fmt.Errorf("the Docker daemon is not running, or this user may not use it: start it (sudo systemctl start docker), then try `docker version`: %w", err)
	}
	major, _, _ := strings.Cut(version, ".")
	if n, err := strconv.Atoi(major); err != nil || n < 20 {
		return fmt.Errorf("the Docker Engine is version %s: a rehearsal needs 20.10 or newer", strings.TrimSpace(version))
	}
	return nil
}

// checkCheckout makes sure that there is a commit to push, and that GitHub would accept it.
func checkCheckout(ctx context.Context, dir string) error {
	if _, err := exec.LookPath("git"); err != nil {
		return errors.New("git is not installed (no git on PATH)")
	}
	if _, err := github.UserGit(ctx, dir, "rev-parse", "--git-dir"); err != nil {
		return fmt.Errorf("%s is not in a Git repository that you may read, and a rehearsal pushes its newest commit: %w", dir, err)
	}
	commit, err := github.UserGit(ctx, dir, "rev-parse", "--verify", "HEAD^{commit}")
	if err != nil {
		return fmt.Errorf("the repository in %s has no commit on its branch, so there is nothing to push: commit something first: %w", dir, err)
	}
	if len(strings.TrimSpace(commit)) != 40 {
		return fmt.Errorf("the repository in %s has SHA-256 commit ids, which GitHub does not accept: create one with `git init --object-format=sha1`", dir)
	}
	return nil
}

// checkPort makes sure that a chosen port is free. 0 stands for any free port.
func checkPort(port int) error {
	if port < 0 || port > 65535 {
		return fmt.Errorf("port %d: want 1 to 65535, or 0 for any free port", port)
	}
	l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
	if err != nil {
		return fmt.Errorf("port %d is in use: stop what listens there, or omit --port to get a free one: %w", port, err)
	}
	return l.Close()
}

// checkBash: as on Amazon Linux, bash runs the buildspec's commands and the hooks.
func checkBash() error {
	if _, err := exec.LookPath("bash"); err != nil {
		return errors.New("bash is not installed (none on PATH)")
	}
	return nil
}
