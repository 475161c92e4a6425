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

// Find looks for an AWS CLI that heeds AWS_ENDPOINT_URL, on the PATH of the environment in which it is to be used.
// Each candidate is run in just that environment: one that is there but needs more (a version manager's shim that
// has lost its HOME, say) does not count. path is absolute.
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
			value = v // the last one counts, see exec.Cmd.Env
		}
	}
	return value
}

// version returns what "aws --version" prints, "" when it does not work. Old versions print it to stderr.
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

// fits tells whether this version heeds AWS_ENDPOINT_URL, which came with 1.29.0 and 2.13.0 (AWS CLI changelogs:
// "Configure the endpoint URL in the shared configuration file or via an environment variable").
func fits(version string) bool {
	m := versionPattern.FindStringSubmatch(version)
	if m == nil {
		return false
	}
	major, _ := strconv.Atoi(m[1]) // digits by the pattern
	minor, _ := strconv.Atoi(m[2])
	return major == 1 && minor >= 29 || major == 2 && minor >= 13 || major > 2
}
