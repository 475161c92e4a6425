package codebuild

import (
	"errors"
	"fmt"
	"os"

	"cicd/internal/buildimages"
)

// Runtime is an entry of install.runtime-versions.
type Runtime struct {
	Name, Version string
	// Line is its line in the buildspec.
	Line int
}

// selectRuntimes does what CodeBuild does at the end of DOWNLOAD_SOURCE: it compares the buildspec's versions with
// the declared image's. This machine's commands must behave as the image's, whether or not the buildspec names them.
func (b *build) selectRuntimes(buildspec string, env map[string]string) error {
	declared := b.project.Environment.Image
	image, known := buildimages.Curated().Images[declared]
	if !known {
		b.warn("environment.image %s: the rehearsal does not know its runtimes: it checks no runtime-versions, and builds with this machine's tools", declared)
		return nil
	}
	if len(b.spec.Runtimes) == 0 {
		b.log.say("No runtime version selected in buildspec.")
	}
	b.runtimes = map[string]buildimages.Version{}
	for name, r := range image.Runtimes {
		b.runtimes[name], _ = r.Version(r.Default, "the default of "+declared)
	}
	var errs []error
	for _, r := range b.spec.Runtimes {
		// A version may be a variable, as in the guide's ruby: "$MY_RUBY_VAR".
		wanted := os.Expand(r.Version, func(name string) string { return env[name] })
		b.log.say("Selecting '%s' runtime version '%s' based on manual selections...", r.Name, wanted)
		version, preinstalled, err := image.Find(r.Name, wanted)
		switch {
		case err != nil:
			errs = append(errs, fmt.Errorf("%s: line %d: %w", buildspec, r.Line, err))
			continue
		case !preinstalled:
			b.warn("%s: line %d: %s %s is not in %s: CodeBuild installs it anew in each build", buildspec, r.Line, r.Name, wanted, declared)
		}
		b.runtimes[r.Name] = version
		b.log.say("Rehearsal: %s is what is installed on this machine, not %s", r.Name, version.Installed)
	}
	if len(errs) > 0 {
		return contextError{"YAML_FILE_ERROR", errors.Join(errs...)}
	}
	return b.installCommands(image)
}

// warn reports something that does not stop the build.
func (b *build) warn(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	b.result.Warnings = append(b.result.Warnings, text)
	b.log.say("Rehearsal: %s", text)
}
