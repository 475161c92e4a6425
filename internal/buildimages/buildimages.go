// Package buildimages knows what CodeBuild's curated images provide: images.yaml.
package buildimages

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

// Catalog is images.yaml.
type Catalog struct {
	// Custom are, by runtime, the versions that CodeBuild installs if the image lacks them.
	Custom map[string]string
	// Languages are the commands of each runtime.
	Languages map[string]Language
	// Caches are the folders of package managers' caches.
	Caches map[string]string
	// Lacking are commands that no image has.
	Lacking []string
	Images  map[string]Image
}

// Language is what belongs to a runtime.
type Language struct {
	// Version is the command that prints its version.
	Version  []string
	Commands []string
}

// Image is one of CodeBuild's curated images.
type Image struct {
	Environment map[string]string
	// Tools are groups of commands.
	Tools [][]string
	// Runtimes are what install.runtime-versions may name.
	Runtimes map[string]Runtime
}

// Runtime is a language in an image.
type Runtime struct {
	// Default is the version used if the buildspec names none.
	Default string
	// Versions are those that a buildspec may name, each with the version installed for it.
	Versions map[string]string
}

// Curated returns the catalog.
var Curated = sync.OnceValue(func() (c Catalog) {
	if err := yaml.Unmarshal(imagesFile, &c); err != nil {
		panic(fmt.Sprintf("images.yaml: %v", err))
	}
	return c
})

// commands returns those of the image's tools and runtimes.
func (i Image) commands() []string {
	all := slices.Concat(i.Tools...)
	for name := range i.Runtimes {
		all = append(all, Curated().Languages[name].Commands...)
	}
	return all
}

// Has reports whether a command is among the image's.
func (i Image) Has(command string) bool { return slices.Contains(i.commands(), command) }

// Lacking returns the commands that the image certainly does not have, those of other images among them.
func (i Image) Lacking() []string {
	all := slices.Clone(Curated().Lacking)
	for _, other := range Curated().Images {
		all = append(all, other.commands()...)
	}
	slices.Sort(all)
	return slices.DeleteFunc(slices.Compact(all), i.Has)
}

// Version is that of a runtime in a build.
type Version struct {
	// Installed is the exact version, and Release its first numbers, those that a buildspec names.
	Installed, Release string
	// Origin says why it is this one.
	Origin string
}

// Find returns the version for one that a buildspec names, and whether the image has it. One that the image lacks is the
// version itself, which CodeBuild installs if it has the right form.
func (i Image) Find(name, wanted string) (v Version, preinstalled bool, err error) {
	runtime, ok := i.Runtimes[name]
	if !ok {
		//lint:ignore ST1005 these are AWS's own words
		return v, false, fmt.Errorf("Unknown runtime named '%s'. This build image has the following runtimes: %s",
			name, strings.Join(slices.Sorted(maps.Keys(i.Runtimes)), ", "))
	}
	origin := "which " + name + ": " + wanted + " stands for"
	if v, ok := runtime.Version(runtime.alias(wanted), origin); ok {
		return v, true, nil
	}
	if form, ok := Curated().Custom[name]; ok && regexp.MustCompile("^("+form+")$").MatchString(wanted) {
		return Version{wanted, strings.TrimPrefix(wanted, "corretto"), origin}, false, nil
	}
	//lint:ignore ST1005 these are AWS's own words
	return v, false, fmt.Errorf("Unknown runtime version named '%s' of %s. This build image has the following versions: %s",
		wanted, name, strings.Join(runtime.Names(), ", "))
}

// Version returns the version of a name, such as corretto17, and false if the image has none of it.
func (r Runtime) Version(name, origin string) (v Version, ok bool) {
	installed, ok := r.Versions[name]
	return Version{installed, strings.TrimPrefix(name, "corretto"), origin}, ok
}

// alias returns the version that "latest", or a major version with ".x", stands for; any other is itself (User Guide,
// "Runtime versions": "a specific version, a specific major version and the latest minor version, or the latest version").
func (r Runtime) alias(wanted string) string {
	major, isMajor := strings.CutSuffix(wanted, ".x")
	if strings.Contains(major, ".") || !isMajor && wanted != "latest" {
		return wanted
	}
	for _, name := range slices.Backward(r.Names()) {
		if !isMajor || name == major || strings.HasPrefix(name, major+".") {
			return name
		}
	}
	return wanted
}

// Names returns the versions in order.
func (r Runtime) Names() []string {
	return slices.SortedFunc(maps.Keys(r.Versions), func(a, b string) int {
		return version.Compare("go"+strings.TrimPrefix(a, "corretto"), "go"+strings.TrimPrefix(b, "corretto"))
	})
}
