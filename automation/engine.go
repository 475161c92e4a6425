package automation

import (
	"context"
	"fmt"
	"io"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/blang/semver"
)

// oldestEngine is the oldest Pulumi that is accepted from PATH.
var oldestEngine = semver.Version{Major: 3, Minor: 200}

// Engine is a Pulumi command line on this machine.
type Engine struct {
	// Path is absolute and ends in "pulumi".
	Path    string
	Version semver.Version
}

// FindEngine returns the pulumi on PATH if it is 3.200 or newer (and below 4), else the one pinned by the tools
// module under projectDir, built from source if need be. It reports to progress when its choice may surprise.
func FindEngine(ctx context.Context, projectDir string, progress io.Writer) (Engine, error) {
	if path, err := exec.LookPath(filepath.Base(Pulumi.Package)); err == nil {
		version, err := engineVersion(ctx, path)
		if err == nil && version.Major == oldestEngine.Major && version.GTE(oldestEngine) {
			return Engine{Path: path, Version: version}, nil
		}
		if ctx.Err() != nil {
			return Engine{}, ctx.Err()
		}
		if err == nil {
			err = fmt.Errorf("it is %s, wanted %s or a later 3.x", version, oldestEngine)
		}
		fmt.Fprintf(progress, "Not using %s: %v.\n", path, err)
	}
	toolsDir := filepath.Join(projectDir, "tools")
	path, err := Pulumi.Build(ctx, toolsDir, Platform{runtime.GOOS, runtime.GOARCH}, progress)
	if err != nil {
		return Engine{}, err
	}
	tag, _, err := Pulumi.pinned(toolsDir)
	if err != nil {
		return Engine{}, err
	}
	version, err := semver.ParseTolerant(tag)
	if err != nil {
		return Engine{}, fmt.Errorf("version of %s: %q: %w", Pulumi.Title, tag, err)
	}
	return Engine{Path: path, Version: version}, nil
}

func engineVersion(ctx context.Context, path string) (semver.Version, error) {
	cmd := exec.CommandContext(ctx, path, "version")
	cmd.Env = engineEnvironment(nil)
	out, err := cmd.Output()
	if err != nil {
		return semver.Version{}, fmt.Errorf("its version: %w", err)
	}
	version, err := semver.ParseTolerant(strings.TrimSpace(string(out)))
	if err != nil {
		return semver.Version{}, fmt.Errorf("its version %q: %w", strings.TrimSpace(string(out)), err)
	}
	return version, nil
}
