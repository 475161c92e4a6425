package world

import (
	"context"
	"errors"
	"fmt"
	"io"

	"cicd/rehearsal/aws/codedeploy"
	"cicd/rehearsal/aws/codedeploy/agent"
	"cicd/rehearsal/aws/codepipeline"
	"cicd/rehearsal/aws/ec2"
)

// newDeployService wires CodeDeploy to the hosts and the artifact store.
func (c *cloud) newDeployService() *codedeploy.Service {
	return codedeploy.New(codedeploy.Config{
		Account: c.account, Authority: c.authority,
		Hosts: c.agentOf, Fetch: c.download, Notify: func(e codedeploy.Event) { c.logs.hook(e); c.report.deployment(e) },
	})
}

// deploy deploys a bundle for a pipeline. It returns when CodeDeploy is done with it, including any rollback, so a
// rehearsal's next release never runs into a rollback.
func (c *cloud) deploy(ctx context.Context, d codepipeline.Deployment) (string, error) {
	deployment, err := c.deploys.CreateDeployment(ctx, d.Application, d.Group, codedeploy.Revision{
		Bucket: d.Bundle.Bucket, Key: d.Bundle.Key, Version: d.Bundle.Version, BundleType: "zip",
	})
	if err != nil {
		return "", err
	}
	d.Started(deployment.ID)
	<-deployment.Done()
	err = c.logs.explainDeployment(deployment)
	if rollback := deployment.Rollback(); rollback != nil {
		<-rollback.Done()
		if failed := c.logs.explainDeployment(rollback); failed != nil {
			err = errors.Join(err, fmt.Errorf("the rollback failed too: %w", failed))
		}
	}
	return deployment.ID, err
}

// approve stands for the person who approves: it reports the approval and gives it, unless people do.
func (c *cloud) approve(_ context.Context, e codepipeline.Event) error {
	if c.approvalsLeft.Load() {
		c.report.Note("%s waits for an approval: cicd approve, cicd reject, or the page", e.Stage)
		return codepipeline.ErrUndecided
	}
	c.report.Note("%s waits for an approval; the rehearsal approves", e.Stage)
	return nil
}

// LeaveApprovals leaves approvals to people from now on, by CodePipeline's API.
func (w *World) LeaveApprovals() { w.cloud.approvalsLeft.Store(true) }

// agentOf returns the CodeDeploy agent of an instance. The agent receives deployments only if it can reach CodeDeploy
// and has credentials.
func (c *cloud) agentOf(instanceID string) (*agent.Agent, error) {
	h, err := c.host(instanceID)
	if err != nil {
		return nil, err
	}
	h.power.Lock() // a rebooting host answers once it is back
	defer h.power.Unlock()
	instances, err := ec2.Instances(c.account)
	if err != nil {
		return nil, err
	}
	for _, i := range instances {
		if i.ID != instanceID {
			continue
		}
		if err := ec2.Outbound(c.account, i, 443); err != nil {
			return nil, err
		}
	}
	if _, err := h.metadata.Session(); err != nil {
		return nil, err
	}
	return h.agent, h.disks.plug(c.account, instanceID)
}

// download opens a bundle with the role of the instance that deploys it, as the agent does.
func (c *cloud) download(_ context.Context, instanceID string, r codedeploy.Revision) (io.ReadCloser, string, error) {
	h, err := c.host(instanceID)
	if err != nil {
		return nil, "", err
	}
	session, err := h.metadata.Session()
	if err != nil {
		return nil, "", err
	}
	body, version, err := c.store.Get(session, r.Bucket, r.Key, r.Version)
	return body, version.ETag, err
}
