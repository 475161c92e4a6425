package operations

import (
	"context"
	"fmt"
	"slices"
	"strings"
)

// Container is a container of the application that runs on a host.
type Container struct {
	// Process is Web, or one of the stack's processes.
	Process string `json:"process"`
	Name    string `json:"name"`
	// Commit is that of the release which started it.
	Commit string `json:"commit"`
	// Image is what it runs, by its digest.
	Image string `json:"image"`
}

// listContainers prints a line for each running container of the application that a release has started, by the names and
// labels that deploy-scripts/hooks/lib/containers.sh gives. A worker has no label for its image.
const listContainers = `app="${APP_NAME:-webapp}"; for label in com.cicd.app com.cicd.worker; do ` +
	`sudo docker ps --no-trunc --filter "label=$label=$app" ` +
	`--format 'container|{{.Label "com.cicd.process"}}|{{.Names}}|{{.Label "com.cicd.commit"}}|{{.Image}}' || exit 125; done`

// ListContainers starts a session on the stack's host which prints what runs there: see [ReadContainers].
func (s Stack) ListContainers(ctx context.Context) (*Session, error) {
	return s.startSession(ctx, "sh -c "+quoted(listContainers), false)
}

// ReadContainers reads what the session of [Stack.ListContainers] has printed.
func ReadContainers(printed string) ([]Container, error) {
	containers := []Container{}
	for line := range strings.Lines(printed) {
		text, ok := strings.CutPrefix(strings.TrimSpace(line), "container|")
		if !ok {
			continue // a warning of the host's
		}
		parts := strings.Split(text, "|")
		if len(parts) != 4 {
			return nil, fmt.Errorf("the host lists a container as %q, want process, name, commit and image", text)
		}
		if parts[0] == "" {
			parts[0] = Web
		}
		containers = append(containers, Container{parts[0], parts[1], parts[2], parts[3]})
	}
	return containers, nil
}

// Deviations says how what runs on the host differs from the release that was deployed last: of serving, the release, and of
// digests, its images. processes are those that the stack declares beside Web.
func Deviations(running []Container, serving Run, digests, processes []string) []string {
	var found []string
	for _, process := range append([]string{Web}, processes...) {
		known := false
		for _, c := range running {
			if c.Process != process {
				continue
			}
			known = true
			found = append(found, c.deviations(serving, digests)...)
		}
		if !known {
			found = append(found, fmt.Sprintf("no container of %s runs", process))
		}
	}
	for _, c := range running {
		if c.Process != Web && !slices.Contains(processes, c.Process) {
			found = append(found, fmt.Sprintf("%s, %s, runs, and the stack declares no such process", c.Process, c.Name))
		}
	}
	return found
}

// deviations says how a container differs from a release.
func (c Container) deviations(serving Run, digests []string) (found []string) {
	if c.Commit != serving.Commit {
		found = append(found, fmt.Sprintf("%s, %s, is of commit %s, and %s was released last", c.Process, c.Name, Short(c.Commit), Short(serving.Commit)))
	}
	_, digest, _ := strings.Cut(c.Image, "@")
	if len(digests) > 0 && !slices.Contains(digests, digest) {
		found = append(found, fmt.Sprintf("%s, %s, runs the image %s, which is not that of commit %s in ECR", c.Process, c.Name, c.Image, Short(serving.Commit)))
	}
	return found
}
