package codebuild

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"cicd/internal/buildimages"
)

// What a buildspec may name, according to the User Guide's "Runtime versions" and the declared images' runtimes.yml.
func TestRuntimeVersions(t *testing.T) {
	const arm = "aws/codebuild/amazonlinux-aarch64-standard:3.0"
	tests := []struct {
		image, chosen string
		want          string // what is selected
		warning       string
	}{
		{testImage, "golang: 1.20", "1.20.14", ""},
		{testImage, `golang: "1.26"`, "1.26.0", ""},
		{arm, "golang: 1.26", "1.26.1", ""},
		{testImage, "golang: 1.x", "1.26.0", ""},
		{testImage, "golang: latest", "1.26.0", ""},
		{testImage, "golang: $GO_VERSION", "1.22.12", ""},
		{testImage, "golang: 1.19", "1.19", "golang 1.19 is not in " + testImage + ": CodeBuild installs it anew in each build"},
		{testImage, "golang: 1.25.3", "1.25.3", "golang 1.25.3 is not in"},
		{testImage, "python: 3.10", "3.10.20", ""},
		{testImage, "python: 3.x", "3.14.3", ""},
		{testImage, "python: 3.8", "3.8", "python 3.8 is not in"},
		{testImage, "nodejs: 18.x", "18.20.8", ""},
		{testImage, "java: latest", "25", ""},
		{testImage, "java: corretto8.x", "8", ""},
		{testImage, "dotnet: latest", "10.0.101", ""},
		{arm, "docker: 23", "28.5.2", ""},
		{arm, "rust: 1.x", "1.94.0", ""},
	}
	for _, tt := range tests {
		t.Run(tt.image+" "+tt.chosen, func(t *testing.T) {
			f := newFixture(t, "version: 0.2\nenv: {variables: {GO_VERSION: 1.22}}\nphases:\n  install:\n    runtime-versions:\n      "+tt.chosen+"\n")
			f.properties["environment"].(map[string]any)["image"] = tt.image
			name, _, _ := strings.Cut(tt.chosen, ":")
			said := fmt.Sprintf("%s is what is installed on this machine, not %s\n", name, tt.want)
			b := f.mustBuild(t)
			if !strings.Contains(f.log.String(), said) {
				t.Errorf("no %q in the log:\n%s", said, &f.log)
			}
			if got := strings.Join(b.Warnings, "\n"); (got == "") != (tt.warning == "") || !strings.Contains(got, tt.warning) {
				t.Errorf("warnings = %q, want %q", got, tt.warning)
			}
		})
	}
}

func TestRuntimeVersionsAreRefused(t *testing.T) {
	f := newFixture(t, `version: 0.2
phases:
  install:
    runtime-versions:
      docker: 20
      nodeje: 22
      php: 7.4
      golang: 1.26.x
      java: openjdk8
  build: {commands: [echo never]}
`)
	b, err := f.build(t, t.Context())
	if err == nil || len(phases(b)) > 0 {
		t.Fatalf("error = %v, phases = %v", err, b.Phases)
	}
	for _, want := range []string{
		"Phase: DOWNLOAD_SOURCE, Code: YAML_FILE_ERROR, Message: buildspec.yml: line 5: " +
			"Unknown runtime named 'docker'. This build image has the following runtimes: dotnet, golang, java, nodejs, php, python, ruby\n",
		`line 6: Unknown runtime named 'nodeje'. This build image has the following runtimes: dotnet, golang, java, nodejs, php, python, ruby` + "\n",
		"line 7: Unknown runtime version named '7.4' of php. This build image has the following versions: 8.2, 8.3, 8.4, 8.5\n",
		"line 8: Unknown runtime version named '1.26.x' of golang. This build image has the following versions: 1.20, 1.21, 1.22, 1.23, 1.24, 1.25, 1.26\n",
		"line 9: Unknown runtime version named 'openjdk8' of java. This build image has the following versions: corretto8, corretto11, corretto17, corretto21, corretto25",
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("error = %v\nwant %q", err, want)
		}
	}
}

// A build with an unknown image is not restricted.
func TestUnknownImage(t *testing.T) {
	f := newFixture(t, "version: 0.2\nphases:\n  install: {runtime-versions: {cobol: 85}}\n  build: {commands: [echo builds]}\n")
	f.properties["environment"].(map[string]any)["image"] = "registry.example.com/builder:1"
	b := f.mustBuild(t)
	if got := f.printed(); !slices.Equal(got, []string{"builds"}) {
		t.Errorf("printed %q", got)
	}
	if want := "environment.image registry.example.com/builder:1: the rehearsal does not know its runtimes"; !strings.Contains(strings.Join(b.Warnings, "\n"), want) {
		t.Errorf("warnings = %q, want %q", b.Warnings, want)
	}
}

