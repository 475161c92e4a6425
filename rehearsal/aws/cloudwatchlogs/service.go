// Package cloudwatchlogs stands in for Amazon CloudWatch Logs: the log groups that the stack declares, with streams of
// events in memory. Each call is decided by the caller's declared policies. It has no metrics, subscriptions, queries
// and deletions.
//
// Sources are the service model (2014-03-28) and the CloudWatch Logs User Guide. Where neither has the text of an
// error, it is as users report it.
package cloudwatchlogs

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"sync"
	"time"

	"cicd/rehearsal/aws/account"
	"cicd/rehearsal/aws/awserror"
	"cicd/rehearsal/aws/iam"
)

// ErrAway says that nobody answers, see SetAway.
var ErrAway = errors.New("CloudWatch Logs cannot be reached")

// invalid is this service's name for a value that breaks a constraint.
const invalid = "InvalidParameterException"

// Service holds the log streams of an account. It is safe for concurrent use.
type Service struct {
	account   *account.Account
	authority *iam.Authority

	mu     sync.Mutex
	away   bool
	groups map[string]map[string]*stream // by names of group and stream
	events int64                         // how many there have been, of all streams
}

// stream is a log stream.
type stream struct {
	name     string
	created  time.Time
	ingested time.Time
	events   []event // by id
}

// event is an event of a stream.
type event struct {
	id        eventID
	stream    string
	message   string
	timestamp int64 // milliseconds since 1970
	ingested  int64
}

// eventID orders events by their time, and those of one instant by when they came.
type eventID struct{ timestamp, number int64 }

func (id eventID) String() string { return fmt.Sprintf("%028d%028d", id.timestamp, id.number) }

func (id eventID) compare(other eventID) int {
	return slices.Compare([]int64{id.timestamp, id.number}, []int64{other.timestamp, other.number})
}

// New returns a service without streams.
func New(acct *account.Account, authority *iam.Authority) *Service {
	return &Service{account: acct, authority: authority, groups: map[string]map[string]*stream{}}
}

// SetAway makes the service unreachable, or reachable again. While it is away, each call returns ErrAway, and clients
// of the API find that their connections are closed.
func (s *Service) SetAway(away bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.away = away
}

// Away reports whether the service is unreachable.
func (s *Service) Away() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.away
}

// The forms of names (service model, LogGroupName and LogStreamName).
var (
	groupForm  = regexp.MustCompile(`^[.\-_/#A-Za-z0-9]{1,512}$`)
	streamForm = regexp.MustCompile(`^[^:*]{1,512}$`)
)

// enter begins a call: it checks the names and asks IAM. streamName is "" for a call on the whole group, whose resource
// has an empty stream then, as AWS's denials show. Only then does a caller learn whether the group exists.
func (s *Service) enter(session iam.Session, action, groupName, streamName string) (account.Resource, error) {
	if s.Away() {
		return account.Resource{}, ErrAway
	}
	switch {
	case !groupForm.MatchString(groupName):
		return account.Resource{}, awserror.Constraint(invalid, groupName, "logGroupName", `Member must satisfy regular expression pattern: [\.\-_/#A-Za-z0-9]+`)
	case streamName != "" && !streamForm.MatchString(streamName):
		return account.Resource{}, awserror.Constraint(invalid, streamName, "logStreamName", "Member must satisfy regular expression pattern: [^:*]*")
	}
	if err := s.authority.Authorize(session, action, s.arn(groupName, streamName)); err != nil {
		return account.Resource{}, awserror.Denied(err)
	}
	group, ok := s.account.Find(account.LogGroup, "name", groupName)
	if !ok {
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.groups, groupName)
		return account.Resource{}, awserror.New("ResourceNotFoundException", "The specified log group does not exist.")
	}
	return group, nil
}

// arn returns the ARN of a stream.
func (s *Service) arn(group, stream string) string {
	return s.account.ARN("logs", "log-group:"+group+":log-stream:"+stream)
}

// one returns a stream, with the lock held.
func (s *Service) one(group, name string) (*stream, error) {
	found, ok := s.groups[group][name]
	if !ok {
		return nil, awserror.New("ResourceNotFoundException", "The specified log stream does not exist.")
	}
	return found, nil
}

// CreateLogStreamInput names a new stream.
type CreateLogStreamInput struct {
	LogGroupName  string `json:"logGroupName"`
	LogStreamName string `json:"logStreamName"`
}

// CreateLogStream makes a stream, with logs:CreateLogStream.
func (s *Service) CreateLogStream(session iam.Session, in CreateLogStreamInput) error {
	if in.LogStreamName == "" {
		return awserror.Constraint(invalid, "", "logStreamName", "Member must have length greater than or equal to 1")
	}
	if _, err := s.enter(session, "logs:CreateLogStream", in.LogGroupName, in.LogStreamName); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.groups[in.LogGroupName] == nil {
		s.groups[in.LogGroupName] = map[string]*stream{}
	}
	if _, ok := s.groups[in.LogGroupName][in.LogStreamName]; ok {
		return awserror.New("ResourceAlreadyExistsException", "The specified log stream already exists")
	}
	s.groups[in.LogGroupName][in.LogStreamName] = &stream{name: in.LogStreamName, created: time.Now()}
	return nil
}
