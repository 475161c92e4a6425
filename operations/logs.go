package operations

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
)

// Line is a line that one of the application's containers has printed.
type Line struct {
	// Stream is <process>/<commit>/<build>.
	Stream string    `json:"stream"`
	Time   time.Time `json:"time"`
	Text   string    `json:"text"`
}

// AppLogs passes each line of a stack's application since a time to show, in order of time, until show returns an error.
// process is the one whose lines count, such as web; "" for all. With follow, it waits for more until ctx ends.
func (s Stack) AppLogs(ctx context.Context, process string, since time.Time, follow bool, show func(Line) error) error {
	settings, err := s.connect(ctx)
	if err != nil {
		return err
	}
	tail := s.tail(settings, process, since)
	for {
		lines, err := tail.read(ctx)
		if err != nil {
			return s.explain(ctx, "log group "+s.path(), err, nil)
		}
		for _, line := range lines {
			if err := show(line); err != nil {
				return err
			}
		}
		if !follow {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(followInterval):
		}
	}
}

// tail returns a tail of the application's log group since a time, of one process or, for "", of all.
func (s Stack) tail(settings aws.Config, process string, since time.Time) logTail {
	tail := logTail{client: cloudwatchlogs.NewFromConfig(settings), group: s.path(), from: since.UnixMilli()}
	if process != "" {
		tail.prefix = aws.String(process + "/")
	}
	return tail
}

const (
	// followInterval is the time between two looks. CloudWatch Logs takes 10 such requests a second from an account.
	followInterval = 2 * time.Second
	// lookBack is how late an event may arrive: the driver awslogs collects lines for five seconds.
	lookBack = 10 * time.Second
)

// logTail reads what is new in a log group.
type logTail struct {
	client *cloudwatchlogs.Client
	group  string
	prefix *string         // of the streams' names
	from   int64           // milliseconds since 1970
	seen   map[string]bool // the events since then, by ID
}

// read returns the lines that no earlier call has returned.
func (t *logTail) read(ctx context.Context) ([]Line, error) {
	var lines []Line
	found, newest := map[string]bool{}, t.from
	pages := cloudwatchlogs.NewFilterLogEventsPaginator(t.client, &cloudwatchlogs.FilterLogEventsInput{
		LogGroupName: aws.String(t.group), LogStreamNamePrefix: t.prefix, StartTime: aws.Int64(t.from)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, err
		}
		for _, e := range page.Events {
			id := aws.ToString(e.EventId)
			if !t.seen[id] {
				lines = append(lines, Line{aws.ToString(e.LogStreamName), time.UnixMilli(aws.ToInt64(e.Timestamp)).UTC(), aws.ToString(e.Message)})
			}
			found[id], newest = true, max(newest, aws.ToInt64(e.Timestamp))
		}
	}
	t.seen, t.from = found, max(t.from, newest-lookBack.Milliseconds())
	return lines, nil
}
