package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"time"

	"github.com/spf13/cobra"

	"cicd/operations"
)

func (c cli) unpark() *cobra.Command {
	var flags stackFlags
	cmd := &cobra.Command{
		Use:   "unpark",
		Short: "Start a parked stack again, under the same address",
		Long: `Start a parked stack's host, wait until the application answers, and let
releases go on: a push that waited is released then.`,
		Example: `  cicd unpark --stack dev`,
		Args:    cobra.NoArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return c.unparkStack(cmd.Context(), flags) },
	}
	flags.add(cmd)
	return cmd
}

func (c cli) unparkStack(ctx context.Context, flags stackFlags) error {
	s, err := c.parking(ctx, flags.stack)
	if err != nil {
		return err
	}
	if s.State.Parked() == nil && operations.AllAre(s.Hosts, "running") {
		return c.printParking(flags, s, "not parked, and serves at "+s.url())
	}
	c.say("Starting %s ...", operations.HostNames(s.Hosts))
	if err := s.pipeline.StartHosts(ctx, s.Parking); err != nil {
		return fmt.Errorf("%w\nStack %q stays parked: `cicd unpark --stack %[2]s` tries again", err, flags.stack)
	}
	if s.Hosts, err = s.pipeline.Hosts(ctx); err != nil { // an address may be new
		return err
	}
	silent := c.awaitAnswer(ctx, s)
	if ctx.Err() != nil {
		return fmt.Errorf("%s started, but pushes still wait: `cicd unpark --stack %s` goes on from here: %w", operations.HostNames(s.Hosts), flags.stack, ctx.Err())
	}
	if err := s.pipeline.Unpark(ctx, s.Parking); err != nil { // a silent application may need a release
		return fmt.Errorf("%s started, but pushes still wait: %w", operations.HostNames(s.Hosts), errors.Join(err, silent))
	}
	if silent != nil {
		return fmt.Errorf("stack %q is not parked any more, but %w\nTo do: `cicd logs --stack %[1]s`; a release starts its containers anew", flags.stack, silent)
	}
	if s.Parking, err = s.pipeline.Parking(ctx); err != nil {
		return err
	}
	return c.printParking(flags, s, "back at "+s.url())
}

const (
	// answerWait is how long an application may take to answer once its hosts run: they boot, and their containers start.
	answerWait = 5 * time.Minute
	// answerPoll is the time between two requests, and answerTimeout that for one.
	answerPoll, answerTimeout = time.Second, 10 * time.Second
)

// awaitAnswer waits until the application answers, if anything was ever released and its address is known.
func (c cli) awaitAnswer(ctx context.Context, s parkedStack) error {
	if c.internet == nil || s.url() == "" {
		return nil
	}
	runs, err := s.pipeline.Releases(ctx, statusRuns)
	if err != nil || operations.Serving(runs) == nil {
		return err
	}
	c.say("Waiting until %s answers ...", s.url())
	limited, cancel := context.WithTimeout(ctx, answerWait)
	defer cancel()
	for {
		err := ask(limited, c.internet, s.url())
		if err == nil {
			return nil
		}
		if pause(limited, answerPoll) != nil {
			return fmt.Errorf("%s does not answer within %s: %w", s.url(), answerWait, err)
		}
	}
}

// ask returns nil if an address answers, with whatever the application says, but for an error of a server: the edge has
// one while it has no application.
func ask(ctx context.Context, client *http.Client, url string) error {
	ctx, cancel := context.WithTimeout(ctx, answerTimeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	response, err := client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	io.Copy(io.Discard, io.LimitReader(response.Body, 1<<20)) // so that the connection can be used again
	if response.StatusCode >= http.StatusInternalServerError {
		return fmt.Errorf("its last answer was %s", response.Status)
	}
	return nil
}

// internet returns a client that reaches applications, nil if AWS is on this machine: then its addresses are nowhere. An
// answer is taken as it is, wherever it leads to.
func internet(endpoint string) *http.Client {
	if u, err := url.Parse(endpoint); err == nil && (u.Hostname() == "localhost" || net.ParseIP(u.Hostname()).IsLoopback()) {
		return nil
	}
	return &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}
