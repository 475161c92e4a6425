package operations

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
)

// Host is an EC2 instance to which the stack deploys.
type Host struct {
	ID string `json:"id"`
	// State is EC2's: pending, running, stopping or stopped.
	State string `json:"state"`
	// Address is its public IP address, "" for none.
	Address string `json:"address,omitempty"`
}

// hostTag is the tag by which the stack's deployment group finds its hosts; its value is the stack's prefix.
const hostTag = "DeploymentTarget"

// existing passes the instances that are not terminated.
var existing = types.Filter{Name: aws.String("instance-state-name"), Values: []string{"pending", "running", "stopping", "stopped"}}

// Hosts returns the stack's hosts, at least one.
func (p *Pipeline) Hosts(ctx context.Context) ([]Host, error) {
	var hosts []Host
	pages := ec2.NewDescribeInstancesPaginator(ec2.NewFromConfig(p.settings), &ec2.DescribeInstancesInput{Filters: []types.Filter{
		{Name: aws.String("tag:" + hostTag), Values: []string{p.Name()}},
		existing,
	}})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, p.stack.explain(ctx, "hosts of "+p.Name(), err, hostRemedies)
		}
		for _, reservation := range page.Reservations {
			for _, i := range reservation.Instances {
				hosts = append(hosts, Host{ID: aws.ToString(i.InstanceId), State: string(i.State.Name), Address: aws.ToString(i.PublicIpAddress)})
			}
		}
	}
	if len(hosts) == 0 {
		return nil, fmt.Errorf("hosts of %s: no instance in %s has the tag %s=%[1]s\nTo do: create it with `cicd up`. Check that the credentials are for the stack's account, too",
			p.Name(), p.stack.Region, hostTag)
	}
	return hosts, nil
}

// AllAre reports whether all hosts are in a state.
func AllAre(hosts []Host, state string) bool { return len(in(hosts, state)) == len(hosts) }

// in returns the IDs of the hosts that are in one of the states.
func in(hosts []Host, states ...string) []string {
	var ids []string
	for _, h := range hosts {
		if slices.Contains(states, h.State) {
			ids = append(ids, h.ID)
		}
	}
	return ids
}

const (
	// hostWait is how long hosts may take to stop or to start; EC2 ends a stop that hangs by force before.
	hostWait = 10 * time.Minute
	// hostPoll and hostPollLimit are the times between two looks at hosts, the first and the longest.
	hostPoll, hostPollLimit = time.Second, 5 * time.Second
)

// stopHosts has EC2 stop hosts. It does not wait.
func (p *Pipeline) stopHosts(ctx context.Context, ids []string) error {
	_, err := ec2.NewFromConfig(p.settings).StopInstances(ctx, &ec2.StopInstancesInput{InstanceIds: ids})
	return err
}

// startHosts has EC2 start hosts. It does not wait.
func (p *Pipeline) startHosts(ctx context.Context, ids []string) error {
	_, err := ec2.NewFromConfig(p.settings).StartInstances(ctx, &ec2.StartInstancesInput{InstanceIds: ids})
	return p.stack.explain(ctx, named(ids), err, hostRemedies)
}

// awaitStopped waits until hosts are stopped.
func (p *Pipeline) awaitStopped(ctx context.Context, ids []string) error {
	waiter := ec2.NewInstanceStoppedWaiter(ec2.NewFromConfig(p.settings), func(o *ec2.InstanceStoppedWaiterOptions) { o.MinDelay, o.MaxDelay = hostPoll, hostPollLimit })
	return p.waited(ctx, ids, "stopped", waiter.Wait(ctx, &ec2.DescribeInstancesInput{InstanceIds: ids}, hostWait))
}

// awaitRunning waits until hosts run.
func (p *Pipeline) awaitRunning(ctx context.Context, ids []string) error {
	waiter := ec2.NewInstanceRunningWaiter(ec2.NewFromConfig(p.settings), func(o *ec2.InstanceRunningWaiterOptions) { o.MinDelay, o.MaxDelay = hostPoll, hostPollLimit })
	return p.waited(ctx, ids, "running", waiter.Wait(ctx, &ec2.DescribeInstancesInput{InstanceIds: ids}, hostWait))
}

// waited explains why hosts have not reached a state. The SDK's waiters return plain errors of their own.
func (p *Pipeline) waited(ctx context.Context, ids []string, state string, err error) error {
	if err == nil || ctx.Err() != nil || refused(err) {
		return p.stack.explain(ctx, named(ids), err, hostRemedies)
	}
	return fmt.Errorf("%s: not %s within %s: %w\nTo do: see what the EC2 console says of it", named(ids), state, hostWait, err)
}

// HostNames is how messages name hosts.
func HostNames(hosts []Host) string {
	var ids []string
	for _, h := range hosts {
		ids = append(ids, h.ID)
	}
	return named(ids)
}

// named is HostNames by IDs.
func named(ids []string) string {
	if len(ids) == 1 {
		return "host " + ids[0]
	}
	return "hosts " + strings.Join(ids, ", ")
}
