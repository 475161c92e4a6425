package rehearsal

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"cicd/internal/docker"

	"cicd/rehearsal/ecr"
)

// leftoversGo leaves on the host what killed releases leave, and looks what is there after two more releases.
func leftoversGo(ctx context.Context, g *ground) error {
	h, err := g.host()
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
		args := strings.Fields(command + " --label com.cicd.app=" + h.app + " --label com.cicd.image=" + first)
		name := fmt.Sprintf("%s-%.12s-%d", h.app, g.good, i)
		if _, err := docker.Run(ctx, append(args, "--name", name, first)...); err != nil {
			return err
		}
	}
	done, err := g.releases(ctx, "The one that runs", misbehaving("version two"))
	if err != nil {
		return err
	}
	var kept []string
	for _, commit := range []string{rollback.commit, done.commit} {
		image, err := g.image(commit)
		if err != nil {
			return err
		}
		kept = append(kept, image)
	}
	return errors.Join(runsNothingBut(ctx, h, done.commit), g.keepsImages(ctx, kept))
}

// image returns the reference by which hosts pull a commit's image.
func (g *ground) image(commit string) (string, error) {
	repository := g.stack.output("repositoryUrl")
	_, name, _ := strings.Cut(repository, "/")
	images, err := g.cloud.registry.Images(name, ecr.ImageID{Tag: commit})
	if err != nil {
		return "", err
	}
	return repository + "@" + images[0].Digest, nil
}

// runsNothingBut looks whether the host has the edge and a container of the commit, and no other.
func runsNothingBut(ctx context.Context, h *host, commit string) error {
	names, err := h.containers(ctx)
	if err != nil {
		return err
	}
	others := slices.DeleteFunc(names, func(name string) bool { return name == h.edgeName() })
	if len(others) != 1 {
		return fmt.Errorf("beside the edge the host has the containers %q, want one", others)
	}
	environment, err := docker.Run(ctx, "inspect", "--format", "{{.Config.Env}}", others[0])
	if err == nil && !strings.Contains(environment, commit) {
		err = fmt.Errorf("container %s is not of commit %.7s", others[0], commit)
	}
	return err
}

// keepsImages looks whether these are the images of the application that the host has.
func (g *ground) keepsImages(ctx context.Context, want []string) error {
	list, err := docker.Run(ctx, "image", "ls", "--digests", "--format", "{{.Repository}}@{{.Digest}}", "--filter", "reference="+g.stack.output("repositoryUrl"))
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
