package cloudwatchlogs

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"cicd/rehearsal/aws/awserror"
	"cicd/rehearsal/aws/iam"
)

// A page has at most this many events, and this many bytes of messages (service model, GetLogEvents and
// FilterLogEvents).
const (
	pageLimit = 10_000
	pageSize  = 1 << 20
)

// GetLogEventsInput asks for events of a stream.
type GetLogEventsInput struct {
	LogGroupName  string `json:"logGroupName"`
	LogStreamName string `json:"logStreamName"`
	// StartTime is included, EndTime is not; both in milliseconds since 1970, nil for no limit.
	StartTime *int64 `json:"startTime"`
	EndTime   *int64 `json:"endTime"`
	NextToken string `json:"nextToken"`
	// Limit is 1 to 10,000; nil for as many as fit.
	Limit *int `json:"limit"`
	// StartFromHead asks for the earliest events rather than the latest.
	StartFromHead bool `json:"startFromHead"`
}

// GetLogEventsOutput is a page of events, in order of time. A token that does not change says that there are no more.
type GetLogEventsOutput struct {
	Events            []OutputLogEvent `json:"events"`
	NextForwardToken  string           `json:"nextForwardToken"`
	NextBackwardToken string           `json:"nextBackwardToken"`
}

// OutputLogEvent is a stored event. Times are in milliseconds since 1970.
type OutputLogEvent struct {
	Timestamp     int64  `json:"timestamp"`
	Message       string `json:"message"`
	IngestionTime int64  `json:"ingestionTime"`
}

