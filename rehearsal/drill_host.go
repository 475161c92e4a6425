package rehearsal

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"cicd/internal/docker"

	"cicd/rehearsal/codepipeline"
)

// hostDrills are about the machine that the application runs on. A rehearsal's host is a set of Docker objects: it
// "reboots" when all its processes and containers are killed and those are started whose restart policy says so, as
// Docker does. The machine's real Docker daemon, which others use, is left alone.
var hostDrills = []Drill{
	{
		Name:   "disk-full",
		Breaks: "the disk is full, says df (which the drill replaces)",
		Holds:  "the release fails before it pulls; the message has folder and remedy",
		Rows:   []int{38},
		run:    diskFull,
	},
	{
		Name:   "docker-restarted",
		Breaks: "Docker restarts between two releases",
		Holds:  "the URL answers with nobody's help",
		run:    dockerRestarted,
		outage: true,
	},
	{
		Name:   "host-rebooted",
		Breaks: "the host reboots in the middle of a release",
		Holds:  "the release before comes back; the half-started one does not",
		Rows:   []int{33},
		run:    hostRebooted,
		outage: true,
	},
	{
		Name:   "deployment-killed",
		Breaks: "the start hook is killed in the middle of the switch",
		Holds:  "requests wait, the rollback mends it, and none is lost",
		Rows:   []int{33, 36},
		run:    deploymentKilled,
	},
	{
		Name:   "leftovers",
		Breaks: "killed releases have left containers and images",
		Holds:  "the next release removes all but the running and the rollback image",
		Rows:   []int{38},
		run:    leftoversGo,
	},
}

// wrap puts a bash script in the place of one of the host's commands until undo is called. In the script, $real is the
// command itself.
func (g *ground) wrap(h *host, command, script string) (undo func(), err error) {
	real, err := exec.LookPath(command)
	if err != nil {
		return nil, err
	}
	dir, err := g.work.makeDir("wrapped")
	if err != nil {
		return nil, err
	}
	text := fmt.Sprintf("#!/bin/bash\nreal='%s'\n%s\n", real, script)
	restore := h.with("PATH=" + dir + string(filepath.ListSeparator) + g.cloud.machine.path)
	return func() { restore(); os.RemoveAll(dir) }, os.WriteFile(filepath.Join(dir, command), []byte(text), 0o755)
}

func diskFull(ctx context.Context, g *ground) error {
	h, err := g.host()
	if err != nil {
		return err
	}
	undo, err := g.wrap(h, "df", `printf 'Avail\n100\n'`)
	if err != nil {
		return err
	}
	defer undo()
	return g.refuses(ctx, []edit{harmless("a full disk")}, "stage Deploy", "BeforeInstall", "has 100 MiB free", "enlarge the volume or remove")
}

func dockerRestarted(ctx context.Context, g *ground) error {
	h, err := g.host()
	if err != nil {
		return err
	}
	names, err := h.containers(ctx)
	if err != nil {
		return err
	}
	if _, err := docker.Run(ctx, append([]string{"stop", "--time", "15"}, names...)...); err != nil {
		return err
	}
	if err := h.comeBack(ctx); err != nil {
		return err
	}
	return g.cloud.serves(ctx, g.url(), g.good)
}

// hostRebooted kills everything on the host while a candidate is becoming healthy.
func hostRebooted(ctx context.Context, g *ground) error {
	h, err := g.host()
	if err != nil {
		return err
	}
	id, err := g.commit(ctx, "A release that a reboot cuts short", misbehaving("late 60s"))
	if err != nil {
		return err
	}
	e, err := g.push(ctx, g.dir)
	if err != nil {
		return err
	}
	if err := h.awaitCandidate(ctx, id); err != nil {
		return err
	}
	if err := h.reboot(ctx); err != nil {
		return err
	}
	status, err := e.Wait(ctx)
	if status != codepipeline.Failed {
		return fmt.Errorf("the release ended %s, want it failed", status)
	}
	return g.failed(ctx, err, "stage Deploy", "ApplicationStart", "hooks/start.sh", "signal: killed", "rolling back")
}

// deploymentKilled kills the start hook between its two renames, once: the wrapper removes itself.
func deploymentKilled(ctx context.Context, g *ground) error {
	h, err := g.host()
	if err != nil {
		return err
	}
	undo, err := g.wrap(h, "docker", `[[ "$*" == *-retired && "$*" == *" rename "* ]] || exec "$real" "$@"
"$real" "$@"
rm -- "$0"
kill -KILL 0`)
	if err != nil {
		return err
	}
	defer undo()
	return g.refuses(ctx, []edit{harmless("a kill")}, "stage Deploy", "ApplicationStart", "hooks/start.sh", "signal: killed", "rolling back")
}
