package world

import (
	"bufio"
	"cmp"
	"encoding/json"
	"errors"
	"math"
	"net"
	"slices"
	"strings"
	"sync"
	"time"

	"cicd/rehearsal/aws/cloudwatchlogs"
	"cicd/rehearsal/aws/iam"
)

// containerLogs stands for the part of Docker's log driver awslogs that sends what a host's containers print to CloudWatch,
// see docker.sh. Like the driver, it drops what CloudWatch does not take, and no container waits for it.
type containerLogs struct {
	listener net.Listener
	service  *cloudwatchlogs.Service
	session  func() (iam.Session, error) // of the host's role
	// lost is told, for the first event of each stream that is lost, why it was.
	lost func(stream string, err error)

	mu   sync.Mutex
	told map[string]bool // by stream
}

// receive starts to listen on the loopback interface.
func (c *containerLogs) receive() (err error) {
	if c.listener, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		return err
	}
	c.told = map[string]bool{}
	go func() {
		for {
			conn, err := c.listener.Accept()
			if err != nil {
				return // closed
			}
			go c.ship(conn)
		}
	}()
	return nil
}

// gelfMessage is what one line of a container becomes (moby, daemon/logger/gelf/gelf.go; docs.graylog.org, "GELF").
type gelfMessage struct {
	Line      string  `json:"short_message"`
	Timestamp float64 `json:"timestamp"` // seconds since 1970
	Tag       string  `json:"_tag"`      // log group and stream, see docker.sh
}

// publishFrequency is how long the driver collects lines (batchPublishFrequency there). Only then a stream must exist.
const publishFrequency = 5 * time.Second

// ship puts a container's lines into its stream: every five seconds those that have arrived, and the rest when it has ended.
func (c *containerLogs) ship(conn net.Conn) {
	lines := make(chan gelfMessage)
	go c.read(conn, lines)
	batches := map[string][]cloudwatchlogs.InputLogEvent{} // by tag: one, but for tests
	tick := time.NewTicker(publishFrequency)
	defer tick.Stop()
	for open := true; open; {
		var m gelfMessage
		select {
		case m, open = <-lines:
			if m.Line != "" { // awslogs drops empty lines: processEvent there
				batches[m.Tag] = append(batches[m.Tag], cloudwatchlogs.InputLogEvent{Timestamp: int64(math.Round(m.Timestamp * 1000)), Message: m.Line})
			}
			if open && len(batches[m.Tag]) < maxBatch {
				continue
			}
		case <-tick.C:
		}
		for tag, events := range batches {
			c.put(tag, events)
		}
		clear(batches)
	}
}

// maxBatch keeps a batch below the limits of PutLogEvents: Docker cuts lines after 16 KiB.
const maxBatch = 50

// read reads a container's lines until it ends.
func (c *containerLogs) read(conn net.Conn, lines chan<- gelfMessage) {
	defer conn.Close()
	defer close(lines)
	in := bufio.NewReader(conn)
	for {
		text, err := in.ReadBytes(0) // each message ends with a NUL
		if err != nil {
			return
		}
		var m gelfMessage
		if err := json.Unmarshal(text[:len(text)-1], &m); err != nil {
			c.tell("", err)
			continue
		}
		lines <- m
	}
}

// put sorts events by time, as awslogs does (publishBatch there), because containers have two outputs.
func (c *containerLogs) put(tag string, events []cloudwatchlogs.InputLogEvent) {
	slices.SortStableFunc(events, func(a, b cloudwatchlogs.InputLogEvent) int { return cmp.Compare(a.Timestamp, b.Timestamp) })
	group, stream, _ := strings.Cut(tag, " ")
	session, err := c.session()
	if err == nil {
		_, err = c.service.PutLogEvents(session, cloudwatchlogs.PutLogEventsInput{LogGroupName: group, LogStreamName: stream, LogEvents: events})
	}
	if err != nil {
		c.tell(stream, err)
	}
}

// tell reports the first loss of a stream.
func (c *containerLogs) tell(stream string, err error) {
	c.mu.Lock()
	before := c.told[stream]
	c.told[stream] = true
	c.mu.Unlock()
	if !before {
		c.lost(stream, err)
	}
}

// close stops listening. Containers may still be connected: they are removed later.
func (c *containerLogs) close() error {
	if err := c.listener.Close(); !errors.Is(err, net.ErrClosed) {
		return err
	}
	return nil
}
