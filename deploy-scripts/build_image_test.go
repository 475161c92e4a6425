package deployscripts_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// imageScript is a run of image.sh without Docker and AWS: these are scripts, and ECR has no image.
type imageScript struct {
	makefile, dockerfile string
	files                map[string]string // others of the commit
	settings             string            // of the stack, after the default ones
	env                  []string
	docker               string // what docker runs first, in bash

	source string // where the commit is
	tools  string // has what docker build got, once it was called: "arguments" and "environment", each value with a NUL after it
}

func (s *imageScript) run(t *testing.T) (output string, err error) {
	t.Helper()
	source := t.TempDir()
	s.tools = t.TempDir()
	write(t, filepath.Join(s.tools, "docker"), "#!/bin/bash\n"+s.docker+`
echo docker $1 >&2
here="${0%/*}"
case "$*" in
  'build --help') echo '  --secret stringArray' ;;
  build*) printf '%s\0' "$@" >"$here/arguments"; env --null >"$here/environment" ;;
esac
`)
	write(t, filepath.Join(s.tools, "s3"), s3)
	write(t, filepath.Join(s.tools, "settings.env"), settings+s.settings)
	write(t, filepath.Join(s.tools, "aws"), `#!/bin/bash
case "$1 $2" in
  'ecr get-login-password') ;;
  's3api get-object') exec "${0%/*}/s3" "$@" ;;
  *) echo '(ImageNotFoundException)'; exit 254 ;;
esac
`)
	for _, part := range []string{"build", "hooks"} {
		copyTree(t, part, filepath.Join(source, "deploy-scripts", part))
	}
	write(t, filepath.Join(source, "webapp", "Makefile"), s.makefile)
	write(t, filepath.Join(source, "webapp", "Dockerfile"), s.dockerfile)
	for path, text := range s.files {
		write(t, filepath.Join(source, path), text)
	}
	s.source = source
	cmd := exec.Command("bash", filepath.Join(source, "deploy-scripts", "build", "image.sh"))
	cmd.Env = slices.Concat(buildEnvironment(), []string{"PATH=" + s.tools + ":" + os.Getenv("PATH"), "TMPDIR=" + t.TempDir()}, s.env)
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// buildEnvironment is what a build without Docker and AWS has beside PATH and TMPDIR.
func buildEnvironment() []string {
	return []string{"COMMIT_ID=" + commitID(1), "REPOSITORY_URL=registry.example.com/app", "CONTAINER_PORT=8080", "HEALTH_PATH=/",
		"HEALTH_HOST=app.example.com", "GOARCH=arm64", "AWS_REGION=eu-central-1", "CODEBUILD_BUILD_ID=project:1",
		"SETTINGS=artifacts/_stack/settings.env", "APP_PATH=webapp", "DOCKERFILE=Dockerfile", "BUILD_TARGET=", "IMAGE_VARIANT="}
}

// got returns what docker build got.
func (s *imageScript) got(t *testing.T, what string) []string {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(s.tools, what))
	if err != nil {
		t.Fatal(err)
	}
	return strings.Split(string(bytes.TrimSuffix(raw, []byte{0})), "\x00")
}

func TestBuildMakesTargetsWithRules(t *testing.T) {
	t.Parallel()
	const nothing = "nothing is tested"
	tests := []struct {
		name, makefile string
		want           []string // of what the build says
	}{
		{"rules", "test image:\n\t@echo made $@\n", []string{"made test", "made image"}},
		{"phony rules", ".PHONY: test image\ntest: ; @echo made $@\nimage:\n\t@echo made $@\n", []string{"made test", "made image"}},
		{"phony without rules", ".PHONY: test image\n", []string{nothing, "docker build"}},
		{"phony with a variable", ".PHONY: test\ntest: A=b\n", []string{nothing, "docker build"}},
		{"empty rule that is phony", ".PHONY: test\ntest:\n", []string{nothing, "docker build"}},
		{"prerequisites", ".PHONY: test\ntest: unit\nunit:\n\t@echo made $@\n", []string{"made unit", "docker build"}},
		{"order-only prerequisites", ".PHONY: test\ntest: | unit\nunit:\n\t@echo made $@\n", []string{"made unit", "docker build"}},
		{"double colon", ".PHONY: test\ntest::\n\t@echo made $@\ntest::\n\t@echo and again\n", []string{"made test", "and again", "docker build"}},
		{"other targets", "tests image2: ; @echo made $@\n", []string{nothing, "docker build"}},
	}
	said := regexp.MustCompile(`made \w+|and again|` + nothing + `|docker build`)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			output, err := (&imageScript{makefile: tt.makefile, dockerfile: "FROM scratch\n"}).run(t)
			if got := said.FindAllString(output, -1); err != nil || !slices.Equal(got, tt.want) {
				t.Errorf("build: %v, said %q, want %q:\n%s", err, got, tt.want, output)
			}
		})
	}
}

