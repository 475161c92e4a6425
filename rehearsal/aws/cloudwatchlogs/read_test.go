package cloudwatchlogs

import (
	"slices"
	"strings"
	"testing"
	"time"

	"cicd/rehearsal/aws/awstest"
	"cicd/rehearsal/aws/iam"
)

// messages follows the tokens in one direction until they do not change.
func (s *Service) messages(t *testing.T, session iam.Session, in GetLogEventsInput) (pages []string) {
	t.Helper()
	for {
		out, err := s.GetLogEvents(session, in)
		if err != nil {
			t.Fatal(err)
		}
		var page string
		for _, e := range out.Events {
			page += e.Message
		}
		next := out.NextBackwardToken
		if in.StartFromHead {
			next = out.NextForwardToken
		}
		if next == in.NextToken {
			return pages
		}
		pages, in.NextToken = append(pages, page), next
	}
}

func TestGetLogEvents(t *testing.T) {
	s, session, _ := newService(t, everything)
	start := time.Now().Add(-time.Hour)
	s.write(t, session, "web", start, "a", "b", "c", "d", "e")
	two := 2
	in := GetLogEventsInput{LogGroupName: group, LogStreamName: "web", Limit: &two, StartFromHead: true}
	if got, want := s.messages(t, session, in), []string{"ab", "cd", "e"}; !slices.Equal(got, want) {
		t.Errorf("from the head: %q, want %q", got, want)
	}
	in.StartFromHead = false
	if got, want := s.messages(t, session, in), []string{"de", "bc", "a"}; !slices.Equal(got, want) {
		t.Errorf("from the tail: %q, want %q", got, want)
	}
	from, to := start.Add(time.Second).UnixMilli(), start.Add(3*time.Second).UnixMilli()
	out, err := s.GetLogEvents(session, GetLogEventsInput{LogGroupName: group, LogStreamName: "web", StartTime: &from, EndTime: &to})
	if err != nil || len(out.Events) != 2 || out.Events[0].Message != "b" || out.Events[0].Timestamp != from || out.Events[0].IngestionTime < from {
		t.Errorf("from b up to d: %+v, %v", out, err)
	}

	// Who has read everything and comes back gets what is new, also if its time is earlier than that of others.
	in = GetLogEventsInput{LogGroupName: group, LogStreamName: "web", StartFromHead: true}
	all, err := s.GetLogEvents(session, in)
	if err != nil {
		t.Fatal(err)
	}
	in.NextToken = all.NextForwardToken
	nothing, err := s.GetLogEvents(session, in)
	if err != nil || len(nothing.Events) > 0 || nothing.NextForwardToken != in.NextToken {
		t.Errorf("after the end: %+v, %v", nothing, err)
	}
	s.write(t, session, "web", start.Add(4*time.Second), "f")
	more, err := s.GetLogEvents(session, in)
	if err != nil || len(more.Events) != 1 || more.Events[0].Message != "f" {
		t.Errorf("after f was added: %+v, %v", more, err)
	}
	back, err := s.GetLogEvents(session, GetLogEventsInput{LogGroupName: group, LogStreamName: "web", NextToken: nothing.NextBackwardToken})
	if err != nil || len(back.Events) != 5 {
		t.Errorf("back from the end: %+v, %v", back, err)
	}

	zero, many := 0, 10_001
	for want, in := range map[string]GetLogEventsInput{
		"ResourceNotFoundException: The specified log stream does not exist.":            {LogStreamName: "worker"},
		"InvalidParameterException: The specified nextToken is invalid.":                 {LogStreamName: "web", NextToken: "f/1"},
		"InvalidParameterException: 1 validation error detected: Value '' at":            {},
		"InvalidParameterException: 1 validation error detected: Value '0' at 'limit'":   {LogStreamName: "web", Limit: &zero},
		"InvalidParameterException: 1 validation error detected: Value '10001' at 'limi": {LogStreamName: "web", Limit: &many},
	} {
		in.LogGroupName = group
		_, err := s.GetLogEvents(session, in)
		awstest.WantError(t, err, want)
	}
}

// A page has a megabyte of messages, and at least one event.
func TestPagesBySize(t *testing.T) {
	s, session, _ := newService(t, everything)
	large := strings.Repeat("x", 600<<10)
	for n := range 3 {
		s.write(t, session, "web", time.Now().Add(time.Duration(n)*time.Second), large)
	}
	if pages := s.messages(t, session, GetLogEventsInput{LogGroupName: group, LogStreamName: "web", StartFromHead: true}); len(pages) != 3 {
		t.Errorf("%d pages, want one for each event", len(pages))
	}
}
