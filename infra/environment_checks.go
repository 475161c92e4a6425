package infra

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

const (
	// maxVariables is how many variables a container gets, plain ones and secrets together.
	maxVariables = 100
	// maxValue is the longest value in bytes: as much as a standard parameter of Parameter Store (Systems Manager API
	// Reference, PutParameter), so that a variable can become a secret.
	maxValue = 4096
	// The limits of healthSeconds and stopSeconds, with a release command of 900 s, keep start.sh within 3600 s,
	// CodeDeploy's maximum for the scripts of an event (CodeDeploy User Guide, "AppSpec 'hooks' section").
	minHealthSeconds, maxHealthSeconds, maxStopSeconds = 10, 1200, 300
)

var (
	variablePattern = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]{0,99}$`)
	// releaseVariables are what start.sh gives every container.
	releaseVariables = regexp.MustCompile(`^(PORT|RELEASE_.*)$`)
	// hostVariables change what the shell, Docker's client or the system's linker does on the host, or are the shell's
	// own. A secret reaches its container through their environment; a plain variable does not.
	hostVariables = regexp.MustCompile(`^(PATH|HOME|IFS|ENV|PWD|OLDPWD|CDPATH|SHELLOPTS|UID|EUID|PPID|GROUPS|S?RANDOM|SECONDS|LINENO|` +
		`FUNCNAME|DIRSTACK|PIPESTATUS|HISTCMD|EPOCHREALTIME|EPOCHSECONDS|OPT(ARG|IND|ERR)|PS[0-4]|TMPDIR|_|(BASH|DOCKER_|LD_).*)$`)
)

// checkFields returns what is wrong with single fields of the maps.
func (s *settings) checkFields() []string {
	var violations []string
	for _, m := range []struct {
		key    string
		fields map[string]string
		check  func(name, value string) string
	}{
		{"buildArgs", s.BuildArgs, checkBuildArg},
		{"buildSecrets", s.BuildSecrets, s.checkSecret},
		{"environment", s.Environment, checkVariable},
		{"processes", s.Processes, checkProcess},
		{"secrets", s.Secrets, s.checkSecret},
		{"volumes", s.Volumes, checkVolume},
	} {
		for _, name := range slices.Sorted(maps.Keys(m.fields)) {
			if problem := m.check(name, m.fields[name]); problem != "" {
				violations = append(violations, fmt.Sprintf("%s.%s: %s", m.key, name, problem))
			}
		}
	}
	return violations
}

// checkVariables returns what is wrong with the maps as a whole.
func (s *settings) checkVariables(project string) []string {
	var violations []string
	for _, name := range slices.Sorted(maps.Keys(s.Secrets)) {
		if _, ok := s.Environment[name]; ok {
			violations = append(violations, fmt.Sprintf("secrets.%s: is in environment too: want it in one of them", name))
		}
	}
	if n := len(s.Environment) + len(s.Secrets); n > maxVariables {
		violations = append(violations, fmt.Sprintf("environment: has %d variables, with secrets: want at most %d", n, maxVariables))
	}
	if n := len(s.BuildArgs); n > maxVariables {
		violations = append(violations, fmt.Sprintf("buildArgs: has %d: want at most %d", n, maxVariables))
	}
	if n := len(s.Processes); n > maxProcesses {
		violations = append(violations, fmt.Sprintf("processes: has %d: want at most %d", n, maxProcesses))
	}
	return append(violations, s.checkSources(project)...)
}

// checkVariable checks a variable's name and its value.
func checkVariable(name, value string) string {
	if problem := checkVariableName(name); problem != "" {
		return problem
	}
	return checkText(value)
}

func checkVariableName(name string) string {
	switch {
	case !variablePattern.MatchString(name):
		return "want a name of letters, digits and _, at most 100 and no digit first, such as LOG_LEVEL"
	case releaseVariables.MatchString(name):
		return "each release sets PORT and RELEASE_* itself: want another name"
	}
	return ""
}

// checkBuildArg checks an argument of the image's build. PORT is no variable of a container here.
func checkBuildArg(name, value string) string {
	if !variablePattern.MatchString(name) {
		return "want a name of letters, digits and _, at most 100 and no digit first, such as VERSION"
	}
	return checkText(value)
}

// checkText accepts what a container can be given: text without NUL, which would end it.
func checkText(value string) string {
	switch {
	case len(value) > maxValue:
		return fmt.Sprintf("has %d bytes: want at most %d; put more into a file of the image, or where the application can fetch it", len(value), maxValue)
	case strings.ContainsRune(value, 0) || strings.ContainsRune(value, utf8.RuneError):
		return "has bytes that are no text: want UTF-8 without NUL, such as the bytes in base64"
	}
	return ""
}
