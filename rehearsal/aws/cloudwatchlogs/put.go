package cloudwatchlogs

import (
	"fmt"
	"slices"
	"time"

	"cicd/rehearsal/aws/account"
	"cicd/rehearsal/aws/awserror"
	"cicd/rehearsal/aws/iam"
)

// The limits of a batch (service model, PutLogEvents). Sizes are in bytes of UTF-8.
const (
	batchLimit    = 10_000
	batchSize     = 1_048_576
	eventOverhead = 26 // counts for each event
	batchSpan     = 24 * time.Hour
	oldest        = 14 * 24 * time.Hour
	newest        = 2 * time.Hour
)

// InputLogEvent is an event to be stored.
type InputLogEvent struct {
	// Timestamp is in milliseconds since 1970.
	Timestamp int64  `json:"timestamp"`
	Message   string `json:"message"`
}

// PutLogEventsInput is a batch of events for a stream, in order of time.
type PutLogEventsInput struct {
	LogGroupName  string          `json:"logGroupName"`
	LogStreamName string          `json:"logStreamName"`
	LogEvents     []InputLogEvent `json:"logEvents"`
	// SequenceToken is ignored, as it is in AWS.
	SequenceToken string `json:"sequenceToken"`
}

// PutLogEventsOutput says which events were not stored.
type PutLogEventsOutput struct {
	RejectedLogEventsInfo *RejectedLogEventsInfo `json:"rejectedLogEventsInfo,omitempty"`
}

// RejectedLogEventsInfo has indexes of events: of the first that is too new, and those after the last that is too old
// and the last that has expired.
type RejectedLogEventsInfo struct {
	TooNewLogEventStartIndex *int `json:"tooNewLogEventStartIndex,omitempty"`
	TooOldLogEventEndIndex   *int `json:"tooOldLogEventEndIndex,omitempty"`
	ExpiredLogEventEndIndex  *int `json:"expiredLogEventEndIndex,omitempty"`
}

// PutLogEvents stores events, with logs:PutLogEvents.
func (s *Service) PutLogEvents(session iam.Session, in PutLogEventsInput) (PutLogEventsOutput, error) {
	group, err := s.enter(session, "logs:PutLogEvents", in.LogGroupName, in.LogStreamName)
	if err != nil {
		return PutLogEventsOutput{}, err
	}
	if err := checkBatch(in.LogEvents); err != nil {
		return PutLogEventsOutput{}, err
	}
	now := time.Now()
	rejected, first, end := window(in.LogEvents, now, retention(group))
	accepted := in.LogEvents[first:end]
	if n := len(accepted); n > 0 && accepted[n-1].Timestamp-accepted[0].Timestamp > batchSpan.Milliseconds() {
		return PutLogEventsOutput{}, awserror.New(invalid, "The batch of log events in a single PutLogEvents request cannot span more than 24 hours.")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	to, err := s.one(in.LogGroupName, in.LogStreamName)
	if err != nil {
		return PutLogEventsOutput{}, err
	}
	for _, e := range accepted {
		s.events++
		to.events = append(to.events, event{id: eventID{e.Timestamp, s.events}, stream: to.name, message: e.Message,
			timestamp: e.Timestamp, ingested: now.UnixMilli()})
	}
	slices.SortFunc(to.events, func(a, b event) int { return a.id.compare(b.id) })
	to.ingested = now
	return PutLogEventsOutput{rejected}, nil
}

// checkBatch checks a batch. The text for its size is from nhs-england-tools/terraform-aws-opennext issue 27; that for
// its order is as authors of clients quote it.
func checkBatch(events []InputLogEvent) error {
	switch {
	case len(events) == 0:
		return awserror.Constraint(invalid, "[]", "logEvents", "Member must have length greater than or equal to 1")
	case len(events) > batchLimit:
		return awserror.Constraint(invalid, fmt.Sprintf("%d events", len(events)), "logEvents", "Member must have length less than or equal to 10000")
	}
	size := 0
	for i, e := range events {
		size += len(e.Message) + eventOverhead
		switch {
		case e.Message == "":
			return awserror.Constraint(invalid, "", fmt.Sprintf("logEvents.%d.member.message", i+1), "Member must have length greater than or equal to 1")
		case e.Timestamp < 0:
			return awserror.Constraint(invalid, e.Timestamp, fmt.Sprintf("logEvents.%d.member.timestamp", i+1), "Member must have value greater than or equal to 0")
		case i > 0 && e.Timestamp < events[i-1].Timestamp:
			return awserror.New(invalid, "Log events in a single PutLogEvents request must be in chronological order.")
		}
	}
	if size > batchSize {
		return awserror.New(invalid, "Upload too large: %d bytes exceeds limit of %d", size, batchSize)
	}
	return nil
}

// retention returns how long a group keeps events; 0 for ever.
func retention(group account.Resource) time.Duration {
	days, _ := group.Properties["retentionInDays"].(float64)
	return time.Duration(days) * 24 * time.Hour
}

// window returns which events of a batch are stored, those from first to before end, and what is said of the others.
func window(events []InputLogEvent, now time.Time, kept time.Duration) (rejected *RejectedLogEventsInfo, first, end int) {
	before := func(t time.Time) int {
		i, _ := slices.BinarySearchFunc(events, t.UnixMilli(), func(e InputLogEvent, limit int64) int { return int(min(1, max(-1, e.Timestamp-limit))) })
		return i
	}
	var info RejectedLogEventsInfo
	if old := before(now.Add(-oldest)); old > 0 {
		info.TooOldLogEventEndIndex, first = &old, old
	}
	if kept > 0 {
		if expired := before(now.Add(-kept)); expired > first {
			info.ExpiredLogEventEndIndex, first = &expired, expired
		}
	}
	end = len(events)
	if early := before(now.Add(newest + time.Millisecond)); early < end {
		info.TooNewLogEventStartIndex, end = &early, early
	}
	if info == (RejectedLogEventsInfo{}) {
		return nil, first, end
	}
	return &info, first, end
}
