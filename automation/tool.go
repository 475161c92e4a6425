package automation

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/mod/modfile"

	"cicd/internal/filelock"
)

// Tool is a program built from source, at the version that tools/go.mod pins.
type Tool struct {
	// Title is what people call it, such as "Pulumi".
	Title string
	// Module and Package are Go import paths; tools/go.mod requires the module.
	Module, Package string
	// Takes is how long a build with an empty Go cache takes on 2 cores, to tell whoever waits.
	Takes time.Duration
	// VersionVariable is the linker variable for the version, for programs that cannot find it otherwise. Optional.
	VersionVariable string
	// Rare are patterns of packages that hardly ever run. They are compiled without inlining, in half the time. Optional.
	Rare []string
}

// Pulumi is the engine. Without the linker flag it calls itself "v3.0.0-dev.0", which the Automation API rejects.
var Pulumi = Tool{
	Title:           "Pulumi",
	Module:          "github.com/pulumi/pulumi/pkg/v3",
	Package:         "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi",
	Takes:           2 * time.Minute,
	VersionVariable: "github.com/pulumi/pulumi/sdk/v3/go/common/version.Version",
	Rare:            []string{"github.com/pb33f/libopenapi/...", "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi/cloud"}, // `pulumi cloud`
}

// Caddy is the edge, the proxy in front of every release.
var Caddy = Tool{
	Title:   "Caddy",
	Module:  "github.com/caddyserver/caddy/v2",
	Package: "github.com/caddyserver/caddy/v2/cmd/caddy",
	Takes:   75 * time.Second,
}

// Pebble is the certificate authority of rehearsals.
var Pebble = Tool{
	Title:   "Pebble",
	Module:  "github.com/letsencrypt/pebble/v2",
	Package: "github.com/letsencrypt/pebble/v2/cmd/pebble",
	Takes:   20 * time.Second,
}

// Buildx and BuildKit build images with a cache: CodeBuild's images have the first, and the builds get the second. The module
// that pins them is tools/buildkit.
var (
	Buildx = Tool{
		Title:   "buildx",
		Module:  "github.com/docker/buildx",
		Package: "github.com/docker/buildx/cmd/buildx",
		Takes:   2 * time.Minute,
	}
	BuildKit = Tool{
		Title:   "BuildKit",
		Module:  "github.com/moby/buildkit",
		Package: "github.com/moby/buildkit/cmd/buildkitd",
		Takes:   time.Minute,
	}
)

// Platform is what a tool is built for, in Go's names ("linux", "arm64").
type Platform struct{ OS, Arch string }

// Build returns the path of the tool, and builds it first unless an earlier call has done so. toolsDir is the module
// that pins the tool. Several processes may call it at once: one builds, the others wait. It reports what it builds
// or waits for to progress.
//
// The binary is static and stays in the user's cache, in its own folder that is fit for PATH. An interrupted build
// leaves nothing that could be taken for a finished tool.
func (t Tool) Build(ctx context.Context, toolsDir string, p Platform, progress io.Writer) (string, error) {
	version, pins, err := t.pinned(toolsDir)
	if err != nil {
		return "", err
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("cache folder for %s: %w", t.Title, err)
	}
	name := filepath.Base(t.Package)
	home := filepath.Join(cache, "cicd", "tools", strings.Join([]string{name, version, p.OS, p.Arch, pins}, "-"))
	tool := filepath.Join(home, name)
	if _, err := os.Stat(tool); err == nil {
		return tool, nil
	}
	if err := os.MkdirAll(filepath.Dir(home), 0o755); err != nil {
		return "", fmt.Errorf("cache folder for %s: %w", t.Title, err)
	}

	lock, err := os.OpenFile(home+".lock", os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return "", fmt.Errorf("lock on %s: %w", home, err)
	}
	if err := filelock.Wait(ctx, lock, func() {
		fmt.Fprintf(progress, "Waiting for another process to build %s %s ...\n", t.Title, version)
	}); err != nil {
		return "", fmt.Errorf("lock on %s: %w", home, err)
	}
	defer lock.Close()
	if _, err := os.Stat(tool); err == nil {
		return tool, nil // built by the process that we waited for
	}
	fmt.Fprintf(progress, "Building %s %s from source (about %s on 2 cores, once) ...\n", t.Title, version, minutes(t.Takes))
	started := time.Now()
	if err := t.compile(ctx, toolsDir, version, p, home); err != nil {
		return "", fmt.Errorf("%s %s: build: %w", t.Title, version, err)
	}
	fmt.Fprintf(progress, "Built %s in %s.\n", t.Title, time.Since(started).Round(time.Second))
	return tool, nil
}

// pinned returns the version that the tools module requires, and a digest of everything it pins: changing any
// dependency changes the binary.
func (t Tool) pinned(toolsDir string) (version, digest string, err error) {
	path := filepath.Join(toolsDir, "go.mod")
	raw, err := os.ReadFile(path)
	if err != nil {
		return "", "", fmt.Errorf("version of %s: %w", t.Title, err)
	}
	mod, err := modfile.ParseLax(path, raw, nil)
	if err != nil {
		return "", "", fmt.Errorf("version of %s: %w", t.Title, err)
	}
	for _, r := range mod.Require {
		if r.Mod.Path == t.Module {
			sum := sha256.Sum256(raw)
			return r.Mod.Version, hex.EncodeToString(sum[:4]), nil
		}
	}
	return "", "", fmt.Errorf("version of %s: %s does not require %s", t.Title, path, t.Module)
}

// compile builds in a folder beside home and renames it when complete. The caller holds home's lock.
func (t Tool) compile(ctx context.Context, toolsDir, version string, p Platform, home string) error {
	const partial = ".partial-"
	leftovers, err := filepath.Glob(home + partial + "*") // of a build that was killed
	if err != nil {
		return err
	}
	for _, dir := range leftovers {
		if err := os.RemoveAll(dir); err != nil {
			return err
		}
	}
	dir, err := os.MkdirTemp(filepath.Dir(home), filepath.Base(home)+partial)
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)

	link := "-s -w"
	if t.VersionVariable != "" {
		link += " -X " + t.VersionVariable + "=" + version
	}
	// Without -trimpath, and with CGO_ENABLED=0 as in the Makefile, Go compiles nothing again that bin/cicd contains too.
	args := []string{"build", "-C", toolsDir, "-mod=readonly", "-ldflags", link, "-o", filepath.Join(dir, filepath.Base(t.Package))}
	for _, packages := range t.Rare {
		args = append(args, "-gcflags="+packages+"=-l")
	}
	build := exec.CommandContext(ctx, "go", append(args, t.Package)...)
	build.Env = append(os.Environ(), "GOWORK=off", "CGO_ENABLED=0", "GOOS="+p.OS, "GOARCH="+p.Arch)
	build.Cancel = func() error { return build.Process.Signal(os.Interrupt) } // go build then removes its own temporary folder
	build.WaitDelay = 10 * time.Second
	if out, err := build.CombinedOutput(); err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return errors.Join(err, errors.New(strings.TrimSpace(string(out))))
	}
	if err := os.Chmod(dir, 0o755); err != nil { // MkdirTemp makes it private
		return err
	}
	return os.Rename(dir, home)
}

// minutes formats a rough duration for people.
func minutes(d time.Duration) string {
	if d < time.Minute {
		return fmt.Sprintf("%d seconds", int(d.Seconds()))
	}
	if m := int(d.Round(time.Minute).Minutes()); m > 1 {
		return fmt.Sprintf("%d minutes", m)
	}
	return "a minute"
}
