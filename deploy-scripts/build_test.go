package deployscripts_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// released returns the image that a bundle releases, or "" if no release.env was made.
func released(t *testing.T, bundle string) string {
	t.Helper()
	if bundle == "" {
		return ""
	}
	raw, err := os.ReadFile(filepath.Join(bundle, "release.env"))
	if err != nil {
		t.Fatal(err)
	}
	image, _, _ := strings.Cut(strings.TrimPrefix(string(raw), "IMAGE="), "\n")
	return image
}

func TestBuildOfACommit(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	const touchTested = "\n.PHONY: test\ntest:\n\t@echo the tests ran\n"
	tests := []struct {
		name     string
		makefile string // of webapp/; "" for none
		fails    bool
		want     []string // in the output, the last one in its last line
	}{
		{"no Makefile", "", false, []string{"nothing is tested", "@sha256:"}},
		{"tests only", touchTested, false, []string{"the tests ran", "@sha256:"}},
		{"image only", "image:\n\tdocker build --quiet --tag '$(IMAGE)' .\n", false, []string{"nothing is tested", "docker build --quiet --tag", "@sha256:"}},
		{"tests that fail", "test:\n\t@echo wrong; exit 1\n", true, []string{"wrong", "the tests of commit"}},
		{"image target that makes none", "image:\n\t@true\n", true, []string{"did not tag an image as $(IMAGE)"}},
		{"broken Makefile", "test\n\tnothing\n", true, []string{"missing separator", "make cannot read webapp/Makefile"}},
	}
	for i, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			bundle, output, err := h.build(commitID(i+1), func(webapp string) {
				app(t, tt.name[:2], "")(webapp)
				if tt.makefile != "" {
					write(t, filepath.Join(webapp, "Makefile"), tt.makefile)
				}
			})
			if (err != nil) != tt.fails || (released(t, bundle) == "") != tt.fails {
				t.Errorf("build: %v, released %q, want a failure: %v\n%s", err, released(t, bundle), tt.fails, output)
			}
			for _, want := range tt.want {
				if !strings.Contains(output, want) {
					t.Errorf("output lacks %q:\n%s", want, output)
				}
			}
			if last := tt.want[len(tt.want)-1]; !strings.Contains(lastLine(output), last) {
				t.Errorf("last line %q, want %q", lastLine(output), last)
			}
		})
	}
}

