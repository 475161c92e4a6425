// Command webapp is the application the pipeline ships: a page that says which release answers.
//
// It reads PORT (default 8080), RELEASE_COMMIT and RELEASE_IMAGE, serves HTTP until SIGTERM or SIGINT, and then finishes
// the requests in flight. `webapp healthcheck` asks a running webapp whether it is healthy, for Docker's HEALTHCHECK.
package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// exitUsage is the exit code for a wrong command line or environment (2), as opposed to a failure at work (1).
const exitUsage = 2

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	code := run(ctx, os.Args[1:], os.Getenv)
	stop()
	os.Exit(code)
}

// run is main without the process: it returns an exit code.
func run(ctx context.Context, args []string, getenv func(string) string) int {
	log := slog.New(slog.NewJSONHandler(os.Stdout, nil))
	port, err := portFrom(getenv)
	if err != nil {
		log.Error("bad environment", "error", err)
		return exitUsage
	}
	switch {
	case len(args) == 0:
		release := Release{Commit: getenv("RELEASE_COMMIT"), Image: getenv("RELEASE_IMAGE"), Started: time.Now().UTC()}
		err = serve(ctx, log, port, release)
	case len(args) == 1 && args[0] == "healthcheck":
		err = healthcheck(ctx, port)
	default:
		fmt.Fprintln(os.Stderr, "usage: webapp [healthcheck]")
		return exitUsage
	}
	if err != nil {
		log.Error("webapp stopped", "error", err)
		return 1
	}
	return 0
}
