package codebuild

import (
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"cicd/internal/buildimages"
)

// stateFolder is where bash says that a script is.
var stateFolder = regexp.MustCompile(`/\S+/state/`)

const armImage = "aws/codebuild/amazonlinux-aarch64-standard:3.0"

// machineWith makes a PATH that has some of the system's commands and these scripts.
func machineWith(t *testing.T, scripts map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for _, name := range []string{"bash", "cat", "chmod", "cp", "find", "mkdir", "sh"} {
		real, err := exec.LookPath(name)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(real, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	for name, script := range scripts {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("#!/bin/sh\n"+script+"\n"), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("PATH", dir)
	return dir
}

// A command that this machine has and the image lacks is not found, unless the build installs it.
func TestCommandsOfTheImage(t *testing.T) {
	const lacks = "terraform: command not found\n    Rehearsal: this machine has terraform, but CodeBuild's image " + testImage + " does not: install it in phases.install of the buildspec"
	tests := []struct {
		name, image, command string
		want                 string // printed, or the end of the build's error
		fails                bool
	}{
		{"lacking", testImage, "terraform plan", lacks, true},
		{"lacking, from a script", testImage, "sh -c 'terraform plan'", lacks, true},
		{"a tool of the image", testImage, "gh pr", "this machine's gh pr", false},
		{"a tool of another image", testImage, "shellcheck x", "shellcheck: command not found\n    Rehearsal: this machine has shellcheck, but", true},
		{"of that image", "aws/codebuild/standard:7.0", "shellcheck x", "this machine's shellcheck x", false},
		{"a language that the image lacks", testImage, "cargo build", "cargo: command not found\n    Rehearsal: this machine has cargo, but", true},
		{"a language that it has", armImage, "cargo build", "this machine's cargo build", false},
		{"unknown to the rehearsal", testImage, "mytool x", "this machine's mytool x", false},
		{"unknown image", "registry.example.com/builder:1", "terraform plan", "this machine's terraform plan", false},
		{"installed elsewhere", testImage, "mkdir b; cp \"$MACHINE/mytool\" b/terraform; PATH=$PWD/b:$PATH; terraform plan", "this machine's terraform plan", false},
		{"installed behind", testImage, "mkdir b; cp \"$MACHINE/mytool\" b/terraform; PATH=$PATH:$PWD/b; terraform plan", "this machine's terraform plan", false},
		{"missing here", testImage, "mvn verify", "exit status 127\n    script.sh: line 4: mvn: command not found\n    Rehearsal: CodeBuild's image has mvn, but this machine does not: install it here to rehearse this build.", true},
		{"missing everywhere", testImage, "mvnx verify", "mvnx: command not found", true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			scripts := map[string]string{}
			for _, name := range []string{"terraform", "gh", "shellcheck", "cargo", "mytool"} {
				scripts[name] = `echo "this machine's ${0##*/} $*"`
			}
			f := newFixture(t, spec("", tt.command))
			f.input.EnvironmentVariables = []EnvironmentVariable{{Name: "MACHINE", Value: machineWith(t, scripts)}}
			f.properties["environment"].(map[string]any)["image"] = tt.image
			_, err := f.build(t, t.Context())
			said := strings.Join(f.printed(), "\n")
			if err != nil {
				said = strings.ReplaceAll(err.Error(), f.runner.Dir, "")
			}
			if (err != nil) != tt.fails || !strings.Contains(stateFolder.ReplaceAllString(said, ""), tt.want) {
				t.Errorf("error %v, said\n%s\nwant %q", err, said, tt.want)
			}
		})
	}
}

// A language whose version here differs from the image's is told if the build uses it.
func TestLanguagesOfThisMachine(t *testing.T) {
	tests := []struct {
		name, image, runtimes, command string
		want                           string
	}{
		{"default", testImage, "", "python3 a.py", "the build used this machine's python 3.13.5; CodeBuild has 3.11.15, the default of " + testImage},
		{"another default", "aws/codebuild/standard:8.0", "", "python3 a.py", "the build used this machine's python 3.13.5; CodeBuild has 3.14.3, the default of aws/codebuild/standard:8.0"},
		{"through another command", testImage, "", "pip install x", "this machine's python 3.13.5"},
		{"not used", testImage, "", "cat </dev/null", ""},
		{"the same", testImage, "python: 3.13", "python3 a.py", ""},
		{"named", testImage, "nodejs: 20", "npm ci", "the build used this machine's nodejs 22.1.0; CodeBuild has 20.20.0, which nodejs: 20 stands for"},
		{"the same major version", testImage, "nodejs: 22", "npm ci", ""},
		{"installed by CodeBuild", testImage, "python: 3.8", "python3 a.py", "the build used this machine's python 3.13.5; CodeBuild has 3.8, which python: 3.8 stands for"},
		{"Java 8", testImage, "java: corretto8", "javac A.java", ""},
		{"another Java", testImage, "", "javac A.java", "the build used this machine's java 8.0; CodeBuild has 17, the default of"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			machineWith(t, map[string]string{
				"python3": "echo Python 3.13.5", "pip": ":", "node": "echo v22.1.0", "npm": ":", "javac": ":",
				"java": `echo 'openjdk version "1.8.0_402"' >&2`,
			})
			f := newFixture(t, "version: 0.2\nphases:\n  install: {runtime-versions: {"+tt.runtimes+"}}\n  build: {commands: ['"+tt.command+"']}\n")
			f.properties["environment"].(map[string]any)["image"] = tt.image
			b := f.mustBuild(t)
			var used []string
			for _, warning := range b.Warnings {
				if strings.HasPrefix(warning, "the build used") {
					used = append(used, warning)
				}
			}
			if got := strings.Join(used, "\n"); !strings.Contains(got, tt.want) || (got == "") != (tt.want == "") {
				t.Errorf("warnings = %q, want %q", got, tt.want)
			}
		})
	}
}

// The image's variables are those of the build, and its folders are the build's own.
func TestEnvironmentOfTheImage(t *testing.T) {
	f := newFixture(t, spec("env: {exported-variables: [GOPATH, HOME, NUGET_XMLDOC_MODE]}", "true"))
	got := f.mustBuild(t).ExportedVariables
	if filepath.Base(got["GOPATH"]) != "go" || filepath.Dir(got["GOPATH"]) != filepath.Dir(got["HOME"]) || got["NUGET_XMLDOC_MODE"] != "skip" {
		t.Errorf("the build has %q", got)
	}
}

// The buildspec of this project caches what the languages' package managers download in the images.
func TestBuildspecCachesPackages(t *testing.T) {
	const name = "../../../deploy-scripts/buildspec.yml"
	content, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	spec, err := ParseBuildspec(name, content)
	if err != nil {
		t.Fatal(err)
	}
	for _, of := range slices.Sorted(maps.Keys(buildimages.Curated().Caches)) {
		folder := buildimages.Curated().Caches[of]
		if !slices.ContainsFunc(spec.CachePaths, func(path string) bool {
			return strings.HasPrefix(folder+"/", strings.TrimSuffix(path, "**/*"))
		}) {
			t.Errorf("%s: %s is not cached: %q", of, folder, spec.CachePaths)
		}
	}
}
