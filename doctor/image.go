package doctor

import (
	"bytes"
	"context"
	"fmt"
	"os/exec"
	"strings"

	deployscripts "cicd/deploy-scripts"
	"cicd/infra"
)

// dockerfile returns the path of the application's Dockerfile in the repository.
func dockerfile(needs infra.Needs) string { return place(needs, needs.Application.Image.Dockerfile) }

// findDockerfile looks for the application.
func findDockerfile(_ context.Context, s *subject) ([]Finding, error) {
	needs, err := s.settings("repository", "appPath", "dockerfile")
	if err != nil {
		return nil, err
	}
	c, err := s.source(needs.Repository)
	if err != nil || c.has(dockerfile(needs)) {
		return nil, err
	}
	return []Finding{{Severity: Error, Message: fmt.Sprintf("commit %s has no %s, so no image can be built", c.id, dockerfile(needs)),
		Remedy: "Commit it, or correct `appPath` and `dockerfile`."}}, nil
}

// findDockerHub reports the images that a build pulls from Docker Hub, as the build itself will.
func findDockerHub(ctx context.Context, s *subject) ([]Finding, error) {
	needs, err := s.settings("repository", "appPath", "dockerfile", "buildArgs")
	if err != nil {
		return nil, err
	}
	c, err := s.source(needs.Repository)
	if err != nil || !c.has(dockerfile(needs)) {
		return nil, err
	}
	text, err := c.read(ctx, dockerfile(needs))
	if err != nil {
		return nil, err
	}
	images, err := fromDockerHub(ctx, text, needs)
	var findings []Finding
	for line := range strings.Lines(images) {
		image, remedy, _ := strings.Cut(strings.TrimSpace(line), "\t")
		findings = append(findings, Finding{Severity: Warning, Message: fmt.Sprintf("%s: %s comes from Docker Hub, which may refuse CodeBuild", dockerfile(needs), image),
			Remedy: strings.ToUpper(remedy[:1]) + remedy[1:] + "."})
	}
	return findings, err
}

// fromDockerHub runs the program of the build scripts over a Dockerfile: a line has an image, a tab, and what to do instead.
func fromDockerHub(ctx context.Context, text string, needs infra.Needs) (string, error) {
	cmd := exec.CommandContext(ctx, "awk", "-v", "of=docker-hub", deployscripts.ImagesOfDockerfile())
	cmd.Stdin = strings.NewReader(text)
	architecture := "amd64"
	if needs.Architecture == infra.ARM64 {
		architecture = "arm64"
	}
	cmd.Env = []string{"LC_ALL=C", "GOARCH=" + architecture}
	for name, value := range needs.Application.Image.Args {
		cmd.Env = append(cmd.Env, "BUILD_ARG_"+name+"="+value)
	}
	var out, said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &said
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("%s: awk: %w %s", dockerfile(needs), err, strings.TrimSpace(said.String()))
	}
	return out.String(), nil
}
