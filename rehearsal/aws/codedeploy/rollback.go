package codedeploy

import "slices"

// carryOut runs d to its end, then the rollback that the group asks for. The group stays busy throughout.
func (s *Service) carryOut(d *Deployment, state *groupState) {
	status, failure := s.deploy(d)
	var rollback *Deployment
	s.mu.Lock()
	if status == Succeeded {
		state.lastGood = d
	}
	if status == Failed && d.ctx.Err() == nil && d.Creator != rollbackCreator &&
		d.group.AutoRollback.Enabled && slices.Contains(d.group.AutoRollback.Events, failureEvent) {
		if state.lastGood == nil {
			d.setRollback(RollbackInfo{Message: "nothing to roll back to: this group has had no successful deployment yet"})
		} else {
			rollback = newDeployment(d.ctx, d.group, state.lastGood.Revision, rollbackCreator)
			s.history = append(s.history, rollback)
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

// failureEvent is the only event of autoRollbackConfiguration that occurs here: nobody stops a deployment on request,
// and there are no alarms.
const failureEvent = "DEPLOYMENT_FAILURE"
