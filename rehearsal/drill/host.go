package drill

import (
	"context"
	"fmt"

	"cicd/internal/edit"

	"cicd/internal/docker"

	"cicd/rehearsal/aws/codepipeline"
)

// hostDrills are about the machine that the application runs on. A rehearsal's host is a set of Docker objects. To
// "reboot" it is to kill all its processes and containers, and to start those whose restart policy says so, as Docker
// does. The drills leave the machine's real Docker daemon alone, because others use it.
var hostDrills = []Drill{
	{
		Name:   "disk-full",
		Breaks: "df reports a full disk (the drill replaces df)",
		Holds:  "the release fails before it pulls; the message has folder and remedy",
		Rows:   []int{38},
		run:    diskFull,
	},
	{
		Name:   "docker-restarted",
		Breaks: "Docker restarts between two releases",
		Holds:  "the URL answers without anybody's help",
		run:    dockerRestarted,
		outage: true,
	},
	{
		Name:   "host-rebooted",
		Breaks: "the host reboots in the middle of a release",
		Holds:  "the old release comes back; the half-started one does not",
		Rows:   []int{33},
		run:    hostRebooted,
		outage: true,
	},
	{
		Name:   "leftovers",
		Breaks: "killed releases have left containers and images",
		Holds:  "the next release removes all but the running and the rollback image",
		Rows:   []int{38},
		run:    leftoversGo,
	},
}

func diskFull(ctx context.Context, g *drillEnv) error {
	h, err := g.Host()
	if err != nil {
		return err
	}
	undo, err := h.Wrap("df", `printf 'Avail\n100\n'`)
	if err != nil {
		return err
	}
	defer undo()
	return g.refuses(ctx, []edit.Edit{g.harmless(ctx, "a full disk")}, "stage Deploy", "BeforeInstall", "has 100 MiB free", "enlarge the volume or remove")
}

func dockerRestarted(ctx context.Context, g *drillEnv) error {
	h, err := g.Host()
	if err != nil {
		return err
	}
	names, err := h.Containers(ctx)
	if err != nil {
		return err
	}
	if _, err := docker.Run(ctx, append([]string{"stop", "--time", "15"}, names...)...); err != nil {
		return err
	}
	if err := h.ComeBack(ctx); err != nil {
		return err
	}
	return g.Serves(ctx, g.good)
}

// hostRebooted kills everything on the host while a candidate is becoming healthy.
func hostRebooted(ctx context.Context, g *drillEnv) error {
	h, err := g.Host()
	if err != nil {
		return err
	}
	id, err := g.commit(ctx, "A release that a reboot cuts short", misbehaving("late 60s"))
	if err != nil {
		return err
	}
	e, err := g.Push(ctx, g.dir)
	if err != nil {
		return err
	}
	if err := h.AwaitCandidate(ctx, id); err != nil {
		return err
	}
	if err := h.Reboot(ctx); err != nil {
		return err
	}
	status, err := e.Wait(ctx)
	if status != codepipeline.Failed {
		return fmt.Errorf("the release ended %s, want it failed", status)
	}
	return g.checkFailure(ctx, err, "stage Deploy", "ApplicationStart", "after an agent restart", "rolling back")
}