// A module that requires a newer Go than the image's gets that Go's own error, with a message that names the remedy.
func TestGoOfTheImage(t *testing.T) {
	const remedy = ". Name another as golang in phases.install.runtime-versions of the buildspec: the image has 1.20, 1.21, 1.22, 1.23, 1.24, 1.25, 1.26."
	const fallback = "Go 1.20.14, the default of " + testImage + remedy
	tests := []struct {
		name, runtimes, module, command string
		want                            string // the build's error, "" if it succeeds
	}{
		{"default", "", "go 1.24", "go vet .", "module requires Go 1.24\n    Rehearsal: in AWS, Go 1.20.14 compiles it as far as it can; here a module that wants a newer one is refused\n" +
			"    Rehearsal: CodeBuild has " + fallback},
		{"default, old module", "", "go 1.20", "go vet .", ""},
		{"default, which only tells of itself", "", "go 1.24", "go env GOARCH", ""},
		{"default, patch release", "", "go 1.19.1", "go vet .", "invalid go version '1.19.1': must match format 1.23\n    Rehearsal: CodeBuild has " + fallback},
		{"default, toolchain", "", "go 1.19\n\ntoolchain go1.19.1", "go vet .", "unknown directive: toolchain\n    Rehearsal: CodeBuild has " + fallback},
		{"named", "golang: 1.24", "go 1.24", "go vet .", ""},
		{"named and newer", "golang: latest", "go 1.24.3\n\ntoolchain go1.25.1", "go vet .", ""},
		{"too old, but fetched", "golang: 1.22", "go 1.24", "go vet .", ""},
		{"too old, with a workspace", "golang: 1.25", "go 1.24", "printf 'go 1.26\\nuse .\\n' >go.work; GOTOOLCHAIN=local go vet .", "go.work requires go >= 1.26 (running go 1.25.7; GOTOOLCHAIN=local)\n    Rehearsal: CodeBuild has Go 1.25.7, which golang: 1.25 stands for" + remedy},
		{"not to be fetched", "golang: 1.22", "go 1.24.0", "GOTOOLCHAIN=local go vet .", "requires go >= 1.24.0 (running go 1.22.12; GOTOOLCHAIN=local)\n    Rehearsal: CodeBuild has Go 1.22.12, which golang: 1.22 stands for" + remedy},
		{"in another folder", "", "go 1.24", "mkdir in; cd in; go vet -C ..", "CodeBuild has " + fallback},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			useFakeGo(t)
			f := newFixture(t, "version: 0.2\nphases:\n  install: {runtime-versions: {"+tt.runtimes+"}}\n  build: {commands: ["+strconv.Quote(tt.command)+"]}\n")
			f.source["go.mod"] = "module m\n\n" + tt.module + "\n"
			_, err := f.build(t, t.Context())
			if tt.want == "" {
				if got := f.printed(); err != nil || len(got) != 1 || !strings.HasPrefix(got[0], "this machine's go: ") {
					t.Errorf("error = %v, printed %q", err, got)
				}
			} else if err == nil || !strings.HasSuffix(err.Error(), tt.want) {
				t.Errorf("error = %v\nwant %q", err, tt.want)
			}
		})
	}
}

// useFakeGo puts a go command on PATH that prints how it was called.
func useFakeGo(t *testing.T) {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "go"), []byte("#!/bin/sh\necho \"this machine's go: $*\"\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir+string(os.PathListSeparator)+os.Getenv("PATH"))
}

// Every image that infra declares is known, and has its default.
func TestDeclaredImagesAreKnown(t *testing.T) {
	source, err := os.ReadFile(filepath.Join("..", "..", "..", "infra", "architecture.go"))
	if err != nil {
		t.Fatal(err)
	}
	declared := regexp.MustCompile(`"(aws/codebuild/[^"]+)"`).FindAllSubmatch(source, -1)
	if len(declared) != 2 {
		t.Fatalf("infra declares %d images, want one for each architecture", len(declared))
	}
	for _, match := range declared {
		if _, known := buildimages.Curated().Images[string(match[1])]; !known {
			t.Errorf("images.yaml lacks %s", match[1])
		}
	}
	for name, image := range buildimages.Curated().Images {
		if image.Environment["GOPATH"] != "/go" || !image.Has("docker") || image.Has("terraform") {
			t.Errorf("%s: environment %v, tools %v", name, image.Environment, image.Tools)
		}
		for language, r := range image.Runtimes {
			if language != "docker" && len(buildimages.Curated().Languages[language].Version) == 0 {
				t.Errorf("%s: no commands of %s", name, language)
			}
			if r.Versions[r.Default] == "" {
				t.Errorf("%s: the default of %s, %q, is none of %v", name, language, r.Default, r.Names())
			}
		}
	}
}
