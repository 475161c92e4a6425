package drill

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"cicd/internal/edit"
	"cicd/rehearsal/aws/account"
)

// volumeDrills are about data that outlives releases. Each leaves the stack with its volume: without it, the host would
// be stopped.
var volumeDrills = []Drill{
	{
		Name:   "volume-missing",
		Breaks: "the volume is not attached (the host waits 2 s, not 60)",
		Holds:  "the old release goes on; the message has the volume and the remedy",
		Rows:   []int{68},
		run:    withVolume(volumeMissing),
	},
	{
		Name:   "volume-foreign",
		Breaks: "the volume for data holds somebody else's file system",
		Holds:  "it is left as it is; the old release goes on; the message says why",
		Rows:   []int{69},
		run:    withVolume(volumeForeign),
	},
	{
		Name:   "volume-full",
		Breaks: "the volume for data is full (the drill replaces df)",
		Holds:  "the release succeeds; a warning has the figures and the remedy",
		Rows:   []int{70},
		run:    withVolume(volumeFull),
	},
	{
		Name:   "volume-kept",
		Breaks: "a host with a volume gets ten releases, and is replaced",
		Holds:  "each release finds what all before it wrote, on the new host too",
		Rows:   []int{67},
		run:    withVolume(volumeKept),
		outage: true,
	},
}

// withVolume runs a drill with a volume at /data.
func withVolume(run func(context.Context, *drillEnv) error) func(context.Context, *drillEnv) error {
	return func(ctx context.Context, g *drillEnv) error {
		if _, err := g.Configure(ctx, map[string]any{"volumes": map[string]any{"data": "/data"}}); err != nil {
			return err
		}
		return run(ctx, g)
	}
}

func volumeMissing(ctx context.Context, g *drillEnv) error {
	h, err := g.Host()
	if err != nil {
		return err
	}
	defer h.With("DISK_SECONDS=2")()
	for _, attachment := range g.Account().ByType(account.VolumeAttachment) {
		g.Account().Delete(attachment.URN, attachment.ID)
		defer g.Account().Put(attachment)
	}
	return untouched(func(ctx context.Context, g *drillEnv) error {
		return g.refuses(ctx, []edit.Edit{g.harmless(ctx, "a missing volume")}, "stage Deploy", "BeforeInstall", "prepare.sh", "volume vol-", "pulumi up attaches it")
	})(ctx, g)
}

func volumeForeign(ctx context.Context, g *drillEnv) error {
	disk, err := g.Disk()
	if err != nil {
		return err
	}
	before, err := os.ReadFile(disk)
	if err != nil {
		return err
	}
	const foreign = "xfs theirs 4a6bbc7b-5e0a-4d3a-9d4c-0f3b1d2c7a11\n"
	if err := os.WriteFile(disk, []byte(foreign), 0o644); err != nil {
		return err
	}
	failed := untouched(func(ctx context.Context, g *drillEnv) error {
		return g.refuses(ctx, []edit.Edit{g.harmless(ctx, "a foreign volume")}, "stage Deploy", "BeforeInstall", "prepare.sh", "xfs theirs", "e2label")
	})(ctx, g)
	after, err := os.ReadFile(disk)
	if err == nil && string(after) != foreign {
		err = fmt.Errorf("the volume holds %q now", after)
	}
	return errors.Join(failed, err, os.WriteFile(disk, before, 0o644))
}

func volumeFull(ctx context.Context, g *drillEnv) error {
	h, err := g.Host()
	if err != nil {
		return err
	}
	undo, err := h.Wrap("df", `[[ " $* " != *" $DATA_FOLDER "* ]] || exec printf 'Avail 1M-blocks\n12 10018\n'
exec "$real" "$@"`)
	if err != nil {
		return err
	}
	defer undo()
	if _, err := g.releases(ctx, "With a full volume", g.harmless(ctx, "a full volume")); err != nil {
		return err
	}
	if !g.said("warning") || !g.said("10018") || !g.said("volumeGiB") {
		return errors.New("no warning has the figures of the volume and the key")
	}
	return nil
}

func volumeKept(ctx context.Context, g *drillEnv) error {
	want := ""
	release := func(n int) error {
		text := fmt.Sprint("release-", n)
		want += text + "\n"
		if _, err := g.releases(ctx, "Keeps "+text, misbehaving("keeps "+text)); err != nil {
			return err
		}
		return g.keeps(ctx, want)
	}
	for n := range 10 {
		if err := release(n); err != nil {
			return err
		}
	}
	if err := g.ReplaceHost(ctx); err != nil {
		return err
	}
	return release(10)
}

// keeps checks what the application says that it and its predecessors have written. Earlier runs of the drill may have
// been first.
func (g *drillEnv) keeps(ctx context.Context, want string) error {
	response, err := g.Client().Get(g.AppURL() + "/log")
	if err != nil {
		return err
	}
	defer response.Body.Close()
	got, err := io.ReadAll(response.Body)
	if err == nil && !strings.HasSuffix(string(got), want) {
		err = fmt.Errorf("the application has written %q, want it to end with %q", got, want)
	}
	return err
}
