package agent

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// simulated reports whether a folder stands for the host's files.
func (a *Agent) simulated() bool { return a.Root != "" && a.Root != "/" }

// hostPath makes a path in an appspec absolute, as Ruby's File.expand_path does in the agent's directory.
func (a *Agent) hostPath(path string) string {
	if home, err := os.UserHomeDir(); err == nil && (path == "~" || strings.HasPrefix(path, "~/")) {
		path = home + path[1:]
	}
	if !filepath.IsAbs(path) {
		path = filepath.Join("/", a.Dir, path)
	}
	return filepath.Clean(path)
}

// file returns where a host path is on this machine, following every symbolic link.
func (a *Agent) file(path string) (string, error) { return a.locate(path, true) }

// entry is file, but does not follow a final link.
func (a *Agent) entry(path string) (string, error) { return a.locate(path, false) }

const maxLinks = 40 // as in the Linux kernel

// locate resolves a host path below Root as a chroot would, so that no link leads outside Root.
func (a *Agent) locate(path string, followLast bool) (string, error) {
	path = a.hostPath(path)
	if !a.simulated() {
		return path, nil
	}
	resolved, links := "/", 0
	pending := strings.Split(path, "/")
	for len(pending) > 0 {
		next := filepath.Join(resolved, pending[0])
		pending = pending[1:]
		target, err := os.Readlink(filepath.Join(a.Root, next))
		if err != nil || len(pending) == 0 && !followLast {
			resolved = next // not a link, or does not exist yet
			continue
		}
		if links++; links > maxLinks {
			return "", fmt.Errorf("%s: %w", path, syscall.ELOOP)
		}
		if filepath.IsAbs(target) {
			resolved = "/"
		}
		pending = append(strings.Split(target, "/"), pending...)
	}
	return filepath.Join(a.Root, resolved), nil
}

// hostExists is Ruby's File.exist?, which follows links.
func (a *Agent) hostExists(path string) bool {
	file, err := a.file(path)
	return err == nil && exists(file)
}

// hostIsDir is Ruby's File.directory?, which follows links.
func (a *Agent) hostIsDir(path string) bool {
	file, err := a.file(path)
	return err == nil && isDir(file)
}

func isDir(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}
