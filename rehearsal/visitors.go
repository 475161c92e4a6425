package rehearsal

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

// patience is how long the URL may take to serve a release whose deployment has succeeded. The hooks have proved it
// already, from the host itself.
const patience = 10 * time.Second

// pace is how long a visitor waits before the next request.
const pace = 10 * time.Millisecond

// glance is how often it is looked whether a release is there yet: so seldom that looking does not slow it down.
const glance = 50 * time.Millisecond

// visitors are requests that come in one after another, on a kept connection, until they leave.
type visitors struct {
	stop context.CancelFunc
	done chan visits
}

// visits counts requests. One has failed when it got no answer or a server error; none is repeated.
type visits struct {
	requests, failed int
	firstFailure     string
}

func (v visits) String() string {
	text := fmt.Sprintf("%d of %d requests failed meanwhile", v.failed, v.requests)
	if v.failed > 0 {
		text += ", the first: " + v.firstFailure
	}
	return text
}

// visit sends requests of client to url until leave is called, and shows each answer to saw, unless that is nil.
func visit(ctx context.Context, client *http.Client, url string, saw func(answer)) *visitors {
	ctx, stop := context.WithCancel(ctx)
	v := &visitors{stop: stop, done: make(chan visits, 1)}
	go func() {
		defer client.CloseIdleConnections()
		var count visits
		for tick := time.NewTicker(pace); ; {
			select {
			case <-ctx.Done():
				tick.Stop()
				v.done <- count
				return
			case <-tick.C:
				a, err := get(context.WithoutCancel(ctx), client, url)
				count.add(a, err)
				if saw != nil && err == nil {
					saw(a)
				}
			}
		}
	}()
	return v
}

// leave stops the requests, lets the last one finish, and counts them.
func (v *visitors) leave() visits {
	v.stop()
	return <-v.done
}

func (v *visits) add(a answer, err error) {
	v.requests++
	if err == nil && a.status < http.StatusInternalServerError {
		return
	}
	v.failed++
	if v.firstFailure == "" {
		v.firstFailure = fmt.Sprintf("status %d", a.status)
		if err != nil {
			v.firstFailure = err.Error()
		}
	}
}

// answer is what a request got.
type answer struct {
	status   int
	upstream string // the container's address, which the edge tells private clients
	body     string
}

func get(ctx context.Context, client *http.Client, url string) (answer, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return answer{}, err
	}
	response, err := client.Do(request)
	if err != nil {
		return answer{}, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, 1<<20))
	return answer{response.StatusCode, response.Header.Get("X-Upstream"), string(body)}, err
}

// serves waits until the URL is answered by a container of the commit.
func (c *cloud) serves(ctx context.Context, url, commit string) error {
	return c.await(ctx, url, "a container of commit "+commit, func(a answer) (bool, error) {
		served, err := c.commitAt(ctx, a.upstream)
		return served == commit, err
	})
}

// firstServed watches the URL until ctx ends. The moment at which a container of the commit first answers comes on the
// channel.
func (c *cloud) firstServed(ctx context.Context, url, commit string) <-chan time.Time {
	first := make(chan time.Time, 1)
	client := c.internet()
	go func() {
		defer client.CloseIdleConnections()
		seen := "" // the upstream of the last answer: only another one can be of another commit
		for tick := time.NewTicker(glance); ctx.Err() == nil; <-tick.C {
			a, err := get(ctx, client, url)
			if err != nil || a.upstream == seen {
				continue
			}
			now := time.Now()
			served, err := c.commitAt(ctx, a.upstream)
			if served == commit {
				first <- now
				return
			}
			if err == nil {
				seen = a.upstream
			}
		}
	}()
	return first
}

// shows waits until the page at the URL has the text.
func (c *cloud) shows(ctx context.Context, url, text string) error {
	return c.await(ctx, url, "a page that says: "+text, func(a answer) (bool, error) { return strings.Contains(a.body, text), nil })
}

func (c *cloud) await(ctx context.Context, url, wanted string, got func(answer) (bool, error)) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	client := c.internet()
	defer client.CloseIdleConnections()
	for {
		a, err := get(ctx, client, url)
		if err == nil {
			var ok bool
			if ok, err = got(a); ok {
				return nil
			}
		}
		select {
		case <-ctx.Done():
			late := fmt.Errorf("%s was not answered by %s within %s; its last answer was status %d", url, wanted, patience, a.status)
			return errors.Join(late, err)
		case <-time.After(pace):
		}
	}
}
