package ec2

import (
	"maps"
	"slices"

	"cicd/rehearsal/aws/account"
	"cicd/rehearsal/aws/awserror"
	"cicd/rehearsal/aws/iam"
)

// PowerInput names the instances to stop or to start.
type PowerInput struct {
	InstanceIDs []string `query:"InstanceId"`
}

// PowerOutput says what becomes of each instance.
type PowerOutput struct {
	Instances []stateChange `xml:"instancesSet>item"`
}

type stateChange struct {
	InstanceID    string        `xml:"instanceId"`
	CurrentState  instanceState `xml:"currentState"`
	PreviousState instanceState `xml:"previousState"`
}

// StopInstances stops instances, with ec2:StopInstances on each. One that is stopped already stays so, and one that starts
// stops once it has started (awsdocs/amazon-ec2-user-guide#67; EC2 refuses that only for one that has never run,
// cloud-custodian/cloud-custodian#6014).
func (s *Service) StopInstances(session iam.Session, in PowerInput) (PowerOutput, error) {
	return s.power(session, "ec2:StopInstances", in, stopping, stopped, s.ShutDown, func(string) bool { return true })
}

// StartInstances starts instances, with ec2:StartInstances on each. One that runs already goes on.
func (s *Service) StartInstances(session iam.Session, in PowerInput) (PowerOutput, error) {
	return s.power(session, "ec2:StartInstances", in, pending, running, s.Boot, func(now string) bool { return now != stopping })
}

// power takes instances to a state, over another while do works. can reports whether that is possible from a state.
func (s *Service) power(session iam.Session, action string, in PowerInput, over, to string, do func(instanceID string), can func(now string) bool) (PowerOutput, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	found, err := s.authorized(session, action, in.InstanceIDs)
	if err != nil {
		return PowerOutput{}, err
	}
	for _, r := range found {
		if !can(state(r)) { // the message as in the issue cloud-custodian/cloud-custodian#3143 and others
			return PowerOutput{}, awserror.New("IncorrectInstanceState", "The instance '%s' is not in a state from which it can be started.", r.ID)
		}
	}
	var out PowerOutput
	for _, r := range found {
		before, now := state(r), over
		if before == over || before == to {
			now = before
		} else {
			s.Account.Set(account.Instance, r.ID, stateProperty, over)
			s.afterwards(r.ID, func() { do(r.ID); s.settle(r.ID, over, to) })
		}
		out.Instances = append(out.Instances, stateChange{r.ID, stateOf(now), stateOf(before)})
	}
	return out, nil
}

// afterwards does something with an instance once what was begun before has ended. The lock must be held.
func (s *Service) afterwards(id string, do func()) {
	before, ended := s.changing[id], make(chan struct{})
	if s.changing == nil {
		s.changing = map[string]chan struct{}{}
	}
	s.changing[id] = ended
	s.working.Go(func() {
		defer close(ended)
		if before != nil {
			<-before
		}
		do()
	})
}

// settle ends a change of an instance's state, unless another has begun meanwhile.
func (s *Service) settle(id, over, to string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r, ok := s.Account.Find(account.Instance, "id", id); ok && state(r) == over {
		s.Account.Set(account.Instance, id, stateProperty, to)
	}
}

// authorized returns instances on each of which the session may perform the action. The policies see their tags and more
// (Service Authorization Reference, Amazon EC2, resource type instance; other keys of it are not known here).
func (s *Service) authorized(session iam.Session, action string, ids []string) ([]account.Resource, error) {
	if len(ids) == 0 { // the message is from memory
		return nil, awserror.New("MissingParameter", "The request must contain the parameter InstanceId")
	}
	for _, id := range slices.Compact(slices.Sorted(slices.Values(ids))) {
		if r, ok := s.Account.Find(account.Instance, "id", id); ok {
			session.Keys = iam.ResourceTags(tagsOf(r), "aws", "ec2")
			maps.Copy(session.Keys, map[string][]string{"ec2:InstanceID": {id}, "ec2:InstanceType": {r.String("instanceType")}, "ec2:AvailabilityZone": {r.String("availabilityZone")}})
		} else {
			session.Keys = iam.ResourceTags(nil, "aws", "ec2")
		}
		if err := s.Authority.Authorize(session, action, s.Account.ARN("ec2", "instance/"+id)); err != nil {
			return nil, awserror.Denied(err)
		}
	}
	return s.named(ids)
}

// Close returns once no instance is being stopped or started any more.
func (s *Service) Close() error {
	s.working.Wait()
	return nil
}
