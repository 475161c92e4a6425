package doctor

import (
	"context"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// buildspecFile is where a build finds what to run, with the repository's own scripts (infra/build_scripts.go).
const buildspecFile = "deploy-scripts/buildspec.yml"

// buildspec is the part of it that a check looks at.
type buildspec struct {
	Phases struct {
		Install struct {
			// RuntimeVersions keep their text: 1.20 is not the number 1.2.
			RuntimeVersions map[string]yaml.Node `yaml:"runtime-versions"`
		}
	}
	Artifacts struct {
		BaseDirectory string `yaml:"base-directory"`
		Files         []string
	}
}

// readBuildspec returns the commit's buildspec, or the finding that it has none that can be read.
func readBuildspec(ctx context.Context, c *commit) (spec buildspec, wrong []Finding, err error) {
	if !c.has(buildspecFile) {
		return spec, []Finding{{
			Severity: Error,
			Message:  fmt.Sprintf("commit %s has no %s, so CodeBuild has nothing to run", c.id, buildspecFile),
			Remedy:   "Commit the folder deploy-scripts, or set `deployScripts` to stack.",
		}}, nil
	}
	text, err := c.read(ctx, buildspecFile)
	if err != nil {
		return spec, nil, err
	}
	if err := yaml.Unmarshal([]byte(text), &spec); err != nil {
		return spec, []Finding{{Severity: Error, Message: fmt.Sprintf("%s: %s", buildspecFile, strings.Join(strings.Fields(err.Error()), " ")),
			Remedy: "Correct it, and commit."}}, nil
	}
	return spec, nil, nil
}

// takes reports whether the build's artifact gets a file of its base directory.
func (b buildspec) takes(file string) bool {
	return slices.ContainsFunc(b.Artifacts.Files, func(pattern string) bool { return matches(pattern, file) })
}

// matches reports whether a path fits a pattern of a buildspec: "*" and "?" are within a name, "**" is across folders (CodeBuild
// User Guide, "Build specification reference", artifacts/files).
func matches(pattern, file string) bool {
	text := regexp.QuoteMeta(strings.TrimPrefix(path.Clean(pattern), "/"))
	for _, r := range [][2]string{{`\*\*/`, `(?:.*/)?`}, {`\*\*`, `.*`}, {`\*`, `[^/]*`}, {`\?`, `[^/]`}} {
		text = strings.ReplaceAll(text, r[0], r[1])
	}
	fits, err := regexp.MatchString(`^(?:`+text+`)$`, file)
	return err == nil && fits
}
