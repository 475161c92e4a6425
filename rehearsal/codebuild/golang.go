package codebuild

import (
	"fmt"
	"go/version"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// goRuntime is the Go of a build.
type goRuntime struct {
	// installed is the exact version, "" when the image is not known.
	installed string
	// named is what the buildspec calls it, "" when it names none.
	named string
	// image and offered say where else a version could come from.
	image   string
	offered []string
}

// installGo makes a go command that is the image's version of Go, for what a version makes of a go.mod is best left to that
// version: one before 1.21 compiles as far as it can, a newer one fetches what go.mod asks for unless GOTOOLCHAIN=local.
// (goenv, which the images install Go with, leaves GOTOOLCHAIN alone.) The user's own go command fetches it when a build first
// asks for it, as it fetches any toolchain, into the user's module cache (https://go.dev/doc/toolchain: GOTOOLCHAIN=go1.N.P).
func (b *build) installGo() error {
	var settings strings.Builder // the user's, which say where the module cache is and what fills it
	for _, name := range []string{"PATH", "HOME", "GOENV", "GOPATH", "GOMODCACHE", "GOPROXY", "GOSUMDB"} {
		if value, set := os.LookupEnv(name); set {
			fmt.Fprintf(&settings, "%s=%s ", name, quote(value))
		}
	}
	script := fmt.Sprintf(`#!/bin/sh
root=$(cd / && export %sGOTOOLCHAIN=%s && go env GOROOT) || {
  echo %s >&2
  exit 1
}
exec "$root/bin/go" "$@"
`, settings.String(), toolchain(b.golang.installed),
		quote("Rehearsal: this machine's Go cannot provide Go "+b.golang.installed+", which CodeBuild builds with"))
	return os.WriteFile(filepath.Join(b.binDir(), "go"), []byte(script), 0o755)
}

// toolchain returns the name of a version's toolchain: since 1.21 a language's first release ends in .0.
func toolchain(v string) string {
	if name := "go" + v; name != version.Lang(name) || version.Compare(name, "go1.21") < 0 {
		return name
	}
	return "go" + v + ".0"
}

// goTooOld matches what Go says when it is older than the module, or than what a module imports.
var goTooOld = regexp.MustCompile(`is not in (GOROOT|std)|requires [Gg]o |invalid go version|unknown directive: toolchain`)

// explain says which Go a command has used, and how to use another, if its output looks as if that would help; else nothing.
func (g goRuntime) explain(output string) string {
	if g.installed == "" || !goTooOld.MatchString(output) {
		return ""
	}
	origin := "the default of " + g.image
	if g.named != "" {
		origin = "which golang: " + g.named + " stands for"
	}
	return fmt.Sprintf("\n    Rehearsal: this is Go %s, %s. Name another as golang in phases.install.runtime-versions of the buildspec: the image has %s.",
		g.installed, origin, strings.Join(g.offered, ", "))
}
