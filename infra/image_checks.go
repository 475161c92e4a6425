package infra

import (
	"regexp"
	"slices"
	"strings"
)

var (
	pathPattern   = regexp.MustCompile(`^[A-Za-z0-9._@+-]+(/[A-Za-z0-9._@+-]+)*$`)
	targetPattern = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$`)
)

func checkAppPath(path string) string {
	if path != "." && !insideRepository(path) {
		return "want the folder of the application in the repository, of letters, digits and . _ @ + - /, such as apps/shop, or . for the repository's root"
	}
	return ""
}

func checkDockerfile(path string) string {
	if !insideRepository(path) {
		return "want the path of a Dockerfile in appPath, of letters, digits and . _ @ + - /, such as docker/Dockerfile.prod"
	}
	return ""
}

// insideRepository reports whether a path leads down from where it begins. It is part of a watched path, which has a
// limit.
func insideRepository(path string) bool {
	return pathPattern.MatchString(path) && len(path) <= maxPattern-len("/**") && !strings.HasPrefix(path, "-") &&
		!slices.ContainsFunc(strings.Split(path, "/"), func(part string) bool { return part == "." || part == ".." })
}

func checkDeployScripts(where string) string {
	if where != scriptsInRepository && where != scriptsInStack {
		return "want " + scriptsInRepository + ", or " + scriptsInStack + " for those that come with this program"
	}
	return ""
}

// checkBuildTarget accepts the name of a stage, or its number.
func checkBuildTarget(target string) string {
	if target != "" && !targetPattern.MatchString(target) {
		return "want the name of a stage of the Dockerfile, of letters, digits and . _ -, such as production, or nothing"
	}
	return ""
}
