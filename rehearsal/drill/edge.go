package drill

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"cicd/internal/edit"
	"cicd/rehearsal/world"

	"time"

	"cicd/internal/docker"
)

const (
	caddyfile = "deploy-scripts/edge/Caddyfile"
	restarts  = "{{.RestartCount}}" // of a container
)

// edgeDrills are about the container that owns port 80.
var edgeDrills = []Drill{
	{
		Name:   "edge-crashes",
		Breaks: "the edge's process ends",
		Holds:  "Docker restarts it, and the URL answers without anybody's help",
		run:    edgeCrashes,
		outage: true,
	},
	{
		Name:   "edge-removed",
		Breaks: "somebody removes the edge's container",
		Holds:  "the next push makes a new one",
		run:    edgeRemoved,
		outage: true,
	},
	{
		Name:   "edge-changed",
		Breaks: "a release changes the edge's configuration",
		Holds:  "the edge loads it without a restart; no request is lost",
		Rows:   []int{36, 53},
		run:    edgeChanged,
	},
	{
		Name:   "edge-refuses",
		Breaks: "a release has a configuration that the edge cannot read",
		Holds:  "the edge keeps the old one; the message has its reason",
		run: refused([]edit.Edit{edit.Replace(caddyfile, ":80 {", ":80 {\n\tno_such_directive")},
			"stage Deploy", "ApplicationStart", "the edge rejects edge/Caddyfile", "no_such_directive", "rolling back"),
	},
}

// edgeCrashes ends the edge's process from inside, as a crash does. After `docker kill`, Docker would not restart it: that
// counts as a person's wish that it stay down.
func edgeCrashes(ctx context.Context, g *drillEnv) error {
	h, err := g.Host()
	if err != nil {
		return err
	}
	before, err := docker.Run(ctx, "inspect", "--format", restarts, h.EdgeName())
	if err != nil {
		return err
	}
	// When a container's first process ends, Docker kills the others, so caddy stop may not get to report success.
	_, stopped := docker.Run(ctx, "exec", h.EdgeName(), "caddy", "stop", "--address", "unix//etc/caddy/admin.sock")
	if err := restarted(ctx, h, before); err != nil {
		return errors.Join(err, stopped)
	}
	return g.Serves(ctx, g.good)
}

// restartTimeout is how long Docker may take to restart the edge.
const restartTimeout = 10 * time.Second

// restarted waits until Docker has restarted the edge; before is its earlier restart count.
func restarted(ctx context.Context, h *world.Host, before string) error {
	ctx, cancel := context.WithTimeout(ctx, restartTimeout)
	defer cancel()
	for {
		after, err := docker.Run(ctx, "inspect", "--format", restarts, h.EdgeName())
		if err == nil && after != before {
			return nil
		}
		select {
		case <-ctx.Done():
			return errors.Join(errors.New("the edge has not been restarted, so it was not broken"), err)
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// edgeRemoved leaves the repair to the good push that ends every drill.
func edgeRemoved(ctx context.Context, g *drillEnv) error {
	h, err := g.Host()
	if err != nil {
		return err
	}
	if _, err := docker.Run(ctx, "rm", "--force", h.EdgeName()); err != nil {
		return err
	}
	client := g.Client()
	defer client.CloseIdleConnections()
	if _, err := world.Get(ctx, client, g.AppURL()); err == nil {
		return errors.New("the URL still answers, so nothing was broken")
	}
	return nil
}

func edgeChanged(ctx context.Context, g *drillEnv) error {
	h, err := g.Host()
	if err != nil {
		return err
	}
	const start = "{{.State.StartedAt}}"
	before, err := docker.Run(ctx, "inspect", "--format", start, h.EdgeName())
	if err != nil {
		return err
	}
	if _, err := g.releases(ctx, "Another configuration of the edge", edit.Replace(caddyfile, ":80 {", ":80 {\n\theader X-Drill changed")); err != nil {
		return err
	}
	response, err := http.Get("http://" + h.Edge)
	if err != nil {
		return err
	}
	response.Body.Close()
	if got := response.Header.Get("X-Drill"); got != "changed" {
		return fmt.Errorf("the edge has not loaded its new configuration: the header X-Drill is %q", got)
	}
	after, err := docker.Run(ctx, "inspect", "--format", start, h.EdgeName())
	if err == nil && after != before {
		err = errors.New("the edge was restarted or replaced")
	}
	return err
}
