package doctor

import (
	"context"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// appspecFile becomes appspec.yml at the bundle's root.
const appspecFile = "deploy-scripts/appspec.yml"

// appspec is the part of appspec.yml that a check looks at.
type appspec struct {
	// Hooks are the scripts of each event.
	Hooks map[string][]struct{ Location string }
}

// findBundle looks at what the build hands to CodeDeploy: appspec.yml at its root, and the scripts that it names. Modes do not
// matter, since CodePipeline's zip of a commit has none.
func findBundle(ctx context.Context, s *subject) ([]Finding, error) {
	needs, err := s.settings("repository", "deployScripts")
	if err != nil || !needs.OwnScripts { // those of the stack come with the program
		return nil, err
	}
	c, err := s.source(needs.Repository)
	if err != nil {
		return nil, err
	}
	spec, wrong, err := readBuildspec(ctx, c)
	if err != nil || wrong != nil {
		return wrong, err
	}
	switch {
	case !spec.plain():
		return nil, fmt.Errorf("%s puts the bundle together in a way of its own, so only a build can tell what is in it", buildspecFile)
	case c.has(appspecFile) && spec.takes("appspec.yml"):
		return findHooks(ctx, c, spec)
	case c.has(appspecFile):
		return []Finding{{Severity: Error, Message: fmt.Sprintf("%s leaves %s out of the bundle", buildspecFile, appspecFile), Remedy: "List appspec.yml in its artifacts.files."}}, nil
	case c.has("deploy-scripts/appspec.yaml"):
		// The agent reads hooks from appspec.yml alone (aws-codedeploy-agent, command_executor.rb, app_spec_real_path).
		return []Finding{{Severity: Error, Message: "deploy-scripts/appspec.yaml is not found by the agent, which wants appspec.yml", Remedy: "Rename it, and in artifacts.files of the buildspec."}}, nil
	}
	return []Finding{{Severity: Error, Message: fmt.Sprintf("commit %s has no %s, so no host can deploy it", c.id, appspecFile), Remedy: "Commit it."}}, nil
}

// findHooks looks for the scripts that an appspec names.
func findHooks(ctx context.Context, c *commit, spec buildspec) ([]Finding, error) {
	text, err := c.read(ctx, appspecFile)
	if err != nil {
		return nil, err
	}
	for _, mark := range []string{"\xef\xbb\xbf", "\xfe\xff", "\xff\xfe"} {
		if strings.HasPrefix(text, mark) {
			return []Finding{{Severity: Error, Failure: "F57", Message: appspecFile + " has a byte order mark, and the agent then misses keys that are there",
				Remedy: "Save it as UTF-8 without one, and commit."}}, nil
		}
	}
	var hooks appspec
	if err := yaml.Unmarshal([]byte(text), &hooks); err != nil {
		return []Finding{{Severity: Error, Message: fmt.Sprintf("%s: %s", appspecFile, strings.Join(strings.Fields(err.Error()), " ")), Remedy: "Correct it, and commit."}}, nil
	}
	var findings []Finding
	for _, event := range slices.Sorted(maps.Keys(hooks.Hooks)) {
		for _, script := range hooks.Hooks[event] {
			switch script := path.Clean(strings.TrimPrefix(script.Location, "/")); {
			case !c.has("deploy-scripts/" + script):
				findings = append(findings, Finding{Severity: Error, Failure: "F21", Message: fmt.Sprintf("%s: %s runs %s, which commit %s does not have", appspecFile, event, script, c.id),
					Remedy: "Commit the script, or correct the appspec."})
			case !spec.takes(script):
				findings = append(findings, Finding{Severity: Error, Failure: "F21", Message: fmt.Sprintf("%s: %s runs %s, which %s leaves out of the bundle", appspecFile, event, script, buildspecFile),
					Remedy: "List it in artifacts.files of the buildspec."})
			}
		}
	}
	return findings, nil
}

// findLineEnds looks for carriage returns in the scripts that run on Linux, where one belongs to the word before it.
func findLineEnds(ctx context.Context, s *subject) ([]Finding, error) {
	needs, err := s.settings("repository", "deployScripts")
	if err != nil || !needs.OwnScripts {
		return nil, err
	}
	c, err := s.source(needs.Repository)
	if err != nil {
		return nil, err
	}
	var findings []Finding
	for _, file := range c.files {
		if !strings.HasPrefix(file, "deploy-scripts/") || path.Ext(file) != ".sh" && path.Ext(file) != ".awk" {
			continue
		}
		text, err := c.read(ctx, file)
		if err != nil {
			return findings, err
		}
		if n := strings.Count(text, "\r"); n > 0 {
			findings = append(findings, Finding{Severity: Error, Message: fmt.Sprintf("%s has %d carriage returns, as of Windows' line ends", file, n),
				Remedy: "Write `*.sh text eol=lf` into .gitattributes, then `git add --renormalize .`, and commit."})
		}
	}
	return findings, nil
}