// Every image that a build pulls from Docker Hub is named, and no other.
func TestBuildWarnsOfDockerHub(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, dockerfile string
		want             []string
	}{
		{"FROM", `# FROM nothing
			FROM --platform=linux/amd64 golang:1.26 AS build
			from library/node
			FROM public.ecr.aws/docker/library/alpine:3 AS base
			FROM base
			FROM 127.0.0.1:5000/own
			FROM localhost/own
			FROM scratch
			COPY --from=build /x /x
			FROM docker.io/library/debian
			FROM golang:1.26`, []string{"golang:1.26", "library/node", "library/debian"}},
		{"arguments", `ARG BASE=python:3.12 TAG
			ARG NODE="node" GO=${NODE}x EMPTY=
			FROM ${BASE}
			FROM $NODE:${TAG}
			FROM ${GO:-golang}
			FROM ${UNKNOWN}
			FROM ${UNKNOWN:-redis}
			FROM ${EMPTY:-mysql}
			FROM memcached${EMPTY-:1}${EMPTY:+:2}${GO:+:3}
			FROM busybox AS base-arm64
			FROM base-${TARGETARCH}
			ARG LATER=postgres
			FROM ${LATER}`, []string{"python:3.12", "node:${TAG}", "nodex", "redis", "mysql", "memcached:3", "busybox"}},
		{"syntax", "# syntax = docker/dockerfile:1\r\n# escape=`\nFROM `\n  alpine\n# syntax=docker/dockerfile:2", []string{"docker/dockerfile:1", "alpine"}},
		{"no directive", "# a comment\n# syntax=docker/dockerfile:1\nFROM scratch", nil},
		{"copied and mounted", `FROM scratch AS one
			COPY --link --from=nginx:1.27 /a /b
			COPY --from=one /a /b
			COPY --from=0 /a /b
			COPY --from=Later /a /b
			RUN --mount=type=bind,from=alpine,target=/b --mount=type=cache,target=/c --mount=type=secret,id=x true
			RUN --mount=from=later,target=/b true --mount=from=none
			FROM scratch AS later`, []string{"nginx:1.27", "alpine"}},
		{"case of stages", "FROM public.ecr.aws/docker/library/golang:1.22 AS Build\nFROM build\nCOPY --from=BUILD a b", nil},
		{"CR LF", "\ufeffFROM scratch\r\nRUN a \\\r\n  && FROM b\r\n", nil},
		{"continued lines", "FROM scratch\nRUN a \\\n# comment\n\n  FROM b \\\n  FROM c\nLABEL a=\\\\\nFROM redis", []string{"redis"}},
		{"documents", "FROM scratch\nRUN <<EOF cat <<-'X'\nFROM a\nEOF\n\tFROM b\n\tX\nCOPY <<\"F\" /f\nFROM c\nF\nRUN echo '<<no' <<no\nFROM redis", []string{"redis"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			output, err := (&imageScript{dockerfile: tt.dockerfile}).run(t)
			var warned []string
			for _, found := range regexp.MustCompile(`warning: (\S+) comes from Docker Hub`).FindAllStringSubmatch(output, -1) {
				warned = append(warned, found[1])
			}
			if err != nil || !slices.Equal(warned, tt.want) {
				t.Errorf("build: %v, warned of %q, want %q:\n%s", err, warned, tt.want, output)
			}
		})
	}
}

// The Dockerfile that is built is read, with the arguments that it is built with.
func TestBuildWarnsOfTheRightDockerfile(t *testing.T) {
	t.Parallel()
	script := imageScript{dockerfile: "FROM wrong", files: map[string]string{
		"api/docker/web": "ARG BASE=wrong\nARG TAG\nARG OTHER=debian\nFROM ${BASE}\nFROM node:${TAG}\nFROM ${OTHER}\n"},
		settings: "BUILD_ARG BASE=public.ecr.aws/docker/library/alpine\nBUILD_ARG TAG=22\n", env: []string{"APP_PATH=api", "DOCKERFILE=docker/web"}}
	output, err := script.run(t)
	if err != nil {
		t.Fatalf("build: %v\n%s", err, output)
	}
	for _, want := range []string{"warning: node:22 comes from", "warning: debian comes from"} {
		if !strings.Contains(output, want) {
			t.Errorf("output lacks %q:\n%s", want, output)
		}
	}
	if strings.Contains(output, "wrong") || strings.Contains(output, "warning: public") {
		t.Errorf("warned of another Dockerfile or of an image that is not pulled:\n%s", output)
	}
}

