package cloudwatchlogs

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"cicd/rehearsal/aws/account"
	"cicd/rehearsal/aws/awserror"
	"cicd/rehearsal/aws/awstest"
	"cicd/rehearsal/aws/iam"
)

const (
	group  = "/cicd/dev"
	within = "arn:aws:logs:eu-central-1:123456789012:log-group:/cicd/dev:*"
)

// newService returns a service whose account has the group, kept for a week, and the session of a role that has the
// statements.
func newService(t *testing.T, statements string) (*Service, iam.Session, *account.Account) {
	t.Helper()
	acct, authority, session := awstest.Account(t, statements)
	acct.Put(account.Resource{Type: account.LogGroup, Name: "host", URN: account.LogGroup, ID: "host",
		Properties: map[string]any{"name": group, "retentionInDays": 7.0}})
	return New(acct, authority), session, acct
}

const everything = `{"Effect":"Allow","Action":"logs:*","Resource":"*"}`

// write makes a stream, if there is none, and stores messages, the first one at a time and each a second after the
// other.
func (s *Service) write(t *testing.T, session iam.Session, stream string, at time.Time, messages ...string) {
	t.Helper()
	err := s.CreateLogStream(session, CreateLogStreamInput{group, stream})
	var refused *awserror.Error
	if err != nil && (!errors.As(err, &refused) || refused.Code != "ResourceAlreadyExistsException") {
		t.Fatal(err)
	}
	in := PutLogEventsInput{LogGroupName: group, LogStreamName: stream}
	for i, message := range messages {
		in.LogEvents = append(in.LogEvents, InputLogEvent{at.Add(time.Duration(i) * time.Second).UnixMilli(), message})
	}
	if out, err := s.PutLogEvents(session, in); err != nil || out.RejectedLogEventsInfo != nil {
		t.Fatalf("put %+v, %v", out, err)
	}
}

func TestCreateLogStream(t *testing.T) {
	s, session, acct := newService(t, everything)
	create := func(group, stream string) error {
		return s.CreateLogStream(session, CreateLogStreamInput{group, stream})
	}
	awstest.WantError(t, create(group, "web/0123456789ab/1"), "")
	awstest.WantError(t, create(group, "web/0123456789ab/1"), "ResourceAlreadyExistsException: The specified log stream already exists")
	awstest.WantError(t, create("/cicd/prod", "web"), "ResourceNotFoundException: The specified log group does not exist.")
	awstest.WantError(t, create(group, "a:b"), "InvalidParameterException: 1 validation error detected: Value 'a:b' at 'logStreamName'")
	awstest.WantError(t, create(group, strings.Repeat("x", 513)), "InvalidParameterException: ")
	awstest.WantError(t, create(group, ""), "InvalidParameterException: ")
	awstest.WantError(t, create("", "web"), "InvalidParameterException: 1 validation error detected: Value '' at 'logGroupName'")

	acct.Delete(account.LogGroup, "host")
	awstest.WantError(t, create(group, "web/0123456789ab/1"), "ResourceNotFoundException: ")
	acct.Put(account.Resource{Type: account.LogGroup, URN: account.LogGroup, ID: "host", Properties: map[string]any{"name": group}})
	awstest.WantError(t, create(group, "web/0123456789ab/1"), "") // streams end with their group
}

func TestPermissions(t *testing.T) {
	const denied = "AccessDeniedException: User: arn:aws:sts::123456789012:assumed-role/host/i-1 is not authorized to perform: "
	const on = " on resource: arn:aws:logs:eu-central-1:123456789012:log-group:/cicd/dev:log-stream:"
	s, session, _ := newService(t, `{"Effect":"Allow","Action":["logs:CreateLogStream","logs:PutLogEvents"],"Resource":"`+within+`"}`)
	s.write(t, session, "web", time.Now(), "hello")
	_, err := s.GetLogEvents(session, GetLogEventsInput{LogGroupName: group, LogStreamName: "web"})
	awstest.WantError(t, err, denied+"logs:GetLogEvents"+on+"web because")
	_, err = s.FilterLogEvents(session, FilterLogEventsInput{LogGroupName: group})
	awstest.WantError(t, err, denied+"logs:FilterLogEvents"+on+" because")
	_, err = s.DescribeLogStreams(session, DescribeLogStreamsInput{LogGroupName: group})
	awstest.WantError(t, err, denied+"logs:DescribeLogStreams"+on+" because")
	// Who may not ask does not learn what there is.
	awstest.WantError(t, s.CreateLogStream(session, CreateLogStreamInput{"/cicd/prod", "web"}), denied+"logs:CreateLogStream on resource")
	s, session, _ = newService(t, `{"Effect":"Allow","Action":"logs:*","Resource":"`+within+`"}`)
	_, err = s.FilterLogEvents(session, FilterLogEventsInput{LogGroupName: group})
	awstest.WantError(t, err, "")
}

