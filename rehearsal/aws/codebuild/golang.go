package codebuild

import (
	_ "embed"
	"fmt"
	"regexp"
	"strings"

	"cicd/internal/buildimages"
)

// goScript is the go command of a build, which judges modules as the image's version of Go does.
//
//go:embed go.sh
var goScript string

// goTooOld matches Go's errors when it is older than the module requires.
var goTooOld = regexp.MustCompile(`requires [Gg]o |invalid go version|unknown directive: toolchain`)

// explainGo says which Go a command used, and how to select another, if its output suggests that this would help; else "".
func (b *build) explainGo(output string) string {
	golang, known := b.runtimes["golang"]
	if !known || !goTooOld.MatchString(output) {
		return ""
	}
	offered := buildimages.Curated().Images[b.project.Environment.Image].Runtimes["golang"].Names()
	return fmt.Sprintf("\n    Rehearsal: CodeBuild has Go %s, %s. Name another as golang in phases.install.runtime-versions of the buildspec: the image has %s.",
		golang.Installed, golang.Origin, strings.Join(offered, ", "))
}
