package load

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"cicd/rehearsal/world"
)

const (
	// releaseCount is the number of consecutive releases under load.
	releaseCount = 20

	// warmUp is how long requests are sent before any is measured: connections are opened, and caches filled.
	warmUp = 3 * time.Second
	// quiet is how long the application is measured before the releases. At requestRate, its p99 rests on the 60 slowest
	// requests.
	quiet = 30 * time.Second
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
	return errors.Join(report.verdict(), w.TearDown(ctx))
}

// measureReleases measures the requests of a load, first without releases and then during consecutive ones, each a push of
// a change.
func measureReleases(ctx context.Context, w *world.World, releases int) (report, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, timeLimit, fmt.Errorf("%d releases did not end within %s", releases, timeLimit))
	defer cancel()
	url := w.AppURL()
	report := report{URL: url, Connections: connectionCount, RequestsPerSecond: requestRate, Releases: releases}

	w.Chapter("Load: %d requests/s on %d connections, before any release", requestRate, connectionCount)
	generator := newGenerator(w.Client, url)
	defer generator.close()
	first, err := generator.run(ctx, warmUp)
	if err != nil {
		return report, err
	}
	if first.Failed > 0 {
		return report, fmt.Errorf("requests fail before any release is under way: %s", first.Explain())
	}
	if report.Before, err = generator.run(ctx, quiet); err != nil {
		return report, err
	}
	w.Note("%s", report.Before)

	clone, err := w.Clone(ctx)
	if err != nil {
		return report, err
	}
	load := generator.start(timeLimit)
	err = releaseInARow(ctx, w, clone, releases)
	report.During = load.end()
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		err = errors.Join(context.Cause(ctx), err)
	}
	if err != nil {
		return report, err
	}
	w.Note("%s", report.During)
	return report, nil
}

// releaseInARow releases that many changes, each once the previous one is served.
func releaseInARow(ctx context.Context, w *world.World, clone string, releases int) error {
	for i := range releases {
		w.Chapter("Release %d of %d under load", i+1, releases)
		_, commit, err := w.CommitChange(ctx, clone, fmt.Sprintf("Release %d under load.", i+1))
		if err != nil {
			return err
		}
		if _, err := w.Release(ctx, clone, commit); err != nil {
			return fmt.Errorf("release %d of %d under load: %w", i+1, releases, err)
		}
	}
	return nil
}
