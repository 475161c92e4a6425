package drill

import (
	"context"
	"fmt"
	"time"

	"cicd/internal/edit"
)

// healthDrills ship an application that does not come up as it should.
var healthDrills = []Drill{
	{
		Name:   "exits-at-once",
		Breaks: "the new container exits as soon as it has started",
		Holds:  "the message has its exit code and last output; a rollback follows",
		run: refused([]edit.Edit{misbehaving("exits")},
			"stage Deploy", "ApplicationStart", "exit code 3 before it was healthy", "cannot reach the database", "rolling back"),
	},
	{
		Name:   "never-healthy",
		Breaks: "the application is never healthy (host waits 4 s, not 180)",
		Holds:  "the message has port, path, time and status; a rollback follows",
		run: impatient(refused([]edit.Edit{misbehaving("never")},
			"stage Deploy", "ApplicationStart", "start.sh", "did not answer 200 on port", "within 4 s (last status: 503)", "check containerPort and healthPath", "rolling back")),
	},
	{
		Name:   "flapping",
		Breaks: "the application is healthy on and off (host waits 4 s)",
		Holds:  "that does not count as healthy",
		run: impatient(refused([]edit.Edit{misbehaving("flaps")},
			"stage Deploy", "ApplicationStart", "3 times in a row within 4 s", "rolling back")),
	},
	{
		Name:   "healthy-after-60s",
		Breaks: "the application needs a full minute to become healthy",
		Holds:  "the release succeeds, and gets no request before that",
		run:    healthyLate,
	},
	{
		Name:   "ignores-sigterm",
		Breaks: "the old container ignores SIGTERM (for 3 s, not 30)",
		Holds:  "it is killed, and barely delays the next release",
		run:    configured(map[string]any{"stopSeconds": 3}, stubborn),
	},
}

// impatient makes the hooks wait only 4 seconds for health.
func impatient(run func(context.Context, *drillEnv) error) func(context.Context, *drillEnv) error {
	return func(ctx context.Context, g *drillEnv) error {
		h, err := g.Host()
		if err != nil {
			return err
		}
		defer h.With("HEALTH_SECONDS=4")()
		return run(ctx, g)
	}
}

func healthyLate(ctx context.Context, g *drillEnv) error {
	done, err := g.releases(ctx, "An application that takes its time", misbehaving("late 60s"))
	if err == nil && done.Took < time.Minute {
		err = fmt.Errorf("it was live after %s, but cannot have been healthy", done.Took)
	}
	return err
}

// stubborn releases an application that ignores SIGTERM; the release after it has to get rid of it.
func stubborn(ctx context.Context, g *drillEnv) error {
	if _, err := g.releases(ctx, "An application that ignores SIGTERM", misbehaving("stubborn")); err != nil {
		return err
	}
	done, err := g.releases(ctx, "The one after", g.harmless(ctx, "a stubborn one"))
	if err != nil {
		return err
	}
	h, err := g.Host()
	if err != nil {
		return err
	}
	return runsOnly(ctx, h, done.Commit)
}
