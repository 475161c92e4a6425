package rehearsal

import (
	"context"
	"errors"
	"fmt"
	"time"
)

const (
	// loadReleases is how many releases go out in a row under load.
	loadReleases = 20

	// warmUp is how long requests come in before any is measured: connections are opened, and caches filled.
	warmUp = 3 * time.Second
	// quiet is how long the application is measured before the releases. At loadRate its p99 rests on the 60 slowest
	// requests.
	quiet = 30 * time.Second
	// loadLimit ends the load should the releases not end. 20 of them take some minutes.
	loadLimit = 30 * time.Minute
)

// underLoad goes on releasing while requests come in, prints what the requests met, and destroys the stack. Its error
// says what the releases cost, if anything.
func (r *rehearsal) underLoad(ctx context.Context) error {
	report, err := r.measureReleases(ctx, loadReleases)
	if err != nil {
		return err
	}
	if err := report.print(r.Stdout, r.JSON); err != nil {
		return err
	}
	return errors.Join(report.verdict(), r.tearDown(ctx))
}

// measureReleases measures the requests of a load first in the quiet and then during so many releases, one after the
// other, each a push of a change.
func (r *rehearsal) measureReleases(ctx context.Context, releases int) (loadReport, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, loadLimit, fmt.Errorf("%d releases did not end within %s", releases, loadLimit))
	defer cancel()
	url := r.stack.output("appUrl")
	report := loadReport{URL: url, Connections: loadConnections, RequestsPerSecond: loadRate, Releases: releases}

	r.chapter("Load: %d requests/s on %d connections, before any release", loadRate, loadConnections)
	generator := newLoadGenerator(r.cloud.internet, url)
	defer generator.close()
	first, err := generator.run(ctx, warmUp)
	if err != nil {
		return report, err
	}
	if first.Failed > 0 {
		return report, fmt.Errorf("requests fail before any release is under way: %s", first.failures())
	}
	if report.Before, err = generator.run(ctx, quiet); err != nil {
		return report, err
	}
	r.note("%s", report.Before)

	clone, err := r.clone(ctx)
	if err != nil {
		return report, err
	}
	load := generator.start(loadLimit)
	err = r.releaseInARow(ctx, clone, releases)
	report.During = load.end()
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		err = errors.Join(context.Cause(ctx), err)
	}
	if err != nil {
		return report, err
	}
	r.note("%s", report.During)
	return report, nil
}

// releaseInARow releases so many changes, each when the one before is served.
func (r *rehearsal) releaseInARow(ctx context.Context, clone string, releases int) error {
	for i := range releases {
		r.chapter("Release %d of %d under load", i+1, releases)
		_, commit, err := r.commitChange(ctx, clone, fmt.Sprintf("Release %d under load.", i+1))
		if err != nil {
			return err
		}
		if _, err := r.release(ctx, clone, commit); err != nil {
			return fmt.Errorf("release %d of %d under load: %w", i+1, releases, err)
		}
	}
	return nil
}