// TestBuildPassesSettings checks what docker build gets. The values in settings.env are escaped.
func TestBuildPassesSettings(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, settings string
		env            []string
		want           []string // arguments; ROOT stands for the commit's folder
	}{
		{"none", "", nil, []string{"--file", "ROOT/webapp/Dockerfile", "ROOT/webapp"}},
		{"places", "", []string{"APP_PATH=services/web api", "DOCKERFILE=docker/Dockerfile.web"},
			[]string{"--file", "ROOT/services/web api/docker/Dockerfile.web", "ROOT/services/web api"}},
		{"root", "", []string{"APP_PATH=."}, []string{"--file", "ROOT/./Dockerfile", "ROOT/."}},
		{"target", "", []string{"BUILD_TARGET=runtime"}, []string{"--file", "ROOT/webapp/Dockerfile", "--target", "runtime", "ROOT/webapp"}},
		{"arguments", `BUILD_ARG EMPTY=
BUILD_ARG HARD=a "b" 'c' $(touch x) ` + "`d`" + ` $HOME %s %b \\n \\\\ * ä\n\tsecond=line\r\n
BUILD_ARG PLAIN=1
`, nil, []string{"--file", "ROOT/webapp/Dockerfile", "--build-arg", "EMPTY=",
			"--build-arg", "HARD=a \"b\" 'c' $(touch x) `d` $HOME %s %b \\n \\\\ * ä\n\tsecond=line\r\n", "--build-arg", "PLAIN=1", "ROOT/webapp"}},
		{"secrets", "BUILD_SECRET NPM_TOKEN=\nBUILD_SECRET _x=\n", []string{"BUILD_SECRET_NPM_TOKEN=canary\nof two lines", "BUILD_SECRET__x="},
			[]string{"--file", "ROOT/webapp/Dockerfile", "--secret", "id=NPM_TOKEN,env=BUILD_SECRET_NPM_TOKEN",
				"--secret", "id=_x,env=BUILD_SECRET__x", "ROOT/webapp"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			const dockerfile = "FROM scratch\n"
			script := imageScript{dockerfile: dockerfile, settings: strings.ReplaceAll(tt.settings, `\t`, "\t"), env: tt.env, files: map[string]string{
				"services/web api/docker/Dockerfile.web": dockerfile, "Dockerfile": dockerfile}}
			output, err := script.run(t)
			if err != nil {
				t.Fatalf("build: %v\n%s", err, output)
			}
			want := []string{"build", "--tag", "registry.example.com/app:" + commitID(1) + "-arm64"}
			for _, argument := range tt.want {
				want = append(want, strings.Replace(argument, "ROOT/", script.source+"/", 1))
			}
			if got := script.got(t, "arguments"); !slices.Equal(got, want) {
				t.Errorf("docker got\n%q, want\n%q", got, want)
			}
			environment := script.got(t, "environment")
			for _, variable := range tt.env {
				if !slices.Contains(environment, variable) {
					t.Errorf("docker's environment lacks %q", variable)
				}
			}
			if strings.Contains(output, "canary") || strings.Contains(strings.Join(script.got(t, "arguments"), " "), "canary") {
				t.Errorf("a build secret is in an argument or in the log:\n%s", output)
			}
			if !slices.Contains(environment, "BUILDX_GIT_INFO=false") {
				t.Error("buildx would run git in the commit's folder")
			}
			if slices.Contains(environment, "DOCKER_BUILDKIT=1") != (tt.name == "secrets") {
				t.Error("want BuildKit forced for secrets, and docker's own choice without")
			}
		})
	}
}

// TestBuildTagSaysWhatShapesTheImage: two images of a commit never have the same tag, which is immutable.
func TestBuildTagSaysWhatShapesTheImage(t *testing.T) {
	t.Parallel()
	script := imageScript{dockerfile: "FROM scratch\n", env: []string{"IMAGE_VARIANT=0123abcd"}}
	output, err := script.run(t)
	if want := "registry.example.com/app:" + commitID(1) + "-arm64-0123abcd"; err != nil || script.got(t, "arguments")[2] != want {
		t.Errorf("build: %v, want tag %s:\n%s", err, want, output)
	}
}

