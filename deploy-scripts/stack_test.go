package deployscripts_test

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	deployscripts "cicd/deploy-scripts"
)

func marshal(t *testing.T, v any) string {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// stackBuild is a build with the scripts of the stack, without Docker and AWS.
type stackBuild struct {
	files  map[string]string // of the commit
	env    []string
	source string // where the commit is
	seen   string // the files that docker build finds in the commit, one a line
}

// tools are an aws that gives the archive and the settings, and a docker that builds and pushes anything.
var tools = map[string]string{
	"aws": `#!/bin/bash
here="${0%/*}"
case "$*" in
  's3api get-object --region eu-central-1 --bucket artifacts --key _stack/deploy-scripts.tar --version-id v1 '*) cp "$here/scripts.tar" "${*: -1}" ;;
  's3api get-object --region eu-central-1 --bucket artifacts --key _stack/settings.env '*) cp "$here/settings.env" "${*: -1}" ;;
  'ecr get-login-password '*) echo password ;;
  'ecr describe-images '*) echo '(ImageNotFoundException)'; exit 254 ;;
  *) echo "An error occurred (NoSuchVersion) when calling the GetObject operation"; exit 254 ;;
esac
`,
	"docker": `#!/bin/bash
case "$1" in
  build) (cd "$CODEBUILD_SRC_DIR" && find . -type f) | LC_ALL=C sort >"${0%/*}/seen" ;;
  push) echo "${2#*:}: digest: sha256:` + strings.Repeat("0", 64) + `" ;;
esac
`,
}

// run runs the buildspec's commands, as CodeBuild does: a phase ends at the first that fails, with its finally block, and
// after a failed pre_build there is no other.
func (s *stackBuild) run(t *testing.T) (output string, err error) {
	t.Helper()
	s.source = t.TempDir()
	for path, text := range s.files {
		write(t, filepath.Join(s.source, path), text)
	}
	bin, archive := t.TempDir(), mustArchive(t)
	for name, text := range tools {
		write(t, filepath.Join(bin, name), text)
	}
	write(t, filepath.Join(bin, "scripts.tar"), archive)
	write(t, filepath.Join(bin, "settings.env"), settings)
	sum := sha256.Sum256([]byte(archive))

	var spec buildspec
	readYAML(t, "stack-buildspec.yml", &spec)
	var script strings.Builder
	for _, phase := range []string{"pre_build", "build", "post_build"} {
		p := spec.Phases[phase]
		script.WriteString("{ " + strings.Join(p.Commands, "\n} && {\n") + "\n} || failed=1\n" + strings.Join(p.Finally, "\n") + "\n")
		script.WriteString("export CODEBUILD_BUILD_SUCCEEDING=$((!failed))\n")
		if phase == "pre_build" {
			script.WriteString("((!failed)) || exit 1\n")
		}
	}
	cmd := exec.Command("bash", "-c", "failed=0\n"+script.String()+"exit $failed\n")
	cmd.Dir = s.source
	cmd.Env = slices.Concat(buildEnvironment(), []string{"PATH=" + bin + ":" + os.Getenv("PATH"), "TMPDIR=" + t.TempDir(), "CODEBUILD_SRC_DIR=" + s.source,
		"DEPLOY_SCRIPTS=artifacts/_stack/deploy-scripts.tar", "DEPLOY_SCRIPTS_VERSION=v1", "DEPLOY_SCRIPTS_SHA256=" + hex.EncodeToString(sum[:])}, s.env)
	out, err := cmd.CombinedOutput()
	s.seen = readFile(t, filepath.Join(bin, "seen"))
	return string(out), err
}

func mustArchive(t *testing.T) string {
	t.Helper()
	archive, err := deployscripts.Archive()
	if err != nil {
		t.Fatal(err)
	}
	return string(archive)
}

// ruinous is a repository whose every file but the Dockerfile would leave a trace if the build ran it, or read it with make.
func ruinous(trace string) map[string]string {
	files := map[string]string{"apps/shop/Dockerfile": "FROM scratch\n", "apps/shop/Makefile": "$(shell touch " + trace + ")\ntest image:\n\ttouch " + trace + "\n"}
	for _, name := range []string{"build/image.sh", "build/bundle.sh", "build/environment.sh", "hooks/prepare.sh", "hooks/start.sh", "hooks/lib/ending.sh"} {
		files["deploy-scripts/"+name] = "touch " + trace + "\n"
	}
	files["deploy-scripts/buildspec.yml"] = "version: 0.2\nphases: {build: {commands: [touch " + trace + "]}}\n"
	files["deploy-scripts/appspec.yml"] = "not an appspec\n"
	files["deploy-scripts/edge/Caddyfile"] = "not a Caddyfile\n"
	files["buildspec.yml"] = files["deploy-scripts/buildspec.yml"]
	return files
}

// TestScriptsOfTheStack: nothing of the repository runs outside docker build, which sees the commit as it is, and the bundle
// is the stack's.
func TestScriptsOfTheStack(t *testing.T) {
	t.Parallel()
	trace := filepath.Join(t.TempDir(), "trace")
	build := stackBuild{files: ruinous(trace), env: []string{"APP_PATH=apps/shop"}}
	output, err := build.run(t)
	if err != nil {
		t.Fatalf("build: %v\n%s", err, output)
	}
	if _, err := os.Stat(trace); err == nil {
		t.Errorf("something of the repository has run:\n%s", output)
	}
	var committed strings.Builder
	for _, name := range slices.Sorted(maps.Keys(build.files)) {
		committed.WriteString("./" + name + "\n")
	}
	if build.seen != committed.String() {
		t.Errorf("docker build finds\n%s\nwant\n%s", build.seen, committed.String())
	}
	const want = "apps/shop/Makefile is not used, because of deployScripts: test the application in its Dockerfile; "
	bundle := filepath.Join(build.source, "deploy-scripts")
	if got := readFile(t, filepath.Join(bundle, "notes.txt")); got != want {
		t.Errorf("notes are %q, want %q", got, want)
	}
	for _, folder := range []string{"hooks", "edge"} {
		if got, want := tree(t, filepath.Join(bundle, folder), ""), tree(t, folder, ""); !slices.Equal(got, want) {
			t.Errorf("the bundle has %q in %s, want %q", got, folder, want)
		}
		for _, name := range tree(t, folder, folder+"/") {
			if readFile(t, filepath.Join(bundle, name)) != readFile(t, name) {
				t.Errorf("the bundle's %s is not the stack's", name)
			}
		}
	}
	if got := readFile(t, filepath.Join(bundle, "release.env")); !strings.Contains(got, "\nCOMMIT="+commitID(1)+"\n") {
		t.Errorf("release.env has %q", got)
	}
	if len(readAppspec(t, filepath.Join(bundle, "appspec.yml")).Hooks) != 3 || readFile(t, filepath.Join(bundle, "settings.env")) != settings {
		t.Error("the bundle's appspec.yml or settings.env is not the stack's")
	}
}

// TestScriptsOfTheStackSayWhatIsWrong: nothing is built, or the old release stays, and the output says why.
func TestScriptsOfTheStackSayWhatIsWrong(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, want string
		env        []string
	}{
		{"no such version", "the deployment scripts, s3://artifacts/_stack/deploy-scripts.tar, cannot be read: An error occurred (NoSuchVersion)", []string{"DEPLOY_SCRIPTS_VERSION=v0"}},
		{"other scripts", "s3://artifacts/_stack/deploy-scripts.tar has other deployment scripts than pulumi up wrote: delete it, and run pulumi up --refresh", []string{"DEPLOY_SCRIPTS_SHA256=" + strings.Repeat("0", 64)}},
		{"no folder", "commit " + commitID(1) + " has no folder apps/other: appPath says where the application is", []string{"APP_PATH=apps/other"}},
		{"no Dockerfile", "apps/shop/Dockerfile.prod does not exist in commit " + commitID(1) + ": an application needs one; appPath and dockerfile say where", []string{"DOCKERFILE=Dockerfile.prod"}},
		{"outside of the repository", "APP_PATH or DOCKERFILE has '..'", []string{"APP_PATH=../other"}},
		{"no place for the commit", "CODEBUILD_SRC_DIR '': want the folder of the commit", []string{"CODEBUILD_SRC_DIR="}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			build := stackBuild{files: map[string]string{"apps/shop/Dockerfile": "FROM scratch\n"}, env: append([]string{"APP_PATH=apps/shop"}, tt.env...)}
			output, err := build.run(t)
			if err == nil || !strings.Contains(output, tt.want) || build.seen != "" {
				t.Errorf("build: %v, docker build found %q, want no build and %q in\n%s", err, build.seen, tt.want, output)
			}
			if fileExists(filepath.Join(build.source, "deploy-scripts", "release.env")) {
				t.Error("there is a release")
			}
		})
	}
}

func fileExists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
