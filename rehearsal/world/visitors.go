package world

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

// serveTimeout is how long the URL may take to serve a release whose deployment has succeeded. The hooks have already
// validated it from the host itself.
const serveTimeout = 10 * time.Second

// visitorInterval is the time between a visitor's requests.
const visitorInterval = 10 * time.Millisecond

// pollInterval is the polling interval while waiting for a release: long enough not to slow it down.
const pollInterval = 50 * time.Millisecond

// Visitors send requests one after another, on a kept-alive connection, until they leave.
type Visitors struct {
	stop context.CancelFunc
	done chan Visits
}

// Visits counts requests. One without an answer has failed, and one with a server error, unless the first answer was the
// same error: then it is what the application has to say, such as a page that it lacks. None is repeated.
type Visits struct {
	Requests, Failed int
	firstFailure     string
	usual            int // the status of the first answer
}

func (v Visits) String() string {
	text := fmt.Sprintf("%d of %d requests failed meanwhile", v.Failed, v.Requests)
	if v.Failed > 0 {
		text += ", the first: " + v.firstFailure
	}
	return text
}

// visit sends requests of client to url until Leave is called, and passes each answer to saw unless that is nil.
func visit(ctx context.Context, client *http.Client, url string, saw func(Answer)) *Visitors {
	ctx, stop := context.WithCancel(ctx)
	v := &Visitors{stop: stop, done: make(chan Visits, 1)}
	go func() {
		defer client.CloseIdleConnections()
		var count Visits
		for tick := time.NewTicker(visitorInterval); ; {
			select {
			case <-ctx.Done():
				tick.Stop()
				v.done <- count
				return
			case <-tick.C:
				a, err := Get(context.WithoutCancel(ctx), client, url)
				count.add(a, err)
				if saw != nil && err == nil {
					saw(a)
				}
			}
		}
	}()
	return v
}

// Leave stops the requests, waits for the last one, and returns the counts.
func (v *Visitors) Leave() Visits {
	v.stop()
	return <-v.done
}

func (v *Visits) add(a Answer, err error) {
	v.Requests++
	if err == nil && v.usual == 0 {
		v.usual = a.status
	}
	if err == nil && (a.status < http.StatusInternalServerError || a.status == v.usual) {
		return
	}
	v.Failed++
	if v.firstFailure == "" {
		v.firstFailure = fmt.Sprintf("status %d", a.status)
		if err != nil {
			v.firstFailure = err.Error()
		}
	}
}

// Answer is the answer to a request.
type Answer struct {
	status   int
	Upstream string // the container's address, which the edge shows to private clients
	body     string
}

// Get sends one request.
func Get(ctx context.Context, client *http.Client, url string) (Answer, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return Answer{}, err
	}
	response, err := client.Do(request)
	if err != nil {
		return Answer{}, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, 1<<20))
	return Answer{response.StatusCode, response.Header.Get("X-Upstream"), string(body)}, err
}

// serves waits until a container of the commit answers at the URL.
func (c *cloud) serves(ctx context.Context, url, commit string) error {
	return c.await(ctx, url, "a container of commit "+commit, func(a Answer) (bool, error) {
		served, err := c.commitAt(ctx, a.Upstream)
		return served == commit, err
	})
}

// firstServed watches the URL until ctx ends. The channel receives the moment at which a container of the commit first
// answered.
func (c *cloud) firstServed(ctx context.Context, url, commit string) <-chan time.Time {
	first := make(chan time.Time, 1)
	client := c.internet()
	go func() {
		defer client.CloseIdleConnections()
		seen := "" // the upstream of the last answer: another commit means another upstream
		for tick := time.NewTicker(pollInterval); ctx.Err() == nil; <-tick.C {
			a, err := Get(ctx, client, url)
			if err != nil || a.Upstream == seen {
				continue
			}
			now := time.Now()
			served, err := c.commitAt(ctx, a.Upstream)
			if served == commit {
				first <- now
				return
			}
			if err == nil {
				seen = a.Upstream
			}
		}
	}()
	return first
}

// shows waits until the page at the URL contains the text.
func (c *cloud) shows(ctx context.Context, url, text string) error {
	return c.await(ctx, url, "a page that says: "+text, func(a Answer) (bool, error) { return strings.Contains(a.body, text), nil })
}

func (c *cloud) await(ctx context.Context, url, wanted string, got func(Answer) (bool, error)) error {
	ctx, cancel := context.WithTimeout(ctx, serveTimeout)
	defer cancel()
	client := c.internet()
	defer client.CloseIdleConnections()
	for {
		a, err := Get(ctx, client, url)
		if err == nil {
			var ok bool
			if ok, err = got(a); ok {
				return nil
			}
		}
		select {
		case <-ctx.Done():
			late := fmt.Errorf("%s was not answered by %s within %s; its last answer was status %d", url, wanted, serveTimeout, a.status)
			return errors.Join(late, err)
		case <-time.After(visitorInterval):
		}
	}
}