// TestBuildWithoutMakefileTarget: what only docker build understands is never left out silently.
func TestBuildWithoutMakefileTarget(t *testing.T) {
	t.Parallel()
	const makefile, note = "test image:\n\t@echo made $@\n", "webapp/Makefile's target 'image' is not made, but docker build run, for these settings: "
	tests := []struct {
		name, settings string
		env            []string
		why            string // "" if the Makefile makes the image
	}{
		{"nothing set", "ENVIRONMENT A=b\n", nil, ""},
		{"another folder", "", []string{"APP_PATH=api"}, ""},
		{"dockerfile", "", []string{"DOCKERFILE=other"}, "dockerfile"},
		{"target", "", []string{"BUILD_TARGET=a"}, "buildTarget"},
		{"all", "BUILD_ARG A=\nBUILD_SECRET B=\n", []string{"BUILD_TARGET=a", "DOCKERFILE=other", "BUILD_SECRET_B=x"},
			"dockerfile, buildTarget, buildArgs, buildSecrets"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			script := imageScript{makefile: makefile, dockerfile: "FROM scratch\n", settings: tt.settings, env: tt.env,
				files: map[string]string{"webapp/other": "FROM scratch\n", "api/Makefile": makefile, "api/Dockerfile": "FROM scratch\n"}}
			output, err := script.run(t)
			if err != nil || !strings.Contains(output, "made test") {
				t.Errorf("build: %v, want the tests made:\n%s", err, output)
			}
			if strings.Contains(output, "made image") != (tt.why == "") {
				t.Errorf("want the target made only if nothing else is set:\n%s", output)
			}
			notes, err := os.ReadFile(filepath.Join(script.source, "deploy-scripts", "notes.txt"))
			if want := note + tt.why + "; "; err != nil || tt.why != "" && string(notes) != want || tt.why == "" && len(notes) > 0 {
				t.Errorf("notes %q (%v), want %q", notes, err, want)
			}
		})
	}
}

func TestBuildSaysWhatIsMissing(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		script imageScript
		want   string // in the last line
	}{
		{"Dockerfile", imageScript{env: []string{"DOCKERFILE=docker/web"}},
			"webapp/docker/web does not exist in commit " + commitID(1) + ": an application needs one; appPath and dockerfile say where"},
		{"folder", imageScript{env: []string{"APP_PATH=api"}}, "commit " + commitID(1) + " has no folder api: appPath says where the application is"},
		{"way out", imageScript{env: []string{"APP_PATH=api/..", "DOCKERFILE=../web"}}, "APP_PATH or DOCKERFILE has '..'"},
		{"Dockerfile of the root", imageScript{env: []string{"APP_PATH=."}}, "image.sh: Dockerfile does not exist in commit"},
		{"BuildKit", imageScript{docker: `[[ "$*" != 'build --help' ]] || exit 1`, settings: "BUILD_SECRET A=\n", env: []string{"BUILD_SECRET_A=x"}},
			"buildSecrets need BuildKit, which docker lacks here: install its plugin buildx"},
		{"secret", imageScript{settings: "BUILD_SECRET A=\n"}, "the build secret A is not in a variable BUILD_SECRET_A"},
		{"settings", imageScript{env: []string{"SETTINGS=artifacts/nothing"}},
			"the stack's settings, s3://artifacts/nothing, cannot be read: An error occurred (NoSuchKey) when calling the GetObject operation"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if tt.script.env == nil || !strings.HasPrefix(tt.script.env[0], "DOCKERFILE") {
				tt.script.dockerfile = "FROM scratch\n"
			}
			output, err := tt.script.run(t)
			if err == nil || !strings.Contains(lastLine(output), tt.want) {
				t.Errorf("build: %v, want %q in the last line:\n%s", err, tt.want, output)
			}
		})
	}
}

// All that is wrong with the stack's settings is told at once, before anything is built. TestWrongSettings has the rest.
func TestBuildChecksSettings(t *testing.T) {
	t.Parallel()
	script := imageScript{dockerfile: "FROM scratch\n", settings: "FOO=x\nBUILD_ARG 1=x\nBUILD_SECRET A=x\nENVIRONMENT B=\\t\nPROCESS Web=x\n"}
	output, err := script.run(t)
	for _, want := range []string{"s3://artifacts/_stack/settings.env, which pulumi up writes: ", "unknown line 'FOO=x'; ", "BUILD_ARG '1': want a name of",
		"BUILD_SECRET A: want no value here; ", `'\t': want \\, \n and \r as the only escapes; `, "process 'Web': want"} {
		if err == nil || !strings.Contains(lastLine(output), want) {
			t.Errorf("build: %v, want %q in the last line:\n%s", err, want, output)
		}
	}
	if strings.Contains(output, "docker build") {
		t.Errorf("an image is built:\n%s", output)
	}
}
