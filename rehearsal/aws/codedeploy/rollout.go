package codedeploy

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"cicd/rehearsal/aws/codedeploy/agent"
)

// lifecycle lists the events of an in-place deployment without a load balancer, in order (CodeDeploy user guide,
// "Lifecycle event hook availability").
var lifecycle = []string{"ApplicationStop", agent.DownloadBundle, "BeforeInstall", agent.Install, "AfterInstall", "ApplicationStart", "ValidateService"}

// eventLimit is how long a lifecycle event may take, whatever the total of its scripts' timeouts.
const eventLimit = time.Hour

const (
	noInstances = "The deployment failed because no instances were found for your deployment group. " +
		"Check your deployment group settings to make sure the tags for your EC2 instances or Auto Scaling groups correctly identify the instances you want to deploy to, and then try again."
	healthConstraints = "The overall deployment failed because too many individual instances failed deployment, too few healthy instances are available for deployment, " +
		"or some instances in your deployment group are experiencing problems."
	agentSilent = "CodeDeploy agent was not able to receive the lifecycle event. " +
		"Check the CodeDeploy agent logs on your host and make sure the agent is running and can connect to the CodeDeploy server."
)

// deploy deploys the revision to the group's instances and returns the outcome.
func (s *Service) deploy(d *Deployment) (Status, *ErrorInformation) {
	s.emit(Event{Deployment: d.ID, Status: InProgress})
	if denied := s.assumeRole(d.group); denied != nil {
		return Failed, denied
	}
	ids, err := s.instances(d.group)
	if err != nil {
		return Failed, &ErrorInformation{Code: "INTERNAL_ERROR", Message: err.Error()}
	}
	if len(ids) == 0 {
		return Failed, &ErrorInformation{Code: "NO_INSTANCES", Message: noInstances}
	}
	health, unknown := healthOf(d.group.ConfigName, len(ids))
	if unknown != nil {
		return Failed, unknown
	}
	d.update(func(info *Info) {
		for _, id := range ids {
			instance := Instance{ID: id, Status: Pending}
			for _, name := range lifecycle {
				instance.Events = append(instance.Events, LifecycleEvent{Name: name, Status: Pending})
			}
			info.Instances = append(info.Instances, instance)
		}
	})
	broken := s.rollOut(d, len(ids), health)
	switch {
	case d.ctx.Err() != nil:
		return Stopped, &ErrorInformation{Code: "MANUAL_STOP", Message: context.Cause(d.ctx).Error()}
	case broken:
		return Failed, &ErrorInformation{Code: "HEALTH_CONSTRAINTS", Message: healthConstraints}
	}
	return Succeeded, nil
}

// rollOut deploys to as many instances at a time as health allows, and stops once the deployment cannot succeed.
func (s *Service) rollOut(d *Deployment, instances int, h health) (broken bool) {
	ended := make(chan bool)
	next, running, failed, finished := 0, 0, 0, 0
	for {
		for !broken && d.ctx.Err() == nil && running < h.concurrent && next < instances {
			go func(i int) { ended <- s.deployTo(d, i) }(next)
			next++
			running++
		}
		if running == 0 {
			break
		}
		if ok := <-ended; !ok {
			failed++
		}
		running--
		finished++
		broken = h.broken(instances, failed, finished, d.group.ConfigName)
	}
	for i := next; i < instances; i++ {
		s.skipFrom(d, i, 0)
		d.update(func(info *Info) { info.Instances[i].Status = Skipped })
	}
	return broken
}

// deployTo runs the lifecycle events on instance i and reports whether all succeeded.
func (s *Service) deployTo(d *Deployment, i int) bool {
	var id string
	d.update(func(info *Info) { id, info.Instances[i].Status = info.Instances[i].ID, InProgress })
	host, err := s.config.Hosts(id)
	run := host.Run
	if err != nil {
		run = func(context.Context, agent.Deployment, string, func(agent.Line)) error {
			return &agent.Failure{Code: agent.UnknownError, Message: agentSilent, Hint: err.Error()}
		}
	}
	for n := range lifecycle {
		if s.runEvent(d, i, n, run) {
			continue
		}
		s.skipFrom(d, i, n+1)
		d.update(func(info *Info) { info.Instances[i].Status = Failed })
		return false
	}
	d.update(func(info *Info) { info.Instances[i].Status = Succeeded })
	return true
}

// runAgent is agent.Agent's Run method.
type runAgent func(ctx context.Context, d agent.Deployment, event string, sink func(agent.Line)) error

// runEvent has an agent run one lifecycle event and reports whether it succeeded.
func (s *Service) runEvent(d *Deployment, i, n int, run runAgent) bool {
	var id string
	started := time.Now()
	d.update(func(info *Info) {
		e := &info.Instances[i].Events[n]
		id, e.Status, e.Started = info.Instances[i].ID, InProgress, started
	})
	event := Event{Deployment: d.ID, Instance: id, Lifecycle: lifecycle[n], Status: InProgress}
	s.emit(event)
	ctx, cancel := context.WithTimeoutCause(d.ctx, eventLimit, fmt.Errorf("the lifecycle event did not end within %s", eventLimit))
	defer cancel()
	err := run(ctx, s.specification(d, id), lifecycle[n], func(l agent.Line) {
		s.emit(Event{Deployment: d.ID, Instance: id, Lifecycle: lifecycle[n], Line: &l})
	})
	event.Status, event.Duration = Succeeded, time.Since(started)
	var failure *agent.Failure
	if err != nil {
		if !errors.As(err, &failure) {
			failure = &agent.Failure{Code: agent.UnknownError, Message: err.Error()}
		}
		event.Status, event.Err = Failed, failure
	}
	d.update(func(info *Info) {
		e := &info.Instances[i].Events[n]
		e.Status, e.Duration, e.Failure = event.Status, event.Duration, failure
	})
	s.emit(event)
	return err == nil
}

// specification is what the service tells an agent about d.
func (s *Service) specification(d *Deployment, instance string) agent.Deployment {
	r := d.Revision
	return agent.Deployment{
		ID: d.ID, Application: d.group.Application, GroupID: d.group.ID, GroupName: d.group.Name,
		Revision: agent.Revision{
			BundleType: r.BundleType, Bucket: r.Bucket, Key: r.Key, Version: r.Version, ETag: r.ETag,
			Open: func(ctx context.Context) (io.ReadCloser, string, error) { return s.config.Fetch(ctx, instance, r) },
		},
	}
}

// skipFrom marks instance i's events as skipped, from the nth on.
func (s *Service) skipFrom(d *Deployment, i, n int) {
	var id string
	d.update(func(info *Info) {
		id = info.Instances[i].ID
		for j := n; j < len(lifecycle); j++ {
			info.Instances[i].Events[j].Status = Skipped
		}
	})
	for _, name := range lifecycle[n:] {
		s.emit(Event{Deployment: d.ID, Instance: id, Lifecycle: name, Status: Skipped})
	}
}

func (s *Service) emit(e Event) {
	s.notify.Lock()
	defer s.notify.Unlock()
	s.config.Notify(e)
}
