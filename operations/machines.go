package operations

import (
	"context"
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
)

// Machines asks EC2 what a stack's host can be, and what the account has already.
type Machines struct {
	stack  Stack
	client *ec2.Client
}

// OpenMachines finds credentials for EC2 in a stack's region.
func OpenMachines(ctx context.Context, stack Stack) (*Machines, error) {
	settings, err := stack.connect(ctx)
	if err != nil {
		return nil, err
	}
	return &Machines{stack, ec2.NewFromConfig(settings)}, nil
}

// Zones returns the availability zones of the region that offer an instance type, sorted; none if the region does not.
func (m *Machines) Zones(ctx context.Context, instanceType string) ([]string, error) {
	var zones []string
	pages := ec2.NewDescribeInstanceTypeOfferingsPaginator(m.client, &ec2.DescribeInstanceTypeOfferingsInput{
		LocationType: types.LocationTypeAvailabilityZone,
		Filters:      []types.Filter{{Name: aws.String("instance-type"), Values: []string{instanceType}}},
	})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, m.stack.explain(ctx, "zones that offer "+instanceType, err, hostRemedies)
		}
		for _, offering := range page.InstanceTypeOfferings {
			zones = append(zones, aws.ToString(offering.Location))
		}
	}
	slices.Sort(zones)
	return zones, nil
}

// Machine is what an instance type is.
type Machine struct {
	// Architectures are those of the processor, by EC2's names: x86_64, arm64.
	Architectures []string
	VCPUs         int
}

// Machine describes an instance type that the region offers.
func (m *Machines) Machine(ctx context.Context, instanceType string) (Machine, error) {
	thing := "instance type " + instanceType
	answer, err := m.client.DescribeInstanceTypes(ctx, &ec2.DescribeInstanceTypesInput{InstanceTypes: []types.InstanceType{types.InstanceType(instanceType)}})
	if err != nil {
		return Machine{}, m.stack.explain(ctx, thing, err, hostRemedies)
	}
	if len(answer.InstanceTypes) != 1 || answer.InstanceTypes[0].ProcessorInfo == nil || answer.InstanceTypes[0].VCpuInfo == nil {
		return Machine{}, fmt.Errorf("%s: EC2 does not describe it", thing)
	}
	described := answer.InstanceTypes[0]
	machine := Machine{VCPUs: int(aws.ToInt32(described.VCpuInfo.DefaultVCpus))}
	for _, architecture := range described.ProcessorInfo.SupportedArchitectures {
		machine.Architectures = append(machine.Architectures, string(architecture))
	}
	return machine, nil
}

// SubnetZones returns the availability zone of each subnet.
func (m *Machines) SubnetZones(ctx context.Context, ids []string) (map[string]string, error) {
	answer, err := m.client.DescribeSubnets(ctx, &ec2.DescribeSubnetsInput{SubnetIds: ids})
	if err != nil {
		return nil, m.stack.explain(ctx, "subnetIds", err, hostRemedies)
	}
	zones := map[string]string{}
	for _, subnet := range answer.Subnets {
		zones[aws.ToString(subnet.SubnetId)] = aws.ToString(subnet.AvailabilityZone)
	}
	return zones, nil
}

// Instance is one of the account's in the region.
type Instance struct {
	ID, Type, Zone string
	// VCPUs are those that count for the quota.
	VCPUs int
	// Spot instances have a quota of their own.
	Spot bool
	// Own says that it is the stack's host.
	Own bool
}

// Instances returns the account's instances that are not terminated.
func (m *Machines) Instances(ctx context.Context) ([]Instance, error) {
	var all []Instance
	pages := ec2.NewDescribeInstancesPaginator(m.client, &ec2.DescribeInstancesInput{Filters: []types.Filter{existing}})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, m.stack.explain(ctx, "instances", err, hostRemedies)
		}
		for _, reservation := range page.Reservations {
			for _, found := range reservation.Instances {
				all = append(all, m.instance(found))
			}
		}
	}
	return all, nil
}

func (m *Machines) instance(found types.Instance) Instance {
	i := Instance{
		ID:   aws.ToString(found.InstanceId),
		Type: string(found.InstanceType),
		Spot: found.InstanceLifecycle == types.InstanceLifecycleTypeSpot,
		Own:  m.own(found.Tags),
	}
	if found.Placement != nil {
		i.Zone = aws.ToString(found.Placement.AvailabilityZone)
	}
	// Stopped ones count for no quota (EC2 User Guide, "Amazon EC2 On-Demand Instances", "On-Demand Instance quotas").
	running := found.State != nil && (found.State.Name == types.InstanceStateNameRunning || found.State.Name == types.InstanceStateNamePending)
	if running && found.CpuOptions != nil {
		i.VCPUs = int(aws.ToInt32(found.CpuOptions.CoreCount) * aws.ToInt32(found.CpuOptions.ThreadsPerCore))
	}
	return i
}

// own reports whether a resource has the tags of the stack's.
func (m *Machines) own(tags []types.Tag) bool {
	has := func(key, value string) bool {
		return slices.ContainsFunc(tags, func(tag types.Tag) bool { return aws.ToString(tag.Key) == key && aws.ToString(tag.Value) == value })
	}
	return has("Project", m.stack.Project) && has("Stack", m.stack.Name)
}

// Addresses returns how many Elastic IPs the account has in the region, and whether one is the stack's.
func (m *Machines) Addresses(ctx context.Context) (count int, own bool, err error) {
	answer, err := m.client.DescribeAddresses(ctx, &ec2.DescribeAddressesInput{})
	if err != nil {
		return 0, false, m.stack.explain(ctx, "Elastic IPs", err, hostRemedies)
	}
	own = slices.ContainsFunc(answer.Addresses, func(a types.Address) bool { return m.own(a.Tags) })
	return len(answer.Addresses), own, nil
}