func TestPutLogEventsRefused(t *testing.T) {
	s, session, _ := newService(t, everything)
	now := time.Now().UnixMilli()
	s.write(t, session, "web", time.Now(), "hello")
	put := func(stream string, events ...InputLogEvent) error {
		_, err := s.PutLogEvents(session, PutLogEventsInput{LogGroupName: group, LogStreamName: stream, LogEvents: events})
		return err
	}
	one := InputLogEvent{now, "x"}
	day := (24 * time.Hour).Milliseconds()
	awstest.WantError(t, put("worker", one), "ResourceNotFoundException: The specified log stream does not exist.")
	awstest.WantError(t, put("web"), "InvalidParameterException: 1 validation error detected: Value '[]' at 'logEvents'")
	awstest.WantError(t, put("web", slices.Repeat([]InputLogEvent{one}, 10_001)...), "InvalidParameterException: 1 validation error detected")
	awstest.WantError(t, put("web", slices.Repeat([]InputLogEvent{one}, 10_000)...), "")
	awstest.WantError(t, put("web", one, InputLogEvent{now, ""}), "InvalidParameterException: 1 validation error detected: Value '' at 'logEvents.2.member.message'")
	awstest.WantError(t, put("web", InputLogEvent{-1, "x"}), "InvalidParameterException: 1 validation error detected: Value '-1' at 'logEvents.1.member.timestamp'")
	awstest.WantError(t, put("web", one, InputLogEvent{now - 1, "x"}), "InvalidParameterException: Log events in a single PutLogEvents request must be in chronological order.")
	awstest.WantError(t, put("web", InputLogEvent{now - day - 1, "x"}, one), "InvalidParameterException: The batch of log events in a single PutLogEvents request cannot span more than 24 hours.")
	awstest.WantError(t, put("web", InputLogEvent{now - 20*day, "x"}, InputLogEvent{now - day, "x"}, one), "")
	awstest.WantError(t, put("web", InputLogEvent{now, strings.Repeat("ü", (batchSize-26)/2)}), "")
	awstest.WantError(t, put("web", InputLogEvent{now, strings.Repeat("x", batchSize-25)}), "InvalidParameterException: Upload too large: 1048577 bytes exceeds limit of 1048576")
	awstest.WantError(t, put("web", slices.Repeat([]InputLogEvent{{now, strings.Repeat("x", 1000)}}, 1023)...), "InvalidParameterException: Upload too large: 1049598 bytes")
}

