package codedeploy

import "slices"

// carryOut runs d to its end, then the rollback that the group asks for. The group stays busy in between.
func (s *Service) carryOut(d *Deployment, state *groupState) {
	status, failure := s.deploy(d)
	var rollback *Deployment
	s.mu.Lock()
	if status == Succeeded {
		state.lastGood = d
	}
	if event, ok := rollbackEvent(status); ok && d.parent.Err() == nil && d.Creator != rollbackCreator &&
		d.group.AutoRollback.Enabled && slices.Contains(d.group.AutoRollback.Events, event) {
		if state.lastGood == nil {
			d.setRollback(RollbackInfo{Message: "nothing to roll back to: this group has had no successful deployment yet"})
		} else {
			rollback = newDeployment(d.parent, d.group, state.lastGood.Revision, rollbackCreator)
			s.deployments[rollback.ID] = rollback
			d.setRollback(RollbackInfo{DeploymentID: rollback.ID, Message: "rolling back to the revision of deployment " + state.lastGood.ID})
			rollback.setRollback(RollbackInfo{TriggeringDeploymentID: d.ID})
		}
	}
	s.mu.Unlock()
	d.rollback = rollback
	d.finish(status, failure)
	s.emit(Event{Deployment: d.ID, Status: status, Duration: d.duration(), Err: d.Err()})
	s.mu.Lock()
	state.active = rollback
	s.mu.Unlock()
	close(d.done)
	if rollback != nil {
		s.carryOut(rollback, state)
	}
}

const rollbackCreator = "codeDeployRollback"

// rollbackEvent returns the name that autoRollbackConfiguration has for an unhappy end.
func rollbackEvent(s Status) (string, bool) {
	switch s {
	case Failed:
		return "DEPLOYMENT_FAILURE", true
	case Stopped:
		return "DEPLOYMENT_STOP_ON_REQUEST", true
	}
	return "", false
}
