package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strconv"
	"time"
)

const (
	defaultPort = "8080"

	// shutdownGrace is how long requests in flight may take to finish after SIGTERM. The host kills a container 30 s after
	// SIGTERM, so this must be less.
	shutdownGrace = 25 * time.Second

	// A slower client is cut off, so that it cannot hold a connection for ever.
	headerTimeout  = 5 * time.Second
	requestTimeout = 60 * time.Second
	idleTimeout    = 120 * time.Second

	healthcheckTimeout = 2 * time.Second
)

// portFrom returns the port to listen on.
func portFrom(getenv func(string) string) (string, error) {
	port := getenv("PORT")
	if port == "" {
		return defaultPort, nil
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
		return "", fmt.Errorf("PORT %q: want a number from 1 to 65535", port)
	}
	return port, nil
}

// serve answers on port until ctx is done, then finishes the requests in flight.
func serve(ctx context.Context, log *slog.Logger, port string, release Release) error {
	listener, err := net.Listen("tcp", ":"+port)
	if err != nil {
		return fmt.Errorf("port %s: %w", port, err)
	}
	log.Info("listening", "address", listener.Addr().String(), "commit", release.Commit, "image", release.Image)
	return serveOn(ctx, log, listener, logRequests(log, newHandler(release)))
}

// serveOn serves handler on listener until ctx is done. It returns once every request in flight is answered, or with an
// error if shutdownGrace was not enough.
func serveOn(ctx context.Context, log *slog.Logger, listener net.Listener, handler http.Handler) error {
	server := &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: headerTimeout,
		ReadTimeout:       requestTimeout,
		WriteTimeout:      requestTimeout,
		IdleTimeout:       idleTimeout,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelWarn),
	}
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(listener) }()
	select {
	case err := <-failed:
		return fmt.Errorf("serving: %w", err)
	case <-ctx.Done():
	}

	log.Info("shutting down", "grace", shutdownGrace.String())
	grace, cancel := context.WithTimeout(context.Background(), shutdownGrace)
	defer cancel()
	if err := server.Shutdown(grace); err != nil {
		return fmt.Errorf("requests in flight after %s: %w", shutdownGrace, errors.Join(err, server.Close()))
	}
	log.Info("stopped")
	return nil
}

// healthcheck asks the webapp on this machine's port whether it is healthy.
func healthcheck(ctx context.Context, port string) error {
	ctx, cancel := context.WithTimeout(ctx, healthcheckTimeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://127.0.0.1:"+port+"/healthz", nil)
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return fmt.Errorf("health: %w", err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("health: %s", response.Status)
	}
	return nil
}