func TestRejectedEvents(t *testing.T) {
	s, session, _ := newService(t, everything)
	s.write(t, session, "web", time.Now(), "hello")
	put := func(ages ...time.Duration) (*RejectedLogEventsInfo, int) {
		in := PutLogEventsInput{LogGroupName: group, LogStreamName: "web"}
		for _, age := range ages {
			in.LogEvents = append(in.LogEvents, InputLogEvent{time.Now().Add(-age).UnixMilli(), age.String()})
		}
		before := s.events
		out, err := s.PutLogEvents(session, in)
		if err != nil {
			t.Fatal(err)
		}
		return out.RejectedLogEventsInfo, int(s.events - before)
	}
	const day, minute = 24 * time.Hour, time.Minute
	show := func(info *RejectedLogEventsInfo) string {
		if info == nil {
			return "none"
		}
		text := ""
		for name, index := range map[string]*int{"old": info.TooOldLogEventEndIndex, "kept": info.ExpiredLogEventEndIndex, "new": info.TooNewLogEventStartIndex} {
			if index != nil {
				text += fmt.Sprintf(" %s %d", name, *index)
			}
		}
		words := strings.Split(strings.TrimSpace(text), " ")
		slices.Sort(words)
		return strings.Join(words, " ")
	}
	tests := []struct {
		ages   []time.Duration
		want   string
		stored int
	}{
		{[]time.Duration{day, minute}, "none", 2},
		{[]time.Duration{15 * day, minute}, "1 old", 1},
		{[]time.Duration{15 * day, 8 * day, minute}, "1 2 kept old", 1},
		{[]time.Duration{8 * day}, "1 kept", 0},
		{[]time.Duration{minute, -121 * minute, -300 * minute}, "1 new", 1},
		{[]time.Duration{-119 * minute}, "none", 1},
		{[]time.Duration{15 * day, -121 * minute}, "1 1 new old", 0},
	}
	for _, tt := range tests {
		if info, stored := put(tt.ages...); show(info) != tt.want || stored != tt.stored {
			t.Errorf("%v: rejected %s, stored %d; want %s, %d", tt.ages, show(info), stored, tt.want, tt.stored)
		}
	}
}

func TestDescribeLogStreams(t *testing.T) {
	s, session, _ := newService(t, everything)
	start := time.Now().Add(-time.Hour)
	s.write(t, session, "web/2", start, "x", "y")
	s.write(t, session, "web/1", start.Add(time.Minute), "x")
	awstest.WantError(t, s.CreateLogStream(session, CreateLogStreamInput{group, "worker/1"}), "")
	one := 1
	names := func(in DescribeLogStreamsInput) string {
		in.LogGroupName = group
		var names []string
		for {
			out, err := s.DescribeLogStreams(session, in)
			if err != nil {
				t.Fatal(err)
			}
			for _, one := range out.LogStreams {
				names = append(names, one.LogStreamName)
			}
			if in.NextToken = out.NextToken; in.NextToken == "" {
				return strings.Join(names, " ")
			}
		}
	}
	for want, in := range map[string]DescribeLogStreamsInput{
		"web/1 web/2 worker/1": {Limit: &one},
		"worker/1 web/2 web/1": {OrderBy: "LastEventTime"},
		"web/1 web/2":          {LogStreamNamePrefix: "web/"},
		"worker/1 web/2":       {Descending: true, NextToken: ""},
	} {
		if got := names(in); !strings.HasPrefix(got, want) {
			t.Errorf("%+v: got %s, want %s", in, got, want)
		}
	}
	out, err := s.DescribeLogStreams(session, DescribeLogStreamsInput{LogGroupName: group})
	if err != nil {
		t.Fatal(err)
	}
	if web2 := out.LogStreams[1]; web2.FirstEventTimestamp != start.UnixMilli() || web2.LastEventTimestamp != start.Add(time.Second).UnixMilli() ||
		web2.LastIngestionTime < start.UnixMilli() || web2.Arn != strings.TrimSuffix(within, "*")+"log-stream:web/2" {
		t.Errorf("web/2 is %+v", web2)
	}
	for want, in := range map[string]DescribeLogStreamsInput{
		"InvalidParameterException: Cannot order by LastEventTime with":  {OrderBy: "LastEventTime", LogStreamNamePrefix: "w"},
		"InvalidParameterException: 1 validation error detected":         {OrderBy: "Age"},
		"InvalidParameterException: The specified nextToken is invalid.": {NextToken: "none"},
	} {
		in.LogGroupName = group
		_, err := s.DescribeLogStreams(session, in)
		awstest.WantError(t, err, want)
	}
}

func TestAway(t *testing.T) {
	s, session, _ := newService(t, everything)
	s.SetAway(true)
	if err := s.CreateLogStream(session, CreateLogStreamInput{group, "web"}); !errors.Is(err, ErrAway) {
		t.Errorf("error %v, want that nobody answers", err)
	}
	s.SetAway(false)
	s.write(t, session, "web", time.Now(), "hello")
}
