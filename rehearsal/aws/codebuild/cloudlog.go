package codebuild

import (
	"bytes"
	"errors"
	"io"
	"sync"
	"time"

	"cicd/rehearsal/aws/cloudwatchlogs"
)

// cloudLog sends a build's log to CloudWatch Logs, a line an event. It waits for the stream, and never for CloudWatch.
type cloudLog struct {
	mu      sync.Mutex
	lines   lines
	waiting []cloudwatchlogs.InputLogEvent
	put     func([]cloudwatchlogs.InputLogEvent) // nil until the stream exists
	stop    chan struct{}
	done    chan struct{}
}

// shipInterval is how long lines wait for others. CodeBuild's own log is some seconds late, too.
const shipInterval = time.Second

func newCloudLog() *cloudLog {
	c := &cloudLog{stop: make(chan struct{}), done: make(chan struct{})}
	go func() {
		defer close(c.done)
		tick := time.NewTicker(shipInterval)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				c.ship()
			case <-c.stop:
				return
			}
		}
	}()
	return c
}

// open says where events go.
func (c *cloudLog) open(put func([]cloudwatchlogs.InputLogEvent)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.put = put
}

// Write implements io.Writer. It never fails.
func (c *cloudLog) Write(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.lines.split(p, c.add)
	return len(p), nil
}

// maxMessage and maxEvents keep a batch within the megabyte that PutLogEvents takes. A longer line becomes several events.
const (
	maxMessage = 16 << 10
	maxEvents  = 60
)

// add adds a line's events; an empty message is none. The lock must be held.
func (c *cloudLog) add(line string) {
	for len(line) > 0 {
		part := line[:min(len(line), maxMessage)]
		c.waiting = append(c.waiting, cloudwatchlogs.InputLogEvent{Timestamp: time.Now().UnixMilli(), Message: part})
		line = line[len(part):]
	}
}

func (c *cloudLog) ship() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for c.put != nil && len(c.waiting) > 0 {
		n := min(len(c.waiting), maxEvents)
		c.put(c.waiting[:n])
		c.waiting = c.waiting[n:]
	}
}

// Close sends the rest.
func (c *cloudLog) Close() error {
	close(c.stop)
	<-c.done
	c.mu.Lock()
	c.add(string(c.lines.rest))
	c.mu.Unlock()
	c.ship()
	return nil
}

// lines makes lines of what is written piece by piece.
type lines struct{ rest []byte } // an unfinished line

// split passes each line that p completes to use, without its end.
func (l *lines) split(p []byte, use func(line string)) {
	l.rest = append(l.rest, p...)
	for {
		line, rest, ended := bytes.Cut(l.rest, []byte("\n"))
		if !ended {
			return
		}
		use(string(line))
		l.rest = rest
	}
}

// all writes to several logs, and closes them.
type all []io.WriteCloser

func (a all) Write(p []byte) (int, error) {
	for _, one := range a {
		if _, err := one.Write(p); err != nil {
			return 0, err
		}
	}
	return len(p), nil
}

func (a all) Close() error {
	var err error
	for _, one := range a {
		err = errors.Join(err, one.Close())
	}
	return err
}
