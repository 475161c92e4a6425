package workspace

import (
	"context"
	"errors"
	"slices"
	"strings"

	"cicd/internal/docker"
	"cicd/internal/processes"

	"cicd/internal/rmtree"
)

// remove ends the marked processes, then removes the marked Docker objects and files.
func (t footprint) remove(ctx context.Context) error {
	if err := t.check(); err != nil {
		return err
	}
	return errors.Join(processes.Kill(ProcessMark+"="+t.Name), t.removeDockerObjects(ctx), rmtree.Remove(t.Dir()))
}

// removeDockerObjects removes containers first, because the volumes, networks and images that they use cannot go before
// them.
func (t footprint) removeDockerObjects(ctx context.Context) error {
	containers, err := docker.Run(ctx, "ps", "--all", "--quiet", "--filter", "name=^/"+t.Name)
	if err != nil {
		return err
	}
	kept, err := docker.Run(ctx, "ps", "--all", "--format", `{{.Label "`+labelKept+`"}}`, "--filter", "name=^/"+t.Name)
	if err != nil {
		return err
	}
	if ids := strings.Fields(containers); len(ids) > 0 {
		if _, err := docker.Run(ctx, append([]string{"rm", "--force", "--volumes"}, ids...)...); err != nil {
			return err
		}
	}
	networks, err := docker.Run(ctx, "network", "ls", "--quiet", "--filter", "name=^"+t.Name)
	if err != nil {
		return err
	}
	if ids := strings.Fields(networks); len(ids) > 0 {
		if _, err := docker.Run(ctx, append([]string{"network", "rm"}, ids...)...); err != nil {
			return err
		}
	}
	return errors.Join(t.removeVolumes(ctx, strings.Fields(strings.ReplaceAll(kept, "/", " "))), t.removeImages(ctx))
}

// labelKept is the label of an application's container that names anonymous volumes of earlier ones:
// deploy-scripts/hooks/lib/anonymous.sh.
const labelKept = "com.cicd.kept"

// removeVolumes removes the volumes that the rehearsal named, and those that its containers kept.
func (t footprint) removeVolumes(ctx context.Context, kept []string) error {
	named, err := docker.Run(ctx, "volume", "ls", "--quiet", "--filter", "name=^"+t.Name)
	if err != nil {
		return err
	}
	volumes := append(strings.Fields(named), kept...)
	if len(volumes) == 0 {
		return nil
	}
	slices.Sort(volumes)
	_, err = docker.Run(ctx, append([]string{"volume", "rm", "--force"}, slices.Compact(volumes)...)...)
	return err
}

// removeImages removes the references that the rehearsal made; an image goes with its last reference.
func (t footprint) removeImages(ctx context.Context) error {
	list, err := docker.Run(ctx, "images", "--all", "--digests", "--format", "{{.Repository}}\t{{.Tag}}\t{{.Digest}}")
	if err != nil {
		return err
	}
	var references []string
	for line := range strings.Lines(list) {
		f := strings.Split(strings.TrimSpace(line), "\t")
		if len(f) != 3 || !strings.HasPrefix(f[0], t.Name) && (t.Registry == "" || !strings.HasPrefix(f[0], t.Registry+"/")) {
			continue
		}
		if f[1] != "<none>" {
			references = append(references, f[0]+":"+f[1])
		}
		if f[2] != "<none>" {
			references = append(references, f[0]+"@"+f[2])
		}
	}
	if len(references) == 0 {
		return nil
	}
	slices.Sort(references)
	_, err = docker.Run(ctx, append([]string{"rmi", "--force"}, slices.Compact(references)...)...)
	return err
}