// GetLogEvents returns events of one stream, with logs:GetLogEvents.
func (s *Service) GetLogEvents(session iam.Session, in GetLogEventsInput) (GetLogEventsOutput, error) {
	if in.LogStreamName == "" {
		return GetLogEventsOutput{}, awserror.Constraint(invalid, "", "logStreamName", "Member must have length greater than or equal to 1")
	}
	if _, err := s.enter(session, "logs:GetLogEvents", in.LogGroupName, in.LogStreamName); err != nil {
		return GetLogEventsOutput{}, err
	}
	limit, err := limitOf(in.Limit, pageLimit)
	if err != nil {
		return GetLogEventsOutput{}, err
	}
	at, err := parsePosition(in.NextToken)
	if err != nil {
		return GetLogEventsOutput{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	from, err := s.one(in.LogGroupName, in.LogStreamName)
	if err != nil {
		return GetLogEventsOutput{}, err
	}
	events := between(from.events, in.StartTime, in.EndTime)
	forward := in.StartFromHead
	if at != nil {
		forward = at.forward
		events = slices.DeleteFunc(events, func(e event) bool { return !at.reaches(e.id) })
	}
	page := pageFrom(events, limit, forward)
	out := GetLogEventsOutput{Events: []OutputLogEvent{}}
	for _, e := range page {
		out.Events = append(out.Events, OutputLogEvent{e.timestamp, e.message, e.ingested})
	}
	out.NextForwardToken, out.NextBackwardToken = tokens(page, at)
	return out, nil
}

// between returns a copy of the events in a range of time.
func between(events []event, start, end *int64) []event {
	return slices.DeleteFunc(slices.Clone(events), func(e event) bool {
		return start != nil && e.timestamp < *start || end != nil && e.timestamp >= *end
	})
}

// limitOf returns how many results a caller wants.
func limitOf(limit *int, most int) (int, error) {
	switch {
	case limit == nil:
		return most, nil
	case *limit < 1:
		return 0, awserror.Constraint(invalid, *limit, "limit", "Member must have value greater than or equal to 1")
	case *limit > most:
		return 0, awserror.Constraint(invalid, *limit, "limit", fmt.Sprintf("Member must have value less than or equal to %d", most))
	}
	return *limit, nil
}

// pageFrom returns as many events as a page has room for, from the first one or up to the last one.
func pageFrom(events []event, limit int, forward bool) []event {
	if !forward {
		events = slices.Clone(events)
		slices.Reverse(events)
	}
	size, n := 0, 0
	for n < min(limit, len(events)) && (n == 0 || size+len(events[n].message) <= pageSize) {
		size += len(events[n].message)
		n++
	}
	page := slices.Clone(events[:n])
	if !forward {
		slices.Reverse(page)
	}
	return page
}

// position is where a token of GetLogEvents goes on: after an event or, backward, before it.
type position struct {
	forward bool
	id      eventID
}

func (p position) String() string {
	return map[bool]string{true: "f/", false: "b/"}[p.forward] + p.id.String()
}

func (p position) reaches(id eventID) bool { return (id.compare(p.id) > 0) == p.forward && id != p.id }

// parsePosition returns nil for no token.
func parsePosition(token string) (*position, error) {
	if token == "" {
		return nil, nil
	}
	direction, number, _ := strings.Cut(token, "/")
	id, err := parseID(number)
	if err != nil || direction != "f" && direction != "b" {
		return nil, errToken
	}
	return &position{direction == "f", id}, nil
}

var errToken = awserror.New(invalid, "The specified nextToken is invalid.")

func parseID(text string) (eventID, error) {
	var id eventID
	if len(text) != len(id.String()) {
		return id, errToken
	}
	_, err := fmt.Sscanf(text, "%28d%28d", &id.timestamp, &id.number)
	return id, err
}

// tokens returns where to go on after a page, in both directions; at is where it began. After a page without events,
// they stay where they were: there may be more later.
func tokens(page []event, at *position) (forward, backward string) {
	var first, last eventID
	switch {
	case len(page) > 0:
		first, last = page[0].id, page[len(page)-1].id
	case at != nil && at.forward:
		first, last = eventID{at.id.timestamp, at.id.number + 1}, at.id
	case at != nil:
		first, last = at.id, eventID{at.id.timestamp, max(0, at.id.number-1)}
	}
	return position{true, last}.String(), position{false, first}.String()
}

// DescribeLogStreamsInput asks for the streams of a group.
type DescribeLogStreamsInput struct {
	LogGroupName        string `json:"logGroupName"`
	LogStreamNamePrefix string `json:"logStreamNamePrefix"`
	// OrderBy is LogStreamName (the default) or LastEventTime, which does not go with a prefix.
	OrderBy    string `json:"orderBy"`
	Descending bool   `json:"descending"`
	NextToken  string `json:"nextToken"`
	// Limit is 1 to 50; nil for 50.
	Limit *int `json:"limit"`
}

// DescribeLogStreamsOutput is a page of streams.
type DescribeLogStreamsOutput struct {
	LogStreams []LogStream `json:"logStreams"`
	NextToken  string      `json:"nextToken,omitempty"`
}

// LogStream is a stream. Times are in milliseconds since 1970, 0 without events.
type LogStream struct {
	LogStreamName       string `json:"logStreamName"`
	CreationTime        int64  `json:"creationTime"`
	FirstEventTimestamp int64  `json:"firstEventTimestamp,omitempty"`
	LastEventTimestamp  int64  `json:"lastEventTimestamp,omitempty"`
	LastIngestionTime   int64  `json:"lastIngestionTime,omitempty"`
	Arn                 string `json:"arn"`
	StoredBytes         int64  `json:"storedBytes"` // always 0: "no longer supported"
}

// DescribeLogStreams lists the streams of a group, with logs:DescribeLogStreams.
func (s *Service) DescribeLogStreams(session iam.Session, in DescribeLogStreamsInput) (DescribeLogStreamsOutput, error) {
	if _, err := s.enter(session, "logs:DescribeLogStreams", in.LogGroupName, ""); err != nil {
		return DescribeLogStreamsOutput{}, err
	}
	byTime := in.OrderBy == "LastEventTime"
	switch {
	case in.OrderBy != "" && in.OrderBy != "LogStreamName" && !byTime:
		return DescribeLogStreamsOutput{}, awserror.Constraint(invalid, in.OrderBy, "orderBy", "Member must satisfy enum value set: [LogStreamName, LastEventTime]")
	case byTime && in.LogStreamNamePrefix != "":
		return DescribeLogStreamsOutput{}, awserror.New(invalid, "Cannot order by LastEventTime with a logStreamNamePrefix.")
	}
	limit, err := limitOf(in.Limit, 50)
	if err != nil {
		return DescribeLogStreamsOutput{}, err
	}
	streams := s.streams(in.LogGroupName, func(name string) bool { return strings.HasPrefix(name, in.LogStreamNamePrefix) })
	slices.SortFunc(streams, func(a, b LogStream) int {
		order := strings.Compare(a.LogStreamName, b.LogStreamName)
		if byTime {
			order = cmp.Or(cmp.Compare(a.LastEventTimestamp, b.LastEventTimestamp), order)
		}
		if in.Descending {
			order = -order
		}
		return order
	})
	if in.NextToken != "" { // the name of the last stream of the page before
		i := slices.IndexFunc(streams, func(one LogStream) bool { return one.LogStreamName == in.NextToken })
		if i < 0 {
			return DescribeLogStreamsOutput{}, errToken
		}
		streams = streams[i+1:]
	}
	if len(streams) <= limit {
		return DescribeLogStreamsOutput{LogStreams: streams}, nil
	}
	return DescribeLogStreamsOutput{streams[:limit], streams[limit-1].LogStreamName}, nil
}

// streams returns what is known of the streams of a group that are wanted.
func (s *Service) streams(group string, wanted func(name string) bool) []LogStream {
	s.mu.Lock()
	defer s.mu.Unlock()
	streams := []LogStream{}
	for name, one := range s.groups[group] {
		if !wanted(name) {
			continue
		}
		described := LogStream{LogStreamName: name, CreationTime: one.created.UnixMilli(), Arn: s.arn(group, name)}
		if n := len(one.events); n > 0 {
			described.FirstEventTimestamp, described.LastEventTimestamp = one.events[0].timestamp, one.events[n-1].timestamp
			described.LastIngestionTime = one.ingested.UnixMilli()
		}
		streams = append(streams, described)
	}
	return streams
}
