package codebuild

import (
	"context"
	"regexp"
	"slices"
	"strings"

	"cicd/internal/docker"
)

// dockerLeftovers are what Docker's classic builder leaves on the daemon: when it fails, the container of the failed step and
// the images of the steps before; when it succeeds, the images of all stages but the last. In AWS the daemon ends with its
// build machine; in a rehearsal it is the user's.
type dockerLeftovers struct {
	containers, images []string
	keep               bool // the next image was there before
}

// builderLine matches what the classic builder prints of a step (moby, builder/dockerfile: dispatchers.go, internals.go).
var builderLine = regexp.MustCompile(`^(?:Step \d+/\d+ : (\S+)| ---> (?:(Using cache)|Running in ([0-9a-f]{12})|([0-9a-f]{12})))`)

// note adds what the output of a command names. The image of a FROM, and those from the cache, were there before.
func (l *dockerLeftovers) note(output string) {
	for line := range strings.Lines(output) {
		l.noteLine(line)
	}
}

func (l *dockerLeftovers) noteLine(line string) {
	match := builderLine.FindStringSubmatch(line)
	switch {
	case match == nil:
	case match[1] != "":
		l.keep = strings.EqualFold(match[1], "FROM")
	case match[2] != "":
		l.keep = true
	case match[3] != "":
		l.containers = append(l.containers, match[3])
	case !l.keep:
		l.images = append(l.images, match[4])
	}
}

// stageWatch notes the images of all stages but the last that a build's log names, line by line. While the rehearsal lasts,
// they are the cache of the next build.
type stageWatch struct {
	images []string
	stage  dockerLeftovers // the present one
	lines  lines
}

// Write implements io.Writer. It never fails.
func (w *stageWatch) Write(p []byte) (int, error) {
	w.lines.split(p, w.note)
	return len(p), nil
}

func (w *stageWatch) note(line string) {
	if strings.HasPrefix(line, "Step 1/") { // another image
		w.stage = dockerLeftovers{}
	}
	if match := builderLine.FindStringSubmatch(line); match != nil && strings.EqualFold(match[1], "FROM") {
		w.images = append(w.images, w.stage.images...)
		w.stage = dockerLeftovers{}
	}
	w.stage.noteLine(line)
}

// Close implements io.Closer.
func (w *stageWatch) Close() error { return nil }

// Close removes what the builds have left on the daemon. There must be no build any more.
func (r *Runner) Close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, rec := range r.records {
		dockerLeftovers{images: rec.build.stages.images}.remove(context.Background())
	}
	return nil
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
