package cli

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// versionLimit is how long "aws --version" may take; a cold start of version 1 on a busy machine takes seconds.
const versionLimit = 30 * time.Second

// Find looks for an AWS CLI that supports AWS_ENDPOINT_URL, on the PATH of the environment in which it will be used.
// It runs each candidate in exactly that environment and skips those that need more (such as a version manager's shim
// that lacks its HOME). path is absolute.
func Find(env []string) (path string, ok bool) {
	for _, dir := range filepath.SplitList(variable(env, "PATH")) {
		candidate := filepath.Join(dir, "aws")
		if info, err := os.Stat(candidate); err != nil || !info.Mode().IsRegular() || !filepath.IsAbs(candidate) {
			continue
		}
		if fits(version(candidate, env)) {
			return candidate, true
		}
	}
	return "", false
}

func variable(env []string, name string) string {
	value := ""
	for _, entry := range env {
		if v, ok := strings.CutPrefix(entry, name+"="); ok {
			value = v // the last one wins, see exec.Cmd.Env
		}
	}
	return value
}

// version returns the output of "aws --version", or "" if it fails. Old versions print it to stderr.
func version(path string, env []string) string {
	ctx, cancel := context.WithTimeout(context.Background(), versionLimit)
	defer cancel()
	cmd := exec.CommandContext(ctx, path, "--version")
	cmd.Env = env
	cmd.WaitDelay = time.Second
	out, err := cmd.CombinedOutput()
	if err != nil {
		return ""
	}
	return string(out)
}

var versionPattern = regexp.MustCompile(`^aws-cli/(\d+)\.(\d+)\.`)

// fits reports whether this version supports AWS_ENDPOINT_URL, new in 1.29.0 and 2.13.0 (AWS CLI changelogs:
// "Configure the endpoint URL in the shared configuration file or via an environment variable").
func fits(version string) bool {
	m := versionPattern.FindStringSubmatch(version)
	if m == nil {
		return false
	}
	major, _ := strconv.Atoi(m[1]) // the pattern matches only digits
	minor, _ := strconv.Atoi(m[2])
	return major == 1 && minor >= 29 || major == 2 && minor >= 13 || major > 2
}
