package codebuild

import (
	"context"
	"crypto/rand"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"cicd/internal/docker"
	"cicd/internal/docker/dockertest"
)

// The classic builder leaves a container and images when it fails; with BuildKit there is nothing to remove.
func TestFailedImageLeavesNothing(t *testing.T) {
	dockertest.Need(t)
	label := "codebuild-test=" + rand.Text()
	f := newFixture(t, spec("", "docker build ."))
	f.input.EnvironmentVariables = []EnvironmentVariable{{Name: "DOCKER_BUILDKIT", Value: "0"}}
	f.source["Dockerfile"] = "FROM scratch\nCOPY Dockerfile /\nLABEL " + label + "\nENV A=b\nRUN [\"/nothing\"]\n"
	if _, err := f.build(t, t.Context()); err == nil || !strings.Contains(err.Error(), "/nothing") {
		t.Fatalf("the build: %v\n%s", err, &f.log)
	}
	for _, args := range [][]string{{"container", "ls"}, {"image", "ls"}} {
		if ids, err := docker.Run(t.Context(), append(args, "--all", "--quiet", "--filter", "label="+label)...); err != nil || ids != "" {
			t.Errorf("docker %s: left behind %q, %v", args[0], ids, err)
		}
	}
}

// A command that fails and is retried leaves as much as one that fails the build, and so does one that is stopped.
func TestRetriedAndStoppedImagesLeaveNothing(t *testing.T) {
	for name, tt := range map[string]struct {
		command string
		minute  time.Duration // of the build's timeout
	}{
		"retried": {"echo ' ---> Running in 0123456789ab'; n=$((n+1)); [ $n = 2 ]", 0},
		"stopped": {"echo ' ---> Running in 0123456789ab'; while :; do :; done", 20 * time.Millisecond},
	} {
		t.Run(name, func(t *testing.T) {
			asked := filepath.Join(t.TempDir(), "asked")
			machineWith(t, map[string]string{"docker": `echo "$*" >>'` + asked + `'`})
			f := newFixture(t, "version: 0.2\nphases:\n  build:\n    on-failure: RETRY\n    commands: [\""+tt.command+"\"]\n")
			f.runner.minute = tt.minute
			if _, err := f.build(t, t.Context()); (err != nil) != (tt.minute > 0) {
				t.Fatalf("the build: %v\n%s", err, &f.log)
			}
			if got, err := os.ReadFile(asked); string(got) != "container rm 0123456789ab\n" {
				t.Errorf("docker was asked for %q, %v", got, err)
			}
		})
	}
}

// The classic builder keeps the images of all stages. They go with the rehearsal; the last one's is the image that was built.
func TestStagesLeaveNothing(t *testing.T) {
	dockertest.Need(t)
	label := "codebuild-test=" + rand.Text()
	f := newFixture(t, spec("", "docker build --tag codebuild-test:stages ."))
	t.Cleanup(func() { _, _ = docker.Run(context.Background(), "image", "rm", "codebuild-test:stages") })
	f.input.EnvironmentVariables = []EnvironmentVariable{{Name: "DOCKER_BUILDKIT", Value: "0"}}
	f.source["Dockerfile"] = "FROM scratch AS first\nCOPY Dockerfile /\nLABEL " + label + "\nENV A=b\nFROM scratch\nLABEL last=" + label + "\nCOPY --from=first /Dockerfile /\n"
	f.mustBuild(t)
	left := func(label string) int {
		ids, err := docker.Run(t.Context(), "image", "ls", "--all", "--quiet", "--filter", "label="+label)
		if err != nil {
			t.Fatal(err)
		}
		return len(strings.Fields(ids))
	}
	if left(label) == 0 {
		t.Error("there is nothing to remove")
	}
	if err := f.runner.Close(); err != nil {
		t.Error(err)
	}
	if n := left(label); n > 0 {
		t.Errorf("%d images of the first stage are left", n)
	}
	if left("last="+label) == 0 {
		t.Error("the image itself is gone")
	}
}

func TestLeftoversInOutput(t *testing.T) {
	const output = "Step 1/5 : FROM alpine\n ---> c059bfaa849c\nStep 2/5 : COPY a /a\n ---> Using cache\n ---> 0123456789ab\n" +
		"Step 3/5 : RUN a\n ---> Running in 8bc6d83470de\nRemoving intermediate container 8bc6d83470de\n ---> d8b70f7f16f5\n" +
		"Step 4/5 : RUN b\n ---> Running in f1f5b8aef23d\nno such file\n"
	var got dockerLeftovers
	got.note(output)
	if c, i := strings.Join(got.containers, " "), strings.Join(got.images, " "); c != "8bc6d83470de f1f5b8aef23d" || i != "d8b70f7f16f5" {
		t.Errorf("containers %s, images %s", c, i)
	}
}
