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
	Images map[string]image
}

// image is one of CodeBuild's curated images.
type image struct {
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

// find returns the version installed for a version that a buildspec names, and whether the image has it. One that the
// image lacks is the version itself, which CodeBuild installs if it has the right form.
func (i image) find(name, wanted string) (installed string, preinstalled bool, err error) {
	runtime, ok := i.Runtimes[name]
	if !ok {
		//lint:ignore ST1005 these are AWS's own words
		return "", false, fmt.Errorf("Unknown runtime named '%s'. This build image has the following runtimes: %s",
			name, strings.Join(slices.Sorted(maps.Keys(i.Runtimes)), ", "))
	}
	if installed, ok := runtime.Versions[runtime.alias(wanted)]; ok {
		return installed, true, nil
	}
	if form, ok := curated().Custom[name]; ok && regexp.MustCompile("^("+form+")$").MatchString(wanted) {
		return wanted, false, nil
	}
	//lint:ignore ST1005 these are AWS's own words
	return "", false, fmt.Errorf("Unknown runtime version named '%s' of %s. This build image has the following versions: %s",
		wanted, name, strings.Join(runtime.names(), ", "))
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
