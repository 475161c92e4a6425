package doctor

import (
	"context"
	"fmt"
	"path"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"cicd/internal/buildglob"
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
		PostBuild struct{ Commands []string } `yaml:"post_build"`
	}
	Artifacts struct {
		BaseDirectory string `yaml:"base-directory"`
		Files         []string
		DiscardPaths  bool     `yaml:"discard-paths"`
		ExcludePaths  []string `yaml:"exclude-paths"`
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

// plain reports whether the bundle is the folder deploy-scripts as the commit has it, completed by bundle.sh, which needs its
// appspec.yml there. Otherwise the build may make what the commit lacks.
func (b buildspec) plain() bool {
	return path.Clean(b.Artifacts.BaseDirectory) == "deploy-scripts" && !b.Artifacts.DiscardPaths && len(b.Artifacts.ExcludePaths) == 0 &&
		slices.ContainsFunc(b.Phases.PostBuild.Commands, func(command string) bool { return strings.Contains(command, "deploy-scripts/build/bundle.sh") })
}

// takes reports whether the build's artifact gets a file of its base directory.
func (b buildspec) takes(file string) bool {
	return slices.ContainsFunc(b.Artifacts.Files, func(pattern string) bool {
		compiled, err := buildglob.Compile(buildglob.Clean(pattern))
		return err == nil && compiled.MatchString(file)
	})
}