// imageScript runs image.sh without Docker and AWS: these are scripts that succeed, and ECR has no image.
func imageScript(t *testing.T, makefile, dockerfile string) (output string, err error) {
	t.Helper()
	tools, source := t.TempDir(), t.TempDir()
	write(t, filepath.Join(tools, "docker"), "#!/bin/bash\necho docker $1\n")
	write(t, filepath.Join(tools, "aws"), "#!/bin/bash\n[[ $2 == get-login-password ]] || { echo '(ImageNotFoundException)'; exit 254; }\n")
	for _, part := range []string{"build", "hooks"} {
		copyTree(t, part, filepath.Join(source, "deploy-scripts", part))
	}
	write(t, filepath.Join(source, "webapp", "Makefile"), makefile)
	write(t, filepath.Join(source, "webapp", "Dockerfile"), dockerfile)
	cmd := exec.Command("bash", filepath.Join(source, "deploy-scripts", "build", "image.sh"))
	cmd.Env = []string{"PATH=" + tools + ":" + os.Getenv("PATH"), "TMPDIR=" + t.TempDir(), "COMMIT_ID=" + commitID(1), "REPOSITORY_URL=registry.example.com/app",
		"CONTAINER_PORT=8080", "HEALTH_PATH=/", "HEALTH_HOST=app.example.com", "GOARCH=arm64", "AWS_REGION=eu-central-1"}
	out, err := cmd.CombinedOutput()
	return string(out), err
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
			output, err := imageScript(t, tt.makefile, "FROM scratch\n")
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
			output, err := imageScript(t, "", tt.dockerfile)
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

// What a person should know of a build that succeeds is what the buildspec exports.
func TestBuildCollectsItsNotes(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	h.mustBuild(1, func(webapp string) {
		write(t, filepath.Join(webapp, "Makefile"), "image:\n\t@printf 'FROM scratch\\nCOPY Makefile /\\n' | docker build --quiet --tag '$(IMAGE)' --file - .\n")
		write(t, filepath.Join(webapp, "Dockerfile"), "# syntax=docker/dockerfile:1\nFROM library/node:22\nFROM bitnami/kafka\n")
	})
	const hub = " comes from Docker Hub, which may refuse CodeBuild: "
	want := "webapp/ has no Makefile with a target 'test': nothing is tested; " +
		"warning: docker/dockerfile:1" + hub + "omit the line '# syntax=', unless Docker's own frontend is too old (F16); " +
		"warning: library/node:22" + hub + "write public.ecr.aws/docker/library/node:22 (F16); " +
		"warning: bitnami/kafka" + hub + "copy it to a repository of yours in ECR (F16); "
	if h.notes != want {
		t.Errorf("notes are\n%q, want\n%q", h.notes, want)
	}
	h.mustBuild(1, app(t, "one", "")) // ECR has the image
	if want := "webapp/ has no Makefile with a target 'test': nothing is tested; "; h.notes != want {
		t.Errorf("notes are\n%q, want\n%q", h.notes, want)
	}
}

func TestBuildAgainUsesWhatIsInECR(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	first := released(t, h.mustBuild(1, app(t, "one", "")))
	bundle, output, err := h.build(commitID(1), func(webapp string) {
		write(t, filepath.Join(webapp, "Makefile"), "test image:\n\texit 1\n") // must not run
	})
	if err != nil || released(t, bundle) != first {
		t.Errorf("second build: %v, released %q, want %q\n%s", err, released(t, bundle), first, output)
	}
}

// TestBuildNamesWhatWasPushed has an image of which Docker, with containerd's image store, pushes one manifest and not the index
// that it knows by its tag.
func TestBuildNamesWhatWasPushed(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	h.wrapDocker(`if [[ "$1 $2" == "image inspect" && "$*" == *RepoDigests* ]]; then echo "$REPOSITORY_URL@sha256:` + strings.Repeat("0", 64) + `"; exit; fi`)
	h.mustDeploy(h.mustBuild(1, app(t, "one", "")))
	h.wantAnswer(t, "one")
}

func TestBuildStopsWithoutPermission(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	for _, action := range []string{"ecr:DescribeImages", "ecr:GetAuthorizationToken"} {
		h.grant(slices.DeleteFunc(slices.Clone(granted), func(a string) bool { return a == action }))
		_, output, err := h.build(commitID(1), app(t, "one", ""))
		if err == nil || !strings.Contains(lastLine(output), "AccessDeniedException") {
			t.Errorf("build without %s: %v, want the refusal of ECR as the last line:\n%s", action, err, output)
		}
	}
}

func TestBuildChecksItsEnvironment(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	evidence := filepath.Join(t.TempDir(), "evidence")
	_, output, err := h.build("$(touch "+evidence+")", app(t, "one", ""), "CONTAINER_PORT=http", "HEALTH_PATH=healthz", "GOARCH=x86_64")
	if err == nil {
		t.Errorf("the build succeeded:\n%s", output)
	}
	for _, name := range []string{"COMMIT_ID", "CONTAINER_PORT", "HEALTH_PATH", "GOARCH"} {
		if !strings.Contains(lastLine(output), name+" '") {
			t.Errorf("last line %q lacks %s", lastLine(output), name)
		}
	}
	if _, err := os.Stat(evidence); err == nil {
		t.Error("a commit id was run by a shell")
	}
}

// TestBuildOfThisProject builds this project's application, with its own Makefile and tests.
func TestBuildOfThisProject(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	bundle, output, err := h.build(commitID(1), func(webapp string) { copyTree(t, "../webapp", webapp) })
	if err != nil || !strings.Contains(output, "ok  \twebapp") {
		t.Fatalf("build: %v\n%s", err, output)
	}
	var size int
	if _, err := fmt.Sscan(docker(t, "image inspect --format {{.Size}} "+released(t, bundle)), &size); err != nil || size >= 8_000_000 {
		t.Errorf("the image has %d bytes (%v), want less than 8 MB", size, err)
	}
	docker(t, "container run --detach --read-only --cap-drop ALL --user 1234 --name "+h.app+"-read-only "+released(t, bundle))
	docker(t, "container exec "+h.app+"-read-only /webapp healthcheck")

	h.mustDeploy(bundle)
	if got := h.answer(); !strings.Contains(got, released(t, bundle)[strings.Index(released(t, bundle), "sha256:"):]) {
		t.Errorf("the page does not show its image:\n%s", got)
	}
}
