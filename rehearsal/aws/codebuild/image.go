package codebuild

import (
	_ "embed"
	"fmt"
	"go/version"
	"maps"
	"regexp"
	"slices"
	"strings"
	"sync"

	"go.yaml.in/yaml/v3"
)

//go:embed images.yaml
var imagesFile []byte

// catalog is images.yaml.
type catalog struct {
	// Custom are, by runtime, the versions that CodeBuild installs if the image lacks them.
	Custom map[string]string
	// Languages are the commands of each runtime.
	Languages map[string]language
	// Caches are the folders of package managers' caches.
	Caches map[string]string
	// Lacking are commands that no image has.
	Lacking []string
	Images  map[string]image
}

// language is what belongs to a runtime.
type language struct {
	// Version is the command that prints its version.
	Version  []string
	Commands []string
}

// image is one of CodeBuild's curated images.
type image struct {
	Environment map[string]string
	// Tools are groups of commands.
	Tools [][]string
	// Runtimes are what install.runtime-versions may name.
	Runtimes map[string]imageRuntime
}

// imageRuntime is a language in an image.
type imageRuntime struct {
	// Default is the version used if the buildspec names none.
	Default string
	// Versions are those that a buildspec may name, each with the version installed for it.
	Versions map[string]string
}

var curated = sync.OnceValue(func() (c catalog) {
	if err := yaml.Unmarshal(imagesFile, &c); err != nil {
		panic(fmt.Sprintf("images.yaml: %v", err))
	}
	return c
})

// commands returns those of the image's tools and runtimes.
func (i image) commands() []string {
	all := slices.Concat(i.Tools...)
	for name := range i.Runtimes {
		all = append(all, curated().Languages[name].Commands...)
	}
	return all
}

// has reports whether a command is among the image's.
func (i image) has(command string) bool { return slices.Contains(i.commands(), command) }

// lacking returns the commands that the image certainly does not have, those of other images among them.
func (i image) lacking() []string {
	all := slices.Clone(curated().Lacking)
	for _, other := range curated().Images {
		all = append(all, other.commands()...)
	}
	slices.Sort(all)
	return slices.DeleteFunc(slices.Compact(all), i.has)
}

// selected is the version of a runtime in a build.
type selected struct {
	// installed is the exact version, and release its first numbers, those that a buildspec names.
	installed, release string
	// origin says why it is this one.
	origin string
}

// find returns the version for one that a buildspec names, and whether the image has it. One that the image lacks is the
// version itself, which CodeBuild installs if it has the right form.
func (i image) find(name, wanted string) (v selected, preinstalled bool, err error) {
	runtime, ok := i.Runtimes[name]
	if !ok {
		//lint:ignore ST1005 these are AWS's own words
		return v, false, fmt.Errorf("Unknown runtime named '%s'. This build image has the following runtimes: %s",
			name, strings.Join(slices.Sorted(maps.Keys(i.Runtimes)), ", "))
	}
	origin := "which " + name + ": " + wanted + " stands for"
	if v, ok := runtime.version(runtime.alias(wanted), origin); ok {
		return v, true, nil
	}
	if form, ok := curated().Custom[name]; ok && regexp.MustCompile("^("+form+")$").MatchString(wanted) {
		return selected{wanted, strings.TrimPrefix(wanted, "corretto"), origin}, false, nil
	}
	//lint:ignore ST1005 these are AWS's own words
	return v, false, fmt.Errorf("Unknown runtime version named '%s' of %s. This build image has the following versions: %s",
		wanted, name, strings.Join(runtime.names(), ", "))
}

func (r imageRuntime) version(name, origin string) (v selected, ok bool) {
	installed, ok := r.Versions[name]
	return selected{installed, strings.TrimPrefix(name, "corretto"), origin}, ok
}

// alias returns the version that "latest", or a major version with ".x", stands for; any other is itself (User Guide,
// "Runtime versions": "a specific version, a specific major version and the latest minor version, or the latest version").
func (r imageRuntime) alias(wanted string) string {
	major, isMajor := strings.CutSuffix(wanted, ".x")
	if strings.Contains(major, ".") || !isMajor && wanted != "latest" {
		return wanted
	}
	for _, name := range slices.Backward(r.names()) {
		if !isMajor || name == major || strings.HasPrefix(name, major+".") {
			return name
		}
	}
	return wanted
}

// names returns the versions in order.
func (r imageRuntime) names() []string {
	return slices.SortedFunc(maps.Keys(r.Versions), func(a, b string) int {
		return version.Compare("go"+strings.TrimPrefix(a, "corretto"), "go"+strings.TrimPrefix(b, "corretto"))
	})
}
