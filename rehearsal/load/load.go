package load

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"cicd/rehearsal/world"
)

const (
	// releaseCount is the number of consecutive releases under load.
	releaseCount = 20

	// warmUp is how long requests are sent before any is measured: connections are opened, and caches filled.
	warmUp = 3 * time.Second
	// pause is how long the application is measured before each release. What else this machine does affects these
	// requests as much as those during the release that follows.
	pause = 3 * time.Second
	// timeLimit ends the load if the releases do not. 20 of them take some minutes.
	timeLimit = 30 * time.Minute
)

// Scenario makes many releases in a row and measures requests meanwhile. At the end the stack is destroyed.
type Scenario struct {
	// Out gets the measurements, as a table or as JSON.
	Out  io.Writer
	JSON bool
}

// Play implements rehearsal.Scenario. Its error says what the releases cost the requests, if anything.
func (s Scenario) Play(ctx context.Context, w *world.World) error {
	report, err := measureReleases(ctx, w, releaseCount)
	if err != nil {
		return err
	}
	if err := report.print(s.Out, s.JSON); err != nil {
		return err
	}
	if err := report.draw(w); err != nil {
		return err
	}
	return errors.Join(report.verdict(), w.TearDown(ctx))
}

// measureReleases measures the requests of a load before and during consecutive releases, each a push of a change.
func measureReleases(ctx context.Context, w *world.World, releases int) (report, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, timeLimit, fmt.Errorf("%d releases did not end within %s", releases, timeLimit))
	defer cancel()
	url := w.AppURL()
	w.Chapter("Load: %d requests/s on %d connections", requestRate, connectionCount)
	generator := newGenerator(w.Client, url)
	defer generator.close()
	if err := generator.learn(ctx); err != nil {
		return report{}, fmt.Errorf("requests fail before any release is under way: %w", err)
	}
	for method, status := range generator.usual {
		w.Note("the application answers %s with status %d at all times, so that counts as an answer", method, status)
	}
	first, err := generator.run(ctx, warmUp)
	if err != nil {
		return report{}, err
	}
	if m := first.measured(); m.Failed > 0 {
		return report{}, fmt.Errorf("requests fail before any release is under way: %s", m.Explain())
	}
	clone, err := w.Clone(ctx)
	if err != nil {
		return report{}, err
	}
	load := generator.start(timeLimit)
	course, err := releaseInARow(ctx, w, clone, releases)
	all := load.end()
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		err = errors.Join(context.Cause(ctx), err)
	}
	if err != nil {
		return report{}, err
	}
	return report{
		URL: url, Connections: connectionCount, RequestsPerSecond: requestRate, Releases: releases,
		Before: all.in(course.before).measured(), During: all.in(course.during).measured(),
		Building: all.in(course.building).measured(), Deploying: all.in(course.deploying).measured(),
		BusyBefore: course.busy.share(), picture: course.picture(all),
	}, nil
}

// draw writes the picture of the load into the checkout, where Git does not look, and says where.
func (r report) draw(w *world.World) error {
	path := filepath.Join(w.ProjectDir, "bin", "load.svg")
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	if err := os.WriteFile(path, []byte(r.picture), 0o644); err != nil {
		return err
	}
	w.Note("the latency over time: %s", path)
	return nil
}

// course is when the parts of consecutive releases took place.
type course struct {
	before, during      []period
	building, deploying []period   // parts of during
	busy                processors // in before
}

// releaseInARow releases that many changes, each a pause after the previous one is served.
func releaseInARow(ctx context.Context, w *world.World, clone string, releases int) (course, error) {
	var c course
	for i := range releases {
		w.Chapter("Release %d of %d under load", i+1, releases)
		if err := c.pause(ctx); err != nil {
			return c, err
		}
		_, commit, err := w.CommitChange(ctx, clone, fmt.Sprintf("Release %d under load.", i+1))
		if err != nil {
			return c, err
		}
		w.TakeSpans()
		start := time.Now()
		if _, err := w.Release(ctx, clone, commit); err != nil {
			return c, fmt.Errorf("release %d of %d under load: %w", i+1, releases, err)
		}
		c.during = append(c.during, period{start, time.Now()})
		for _, span := range w.TakeSpans() {
			switch took := (period{span.End.Add(-span.Took), span.End}); span.Name {
			case "Build":
				c.building = append(c.building, took)
			case "Deploy":
				c.deploying = append(c.deploying, took)
			}
		}
	}
	return c, nil
}

// pause waits for the time that is measured before a release.
func (c *course) pause(ctx context.Context) error {
	start := time.Now()
	earlier, err := readProcessors()
	if err != nil {
		return err
	}
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(pause):
	}
	now, err := readProcessors()
	if err != nil {
		return err
	}
	c.busy = c.busy.plus(now.since(earlier))
	c.before = append(c.before, period{start, time.Now()})
	return nil
}
