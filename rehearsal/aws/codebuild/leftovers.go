package codebuild

import (
	"context"
	"regexp"
	"slices"
	"strings"

	"cicd/internal/docker"
)

// dockerLeftovers are what Docker's classic builder leaves on the daemon when it fails: the container of the failed step and
// the images of the steps before. In AWS the daemon ends with its build machine; in a rehearsal it is the user's.
type dockerLeftovers struct{ containers, images []string }

// builderLine matches what the classic builder prints of a step (moby, builder/dockerfile: dispatchers.go, internals.go).
var builderLine = regexp.MustCompile(`^(?:Step \d+/\d+ : (\S+)| ---> (?:(Using cache)|Running in ([0-9a-f]{12})|([0-9a-f]{12})))`)

// note adds the leftovers of a command that failed or was stopped, which its output names. The image of a FROM, and those
// from the cache, were there before.
func (l *dockerLeftovers) note(output string) {
	keep := false
	for line := range strings.Lines(output) {
		match := builderLine.FindStringSubmatch(line)
		switch {
		case match == nil:
		case match[1] != "":
			keep = strings.EqualFold(match[1], "FROM")
		case match[2] != "":
			keep = true
		case match[3] != "":
			l.containers = append(l.containers, match[3])
		case !keep:
			l.images = append(l.images, match[4])
		}
	}
}

// remove removes what is still there, newest images first. It leaves running containers, and images with a name or a child.
func (l dockerLeftovers) remove(ctx context.Context) {
	for _, id := range l.containers {
		_, _ = docker.Run(ctx, "container", "rm", id) // the builder has removed those of steps that succeeded
	}
	for _, id := range slices.Backward(l.images) {
		if names, err := docker.Run(ctx, "image", "inspect", "--format", "{{join .RepoTags \" \"}}", id); err == nil && strings.TrimSpace(names) == "" {
			_, _ = docker.Run(ctx, "image", "rm", "--no-prune", id)
		}
	}
}
