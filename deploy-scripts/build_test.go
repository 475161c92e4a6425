package deployscripts_test

import (
	"fmt"
	"os"
	"path/filepath"
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
	_, output, err := h.build("$(touch "+evidence+")", app(t, "one", ""), "CONTAINER_PORT=http", "HEALTH_PATH=healthz", "GOARCH=x86_64",
		"CODEBUILD_BUILD_ID=1", "APP_PATH=/webapp", "DOCKERFILE=", "BUILD_TARGET=-x", "IMAGE_VARIANT=variant", "SETTINGS=bucket")
	if err == nil {
		t.Errorf("the build succeeded:\n%s", output)
	}
	for _, name := range []string{"COMMIT_ID", "CONTAINER_PORT", "HEALTH_PATH", "GOARCH",
		"CODEBUILD_BUILD_ID", "APP_PATH", "DOCKERFILE", "BUILD_TARGET", "IMAGE_VARIANT", "SETTINGS"} {
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
