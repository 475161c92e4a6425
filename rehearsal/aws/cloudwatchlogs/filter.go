package cloudwatchlogs

import (
	"slices"
	"strings"

	"cicd/rehearsal/aws/awserror"
	"cicd/rehearsal/aws/iam"
)

// FilterLogEventsInput asks for events of several streams of a group; all of them, unless names or a prefix say which.
type FilterLogEventsInput struct {
	LogGroupName        string   `json:"logGroupName"`
	LogStreamNames      []string `json:"logStreamNames"`
	LogStreamNamePrefix string   `json:"logStreamNamePrefix"`
	// StartTime is included, EndTime is not; both in milliseconds since 1970, nil for no limit.
	StartTime *int64 `json:"startTime"`
	EndTime   *int64 `json:"endTime"`
	// FilterPattern is of terms, see parsePattern; "" for every event.
	FilterPattern string `json:"filterPattern"`
	NextToken     string `json:"nextToken"`
	// Limit is 1 to 10,000; nil for 10,000.
	Limit *int `json:"limit"`
	// Interleaved is ignored, as it is in AWS: events of all streams are in order of time.
	Interleaved bool `json:"interleaved"`
}

// FilterLogEventsOutput is a page of events, in order of time. Without a token, there are no more.
type FilterLogEventsOutput struct {
	Events []FilteredLogEvent `json:"events"`
	// SearchedLogStreams is always empty, as it is in AWS.
	SearchedLogStreams []string `json:"searchedLogStreams"`
	NextToken          string   `json:"nextToken,omitempty"`
}

// FilteredLogEvent is an event that matches. Times are in milliseconds since 1970.
type FilteredLogEvent struct {
	LogStreamName string `json:"logStreamName"`
	Timestamp     int64  `json:"timestamp"`
	Message       string `json:"message"`
	IngestionTime int64  `json:"ingestionTime"`
	EventID       string `json:"eventId"`
}

// FilterLogEvents returns events of a group, with logs:FilterLogEvents.
func (s *Service) FilterLogEvents(session iam.Session, in FilterLogEventsInput) (FilterLogEventsOutput, error) {
	if _, err := s.enter(session, "logs:FilterLogEvents", in.LogGroupName, ""); err != nil {
		return FilterLogEventsOutput{}, err
	}
	limit, err := limitOf(in.Limit, pageLimit)
	if err != nil {
		return FilterLogEventsOutput{}, err
	}
	pattern, err := parsePattern(in.FilterPattern)
	if err != nil {
		return FilterLogEventsOutput{}, err
	}
	events, err := s.search(in)
	if err != nil {
		return FilterLogEventsOutput{}, err
	}
	events = slices.DeleteFunc(between(events, in.StartTime, in.EndTime), func(e event) bool { return !pattern.matches(e.message) })
	if in.NextToken != "" {
		last, err := parseID(in.NextToken)
		if err != nil {
			return FilterLogEventsOutput{}, errToken
		}
		events = slices.DeleteFunc(events, func(e event) bool { return e.id.compare(last) <= 0 })
	}
	page := pageFrom(events, limit, true)
	out := FilterLogEventsOutput{Events: []FilteredLogEvent{}, SearchedLogStreams: []string{}}
	for _, e := range page {
		out.Events = append(out.Events, FilteredLogEvent{e.stream, e.timestamp, e.message, e.ingested, e.id.String()})
	}
	if len(page) < len(events) {
		out.NextToken = page[len(page)-1].id.String()
	}
	return out, nil
}

// search returns the events of the streams that are asked for, in order of time.
func (s *Service) search(in FilterLogEventsInput) ([]event, error) {
	switch {
	case len(in.LogStreamNames) > 0 && in.LogStreamNamePrefix != "":
		return nil, awserror.New(invalid, "logStreamNames and logStreamNamePrefix are mutually exclusive parameters.")
	case len(in.LogStreamNames) > 100:
		return nil, awserror.Constraint(invalid, "["+strings.Join(in.LogStreamNames, ", ")+"]", "logStreamNames", "Member must have length less than or equal to 100")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	var events []event
	for _, name := range in.LogStreamNames {
		if _, err := s.one(in.LogGroupName, name); err != nil {
			return nil, err
		}
	}
	for name, one := range s.groups[in.LogGroupName] {
		if strings.HasPrefix(name, in.LogStreamNamePrefix) && (len(in.LogStreamNames) == 0 || slices.Contains(in.LogStreamNames, name)) {
			events = append(events, one.events...)
		}
	}
	slices.SortFunc(events, func(a, b event) int { return a.id.compare(b.id) })
	return events, nil
}
