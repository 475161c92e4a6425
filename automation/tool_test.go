package automation

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"
)

var (
	hello    = Tool{Title: "Hello", Module: "example.com/hello", Package: "example.com/hello", Takes: time.Second, VersionVariable: "main.version"}
	toolsDir = filepath.Join("testdata", "tools")
	here     = Platform{runtime.GOOS, runtime.GOARCH}
)

// emptyCache gives the test its own cache folder for tools, and returns it. Go's cache stays.
func emptyCache(t *testing.T) string {
	t.Helper()
	out, err := exec.Command("go", "env", "GOCACHE", "GOMODCACHE").Output()
	if err != nil {
		t.Fatal(err)
	}
	caches := strings.Fields(string(out))
	t.Setenv("GOCACHE", caches[0])
	t.Setenv("GOMODCACHE", caches[1])
	// HOME stays too: go leaves a process behind that writes telemetry there after go itself has ended.
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	cache, err := os.UserCacheDir()
	if err != nil {
		t.Fatal(err)
	}
	return filepath.Join(cache, "cicd", "tools")
}

// names returns the names in a folder, except those of lock files, which stay.
func names(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	for _, e := range entries {
		if filepath.Ext(e.Name()) != ".lock" {
			found = append(found, e.Name())
		}
	}
	return found
}

// TestBuildTool builds a real tool from several goroutines at once: one build, of the version in go.mod.
func TestBuildTool(t *testing.T) {
	cache := emptyCache(t)
	if err := os.MkdirAll(cache, 0o755); err != nil {
		t.Fatal(err)
	}
	var progress [4]bytes.Buffer
	var paths [4]string
	var wg sync.WaitGroup
	for i := range paths {
		wg.Go(func() {
			var err error
			if paths[i], err = hello.Build(t.Context(), toolsDir, here, &progress[i]); err != nil {
				t.Errorf("Build: %v", err)
			}
		})
	}
	wg.Wait()

	told := ""
	for i, path := range paths {
		if path != paths[0] {
			t.Errorf("path %q differs from %q", path, paths[0])
		}
		told += progress[i].String()
	}
	if n := strings.Count(told, "Building Hello v1.2.3 from source"); n != 1 {
		t.Errorf("%d builds, want 1; progress:\n%s", n, told)
	}
	if out, err := exec.Command(paths[0]).Output(); err != nil || string(out) != "v1.2.3" {
		t.Errorf("%s says %q, %v; want v1.2.3", paths[0], out, err)
	}
	if found := names(t, cache); len(found) != 1 {
		t.Errorf("cache holds %v, want the tool's folder alone", found)
	}
	var again bytes.Buffer
	if _, err := hello.Build(t.Context(), toolsDir, here, &again); err != nil || again.Len() != 0 {
		t.Errorf("Build of a built tool: %v, progress %q; want none", err, again.String())
	}
}

func TestBuildToolRefuses(t *testing.T) {
	cache := emptyCache(t)
	absent, broken := hello, hello
	absent.Module = "example.com/absent"
	broken.Package = "example.com/hello/nowhere"
	tests := []struct {
		name string
		tool Tool
		dir  string
		want string
	}{
		{"no tools module", hello, t.TempDir(), "go.mod: no such file"},
		{"not required", absent, toolsDir, "does not require example.com/absent"},
		{"does not compile", broken, toolsDir, "example.com/hello/nowhere"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := tt.tool.Build(t.Context(), tt.dir, here, io.Discard)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("Build: %v, want an error with %q", err, tt.want)
			}
		})
	}
	if found := names(t, cache); len(found) != 0 {
		t.Errorf("cache holds %v, want nothing of a build that did not end well", found)
	}
}

// TestBuildToolInterrupted interrupts a running build, and a caller that waits for it. The stand-in for the go
// command never ends; the cache also has the remains of an earlier, killed build.
func TestBuildToolInterrupted(t *testing.T) {
	cache := emptyCache(t)
	bin := t.TempDir()
	script := "#!/bin/sh\ntrap 'exit 1' INT\necho half > \"$TOOL_STARTED\"\nwhile :; do sleep 0.01; done\n"
	if err := os.WriteFile(filepath.Join(bin, "go"), []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", bin+string(os.PathListSeparator)+os.Getenv("PATH"))
	started := filepath.Join(t.TempDir(), "started")
	if err := exec.Command("mkfifo", started).Run(); err != nil {
		t.Fatal(err)
	}
	t.Setenv("TOOL_STARTED", started)

	ctx, interrupt := context.WithCancel(t.Context())
	ended := make(chan error, 2)
	build := func(progress io.Writer) {
		_, err := hello.Build(ctx, toolsDir, here, progress)
		ended <- err
	}
	go build(io.Discard)
	if _, err := os.ReadFile(started); err != nil { // returns once the stand-in has written
		t.Fatal(err)
	}
	waiting := &textSignal{"Waiting for another process to build Hello", make(chan struct{})}
	go build(waiting)
	waitFor(t, waiting.found, ended)
	interrupt()
	for range 2 {
		if err := <-ended; !errors.Is(err, context.Canceled) {
			t.Errorf("Build: %v, want context.Canceled", err)
		}
	}
	if found := names(t, cache); len(found) != 0 {
		t.Errorf("cache holds %v, want nothing of an interrupted build", found)
	}
}

// TestFindEngine puts some version of pulumi on PATH, and has no pinned one to fall back on.
func TestFindEngine(t *testing.T) {
	tests := []struct {
		version string
		taken   bool
		told    string
	}{
		{"v3.200.0", true, ""},
		{"v3.221.5-alpha.1", true, ""},
		{"v3.199.9", false, "it is 3.199.9, wanted 3.200.0 or a later 3.x"},
		{"v4.0.0", false, "it is 4.0.0, wanted"},
		{"dev", false, `its version "dev"`},
	}
	for _, tt := range tests {
		t.Run(tt.version, func(t *testing.T) {
			bin := t.TempDir()
			path := filepath.Join(bin, "pulumi")
			if err := os.WriteFile(path, fmt.Appendf(nil, "#!/bin/sh\necho %s\n", tt.version), 0o755); err != nil {
				t.Fatal(err)
			}
			t.Setenv("PATH", bin)
			var progress bytes.Buffer
			engine, err := FindEngine(t.Context(), t.TempDir(), &progress)
			if taken := err == nil && engine.Path == path; taken != tt.taken {
				t.Errorf("FindEngine = %v, %v; taken %v, want %v", engine, err, taken, tt.taken)
			}
			if !strings.Contains(progress.String(), tt.told) || tt.told == "" && progress.Len() != 0 {
				t.Errorf("progress %q, want %q", progress.String(), tt.told)
			}
		})
	}
}
