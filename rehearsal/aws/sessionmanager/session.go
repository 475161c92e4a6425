package sessionmanager

import (
	"cmp"
	"crypto/rand"
	"encoding/hex"

	"github.com/aws/aws-sdk-go-v2/aws/arn"

	"cicd/rehearsal/aws/account"
	"cicd/rehearsal/aws/awserror"
	"cicd/rehearsal/aws/iam"
)

// session is a session that has begun.
type session struct {
	token   string
	command Command
	ended   chan struct{} // closed at its end
}

// StartSessionInput asks for a session with an instance.
type StartSessionInput struct {
	Target       string
	DocumentName string
	Parameters   map[string][]string
	Reason       string
}

// StartSessionOutput says how to connect to the session.
type StartSessionOutput struct {
	SessionID  string `json:"SessionId"`
	TokenValue string
	StreamURL  string `json:"StreamUrl"`
}

// StartSession begins a session, with ssm:StartSession on the instance, and on the document if the caller names one
// (Systems Manager User Guide, "Start a session with a document by specifying the session documents in IAM policies").
func (s *Service) StartSession(caller iam.Session, in StartSessionInput) (StartSessionOutput, error) {
	if n := len(in.Target); n < 1 || n > 400 {
		return StartSessionOutput{}, awserror.Constraint("ValidationException", in.Target, "target", "Member must have length between 1 and 400, inclusive")
	}
	name := cmp.Or(in.DocumentName, defaultDocument)
	d, known := documents[name]
	if err := s.authorizeStart(caller, in, d.account); err != nil {
		return StartSessionOutput{}, awserror.Denied(err)
	}
	if !known {
		return StartSessionOutput{}, awserror.New("InvalidDocument", "Document with name %s does not exist, or a rehearsal does not have it.", name)
	}
	values, err := d.values(name, in.Parameters)
	if err != nil {
		return StartSessionOutput{}, err
	}
	command, err := d.command(values)
	if err != nil {
		return StartSessionOutput{}, err
	}
	host, ok := s.connected(in.Target)
	if !ok {
		return StartSessionOutput{}, awserror.New("TargetNotConnected", "%s is not connected.", in.Target)
	}
	command.Environment, command.Folder = host.Environment, host.Folder
	return s.begin(caller, command), nil
}

// authorizeStart asks IAM about a new session. An instance has its tags as condition keys.
func (s *Service) authorizeStart(caller iam.Session, in StartSessionInput, own bool) error {
	onInstance := caller
	onInstance.Keys = map[string][]string{}
	if r, ok := s.Account.Find(account.Instance, "id", in.Target); ok {
		has, err := tags(r)
		if err != nil {
			return err
		}
		for key, value := range has {
			onInstance.Keys["aws:ResourceTag/"+key], onInstance.Keys["ssm:resourceTag/"+key] = []string{value}, []string{value}
		}
	}
	if err := s.Authority.Authorize(onInstance, "ssm:StartSession", s.Account.ARN("ec2", "instance/"+in.Target)); err != nil || in.DocumentName == "" {
		return err
	}
	owner := ""
	if own {
		owner = s.Account.ID()
	}
	document := arn.ARN{Partition: s.Account.Partition(), Service: "ssm", Region: s.Account.Region(), AccountID: owner, Resource: "document/" + in.DocumentName}
	return s.Authority.Authorize(caller, "ssm:StartSession", document.String())
}

// begin records a session. Its ID begins with the caller's name (Systems Manager User Guide, "Additional sample IAM
// policies for Session Manager", example 4).
func (s *Service) begin(caller iam.Session, command Command) StartSessionOutput {
	random := make([]byte, 9)
	rand.Read(random) // never fails, see crypto/rand
	id, token := caller.Name+"-0"+hex.EncodeToString(random)[:16], rand.Text()+rand.Text()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.sessions == nil {
		s.sessions = map[string]*session{}
	}
	s.sessions[id] = &session{token: token, command: command, ended: make(chan struct{})}
	return StartSessionOutput{SessionID: id, TokenValue: token, StreamURL: s.URL + channelPath + id}
}

// TerminateSessionInput names a session.
type TerminateSessionInput struct {
	SessionID string `json:"SessionId"`
}

// TerminateSessionOutput repeats it.
type TerminateSessionOutput struct {
	SessionID string `json:"SessionId"`
}

// TerminateSession ends a session, with ssm:TerminateSession on it: what runs in it is killed. The error for a session that
// never was is that of ResumeSession; the service model has none for this.
func (s *Service) TerminateSession(caller iam.Session, in TerminateSessionInput) (TerminateSessionOutput, error) {
	if err := s.Authority.Authorize(caller, "ssm:TerminateSession", s.Account.ARN("ssm", "session/"+in.SessionID)); err != nil {
		return TerminateSessionOutput{}, awserror.Denied(err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	one, ok := s.sessions[in.SessionID]
	if !ok {
		return TerminateSessionOutput{}, awserror.New("DoesNotExistException", "Session %s does not exist", in.SessionID)
	}
	one.end()
	return TerminateSessionOutput(in), nil
}

// end ends the session, if it goes on. The service's lock must be held.
func (o *session) end() {
	select {
	case <-o.ended:
	default:
		close(o.ended)
	}
}

// Close ends all sessions.
func (s *Service) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, one := range s.sessions {
		one.end()
	}
	return nil
}
