package drill

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"cicd/rehearsal/world"

	"cicd/internal/docker"
)

// leftoversGo leaves on the host what killed releases leave, and checks what remains after two more releases.
func leftoversGo(ctx context.Context, g *drillEnv) error {
	h, err := g.Host()
	if err != nil {
		return err
	}
	first, err := g.image(g.good)
	if err != nil {
		return err
	}
	rollback, err := g.releases(ctx, "The one to roll back to", misbehaving("version one"))
	if err != nil {
		return err
	}
	for i, command := range []string{"create", "run --detach"} {
		args := strings.Fields(command + " --label com.cicd.app=" + h.App + " --label com.cicd.image=" + first)
		name := fmt.Sprintf("%s-%.12s-%d", h.App, g.good, i)
		if _, err := docker.Run(ctx, append(args, "--name", name, first)...); err != nil {
			return err
		}
	}
	done, err := g.releases(ctx, "The one that runs", misbehaving("version two"))
	if err != nil {
		return err
	}
	var kept []string
	for _, commit := range []string{rollback.Commit, done.Commit} {
		image, err := g.image(commit)
		if err != nil {
			return err
		}
		kept = append(kept, image)
	}
	return errors.Join(runsOnly(ctx, h, done.Commit), g.keepsImages(ctx, kept))
}

// image returns the reference that hosts use to pull a commit's image.
func (g *drillEnv) image(commit string) (string, error) {
	repository := g.Output("repositoryUrl")
	_, name, _ := strings.Cut(repository, "/")
	images, err := g.Registry().Images(name)
	if err != nil {
		return "", err
	}
	ofCommit := func(tag string) bool { return strings.HasPrefix(tag, commit+"-") } // the architecture follows
	for _, image := range images {
		if slices.ContainsFunc(image.Tags, ofCommit) {
			return repository + "@" + image.Digest, nil
		}
	}
	return "", fmt.Errorf("ECR has no image of commit %s", commit)
}

// runsOnly checks that the host has only the edge and a container of the commit.
func runsOnly(ctx context.Context, h *world.Host, commit string) error {
	names, err := h.Containers(ctx)
	if err != nil {
		return err
	}
	others := slices.DeleteFunc(names, func(name string) bool { return name == h.EdgeName() })
	if len(others) != 1 {
		return fmt.Errorf("besides the edge the host has the containers %q, want one", others)
	}
	environment, err := docker.Run(ctx, "inspect", "--format", "{{.Config.Env}}", others[0])
	if err == nil && !strings.Contains(environment, commit) {
		err = fmt.Errorf("container %s is not of commit %.7s", others[0], commit)
	}
	return err
}

// keepsImages checks that these are the application's images on the host.
func (g *drillEnv) keepsImages(ctx context.Context, want []string) error {
	list, err := docker.Run(ctx, "image", "ls", "--digests", "--format", "{{.Repository}}@{{.Digest}}", "--filter", "reference="+g.Output("repositoryUrl"))
	if err != nil {
		return err
	}
	got := slices.DeleteFunc(strings.Fields(list), func(image string) bool { return strings.HasSuffix(image, "@<none>") })
	slices.Sort(got)
	slices.Sort(want)
	if got = slices.Compact(got); !slices.Equal(got, want) {
		return fmt.Errorf("the host has the images\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	return nil
}
