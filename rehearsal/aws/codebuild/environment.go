package codebuild

import (
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"

	"cicd/internal/buildimages"
)

// environment assembles the environment of the build's commands (User Guide, "Environment variables in build
// environments"). From lowest to highest precedence: the host's, the image's, CodeBuild's regions, the buildspec's, the
// project's, those given at the start of the build, and those that CodeBuild reserves.
func (b *build) environment(spec *Buildspec) (map[string]string, error) {
	env := map[string]string{}
	for _, pair := range b.hostEnvironment() {
		name, value, _ := strings.Cut(pair, "=")
		env[name] = value
	}
	if path, ok := env["PATH"]; ok {
		b.machinePath = path
		env["PATH"] = b.binDir() + string(os.PathListSeparator) + path
	}
	maps.Copy(env, b.imageEnvironment())
	env["AWS_REGION"] = b.runner.Account.Region()
	env["AWS_DEFAULT_REGION"] = b.runner.Account.Region()
	maps.Copy(env, spec.Variables)

	// A name that is set again later, in whatever way, is not looked up.
	references := map[string]EnvironmentVariable{}
	for name, parameter := range spec.ParameterStore {
		references[name] = EnvironmentVariable{Name: name, Value: parameter, Type: "PARAMETER_STORE"}
	}
	for name, secret := range spec.SecretsManager {
		references[name] = EnvironmentVariable{Name: name, Value: secret, Type: "SECRETS_MANAGER"}
	}
	for _, v := range slices.Concat(b.project.Environment.EnvironmentVariables, b.input.EnvironmentVariables) {
		delete(references, v.Name)
		if v.Type == "" || v.Type == "PLAINTEXT" {
			env[v.Name] = v.Value
		} else {
			references[v.Name] = v
		}
	}
	secrets, err := b.lookUp(references)
	if err != nil {
		return nil, err
	}
	maps.Copy(env, secrets)
	b.log.hide(slices.Collect(maps.Values(secrets)))
	maps.Copy(env, b.reserved())
	for name, value := range env {
		if strings.Contains(value, "\x00") {
			return nil, contextError{"INVALID_INPUT", fmt.Errorf("environment variable %s holds a NUL byte", name)}
		}
	}
	return env, nil
}

func (b *build) hostEnvironment() []string {
	if b.runner.Environment == nil {
		return nil
	}
	return b.runner.Environment(b.session)
}

// imageEnvironment returns the variables of the image, without locales that this machine lacks: every program would
// complain.
func (b *build) imageEnvironment() map[string]string {
	env := map[string]string{}
	for name, value := range buildimages.Curated().Images[b.project.Environment.Image].Environment {
		isLocale := name == "LANG" || strings.HasPrefix(name, "LC_")
		if !isLocale || hasLocale(value) {
			env[name] = b.place(value)
		}
	}
	return env
}

// hasLocale reports whether this machine has a locale.
func hasLocale(name string) bool {
	plain := func(name string) string { return strings.ToLower(strings.ReplaceAll(name, "-", "")) }
	return slices.ContainsFunc(locales(), func(has string) bool { return plain(has) == plain(name) })
}

var locales = sync.OnceValue(func() []string {
	cmd := exec.Command("locale", "-a")
	cmd.Env = []string{}
	out, _ := cmd.Output()
	return strings.Fields(string(out))
})

// place returns where a path of the image is on this machine: what is in /root or /go in a folder of the build, and
// anything else unchanged.
func (b *build) place(path string) string {
	for folder, place := range map[string]string{"/root": b.homeDir(), "/go": b.goDir()} {
		if rest, inside := strings.CutPrefix(path+"/", folder+"/"); inside {
			return filepath.Join(place, rest)
		}
	}
	return path
}

// reserved returns the variables that CodeBuild itself sets: those of the User Guide that a build from CodePipeline
// has, and two that it does not mention, by which tools detect that they run in CodeBuild (the environment of a build
// is recorded in OndraM/ci-detector, tests/phpt/Ci/CiDetector_AwsCodeBuild.phpt).
func (b *build) reserved() map[string]string {
	region := b.runner.Account.Region()
	return map[string]string{
		"CODEBUILD_BUILD_ARN":               b.result.ARN,
		"CODEBUILD_BUILD_ID":                b.result.ID,
		"CODEBUILD_BUILD_IMAGE":             b.project.Environment.Image,
		"CODEBUILD_BUILD_NUMBER":            strconv.Itoa(b.result.Number),
		"CODEBUILD_BUILD_SUCCEEDING":        "1",
		"CODEBUILD_BUILD_URL":               "https://" + region + ".console.aws.amazon.com/codebuild/home?region=" + region + "#/builds/" + b.result.ID + "/view/new",
		"CODEBUILD_CI":                      "true",
		"CODEBUILD_INITIATOR":               b.input.Initiator,
		"CODEBUILD_KMS_KEY_ID":              b.project.kmsKey(b.runner.Account),
		"CODEBUILD_LOG_PATH":                b.logStream(),
		"CODEBUILD_PROJECT_ARN":             b.project.ARN,
		"CODEBUILD_RESOLVED_SOURCE_VERSION": b.input.ResolvedSourceVersion,
		"CODEBUILD_SOURCE_REPO_URL":         "", // "If a build originates from CodePipeline, this […] may be empty."
		"CODEBUILD_SOURCE_VERSION":          b.input.SourceVersion,
		"CODEBUILD_SRC_DIR":                 b.sourceDir(),
		"CODEBUILD_START_TIME":              strconv.FormatInt(b.started.UnixMilli(), 10),
		"HOME":                              b.homeDir(),
		"TMPDIR":                            b.tempDir(), // not CodeBuild's: keeps temporary files in the build
	}
}
