package codebuild

import (
	_ "embed"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"cicd/internal/shellword"
)

// goRuntime is a build's Go.
type goRuntime struct {
	// installed is the exact version, or "" if the image is unknown.
	installed string
	// named is the buildspec's name for it, or "" if it names none.
	named string
	// image and offered say where to find another version.
	image   string
	offered []string
}

//go:embed go.sh
var goScript string

// installGo puts a go command in front of this machine's that judges modules as the image's version of Go does. It
// does nothing if this machine has no Go.
func (b *build) installGo(path string) error {
	for _, dir := range filepath.SplitList(path) {
		command := filepath.Join(dir, "go")
		if about, err := os.Stat(command); err != nil || about.IsDir() || about.Mode()&0o111 == 0 {
			continue
		}
		script := fmt.Sprintf("#!/bin/sh\nIMAGE_GO=%s REAL_GO=%s\n%s", shellword.Quote(b.golang.installed), shellword.Quote(command), goScript)
		return os.WriteFile(filepath.Join(b.binDir(), "go"), []byte(script), 0o755)
	}
	return nil
}

// goTooOld matches Go's errors when it is older than the module requires.
var goTooOld = regexp.MustCompile(`requires [Gg]o |invalid go version|unknown directive: toolchain`)

// explain says which Go a command used, and how to select another, if its output suggests that this would help; else "".
func (g goRuntime) explain(output string) string {
	if g.installed == "" || !goTooOld.MatchString(output) {
		return ""
	}
	origin := "the default of " + g.image
	if g.named != "" {
		origin = "which golang: " + g.named + " stands for"
	}
	return fmt.Sprintf("\n    Rehearsal: CodeBuild has Go %s, %s. Name another as golang in phases.install.runtime-versions of the buildspec: the image has %s.",
		g.installed, origin, strings.Join(g.offered, ", "))
}
