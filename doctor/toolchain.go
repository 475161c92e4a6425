package doctor

import (
	"context"
	"encoding/json"
	"fmt"
	"go/version"
	"maps"
	"regexp"
	"slices"
	"strings"

	"golang.org/x/mod/modfile"

	"cicd/infra"
	"cicd/internal/buildimages"
)

// findToolchain compares what the application asks for with what the build image has. Only a Makefile is run with the image's
// tools: without one, the application is built within its Dockerfile.
func findToolchain(ctx context.Context, s *subject) ([]Finding, error) {
	needs, err := s.settings("repository", "deployScripts", "appPath", "instanceType")
	if err != nil || !needs.OwnScripts {
		return nil, err
	}
	c, err := s.source(needs.Repository)
	if err != nil {
		return nil, err
	}
	spec, wrong, err := readBuildspec(ctx, c)
	if err != nil || wrong != nil { // the check of the bundle has what is wrong
		return nil, err
	}
	selected, findings := selectRuntimes(needs.BuildImage, spec)
	if !c.has(place(needs, "Makefile")) {
		return findings, nil
	}
	asked, err := demands(ctx, c, needs)
	for _, d := range asked {
		has := selected[d.language]
		if wanted, lacks := d.lacks(has); lacks {
			findings = append(findings, Finding{Severity: d.severity,
				Message: fmt.Sprintf("%s asks for %s %s, and the build has %s", d.file, d.language, d.version, has.Installed),
				Remedy:  fmt.Sprintf("Name %s: %s under runtime-versions in %s.", d.language, wanted, buildspecFile)})
		}
	}
	return findings, err
}

// selectRuntimes returns the version of each language in a build, and what CodeBuild will refuse.
func selectRuntimes(name string, spec buildspec) (map[string]buildimages.Version, []Finding) {
	image := buildimages.Curated().Images[name]
	selected := map[string]buildimages.Version{}
	for language, runtime := range image.Runtimes {
		selected[language], _ = runtime.Version(runtime.Default, "")
	}
	var findings []Finding
	for _, language := range slices.Sorted(maps.Keys(spec.Phases.Install.RuntimeVersions)) {
		wanted := spec.Phases.Install.RuntimeVersions[language].Value
		if strings.Contains(wanted, "$") { // a variable, which only the build has
			delete(selected, language)
			continue
		}
		found, _, err := image.Find(language, wanted)
		if err != nil {
			findings = append(findings, Finding{Severity: Error, Message: fmt.Sprintf("%s: %v", buildspecFile, err), Remedy: "Name one of these under runtime-versions."})
			continue
		}
		selected[language] = found
	}
	return selected, findings
}

// demand is a version of a language that a file of the application asks for.
type demand struct {
	file, language, version string
	// exact says that a newer one is not asked for either.
	exact bool
	// severity is what another version means.
	severity Severity
}

// lacks reports whether a build's version is not what is asked for, and the release that would be. It compares as many numbers
// as the name of a release has: 22, or 3.12. Since 1.21, Go fetches the version that a go.mod wants (https://go.dev/doc/toolchain).
func (d demand) lacks(has buildimages.Version) (wanted string, lacks bool) {
	if has.Release == "" { // the image has no such language, and says so itself; or a variable of the build names the version
		return "", false
	}
	numbers := strings.Split(d.version, ".")
	wanted = strings.Join(numbers[:min(len(numbers), 1+strings.Count(has.Release, "."))], ".")
	older := version.Compare("go"+has.Release, "go"+wanted) < 0
	switch {
	case strings.HasPrefix(has.Release+".", wanted+"."):
		return wanted, false
	case d.language == "golang" && version.Compare("go"+has.Release, "go1.21") >= 0:
		return wanted, false
	}
	return wanted, older || d.exact
}

var (
	numbersPattern = regexp.MustCompile(`^\s*(?:v|python-|ruby-)?(\d+(?:\.\d+){0,2})\s*$`)
	rangePattern   = regexp.MustCompile(`^\s*(>=|\^|~)?\s*(\d+(?:\.\d+){0,2})(?:\.x)?\s*$`)
	pythonPattern  = regexp.MustCompile(`(?m)^requires-python\s*=\s*["']\s*>=\s*(\d+\.\d+)`)
)

// demands returns what the files in the application's folder ask for.
func demands(ctx context.Context, c *commit, needs infra.Needs) ([]demand, error) {
	var all []demand
	for _, from := range []struct {
		file string
		read func(text string) (demand, bool)
	}{
		{"go.mod", goDemand},
		{"package.json", nodeDemand},
		{".nvmrc", exactly("nodejs")},
		{".node-version", exactly("nodejs")},
		{"pyproject.toml", pythonDemand},
		{".python-version", exactly("python")},
		{".ruby-version", exactly("ruby")},
	} {
		file := place(needs, from.file)
		if !c.has(file) {
			continue
		}
		text, err := c.read(ctx, file)
		if err != nil {
			return all, err
		}
		if d, ok := from.read(text); ok {
			d.file = file
			all = append(all, d)
		}
	}
	return all, nil
}

func goDemand(text string) (demand, bool) {
	file, err := modfile.ParseLax("go.mod", []byte(text), nil)
	if err != nil || file.Go == nil {
		return demand{}, false
	}
	return demand{language: "golang", version: file.Go.Version, severity: Error}, true
}

func nodeDemand(text string) (demand, bool) {
	var manifest struct{ Engines struct{ Node string } }
	if err := json.Unmarshal([]byte(text), &manifest); err != nil {
		return demand{}, false
	}
	match := rangePattern.FindStringSubmatch(manifest.Engines.Node)
	if match == nil { // none, or a range of several parts
		return demand{}, false
	}
	return demand{language: "nodejs", version: match[2], exact: match[1] != ">=", severity: Warning}, true
}

func pythonDemand(text string) (demand, bool) {
	match := pythonPattern.FindStringSubmatch(text)
	if match == nil {
		return demand{}, false
	}
	return demand{language: "python", version: match[1], severity: Warning}, true
}

// exactly reads a file that has a version and nothing else. It is what people have on their machines.
func exactly(language string) func(string) (demand, bool) {
	return func(text string) (demand, bool) {
		match := numbersPattern.FindStringSubmatch(text)
		if match == nil {
			return demand{}, false
		}
		return demand{language: language, version: match[1], exact: true, severity: Warning}, true
	}
}
