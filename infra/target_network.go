package infra

import (
	"fmt"
	"slices"
	"strings"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ec2"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

const networkCIDR = "10.0.0.0/16"

// subnetCIDRs are the two subnets' ranges: one for the host, and one in another zone for what needs two.
var subnetCIDRs = []string{"10.0.0.0/24", "10.0.1.0/24"}

// network is where the host goes.
type network struct {
	vpcID, subnetID pulumi.StringInput
	// zone is the subnet's availability zone.
	zone pulumi.StringInput
	// instanceType is the host's, which its zone offers.
	instanceType pulumi.StringInput
	// routing is what traffic between the subnet and the internet depends on.
	routing []pulumi.Resource
}

// placeHost returns the existing network that the stack is given, or makes one. Its own, because an account may lack a
// default VPC (F42).
func (t *Target) placeHost(ctx *pulumi.Context, name string, args *TargetArgs) (*network, error) {
	if args.Network != nil {
		return &network{
			vpcID:        pulumi.String(args.Network.VpcID),
			subnetID:     pulumi.String(args.Network.SubnetID),
			zone:         pulumi.String(args.Network.Zone),
			instanceType: pulumi.String(args.InstanceType),
		}, nil
	}
	return t.newNetwork(ctx, name, args)
}

// offered returns the instance type, or an error if the host's zone does not offer it: an existing host keeps its zone.
// The provider would stop the instance, fail to change its type, and leave it stopped
// (hashicorp/terraform-provider-aws, internal/service/ec2/ec2_instance.go, modifyInstanceAttributeWithStopStart).
func offered(instanceType string, subnet *ec2.Subnet, zones []string) pulumi.StringOutput {
	return subnet.AvailabilityZone.ApplyT(func(zone string) (string, error) {
		if !slices.Contains(zones, zone) {
			return "", fmt.Errorf("availability zone %s, where the host is, does not offer %s, and %s do: choose another instanceType, or destroy the stack and make it anew",
				zone, instanceType, strings.Join(zones, ", "))
		}
		return instanceType, nil
	}).(pulumi.StringOutput)
}

// newNetwork makes a VPC with public subnets.
func (t *Target) newNetwork(ctx *pulumi.Context, name string, args *TargetArgs) (*network, error) {
	vpc, err := ec2.NewVpc(ctx, name+"-vpc", &ec2.VpcArgs{
		CidrBlock:          pulumi.String(networkCIDR),
		EnableDnsSupport:   pulumi.Bool(true),
		EnableDnsHostnames: pulumi.Bool(true),
		Tags:               named(name),
	}, pulumi.Parent(t))
	if err != nil {
		return nil, fmt.Errorf("VPC: %w", err)
	}
	// Adopted without rules, so that forgetting to name a group opens nothing (AWS Foundational Security Best
	// Practices, EC2.2).
	_, err = ec2.NewDefaultSecurityGroup(ctx, name+"-default-sg", &ec2.DefaultSecurityGroupArgs{
		VpcId: vpc.ID(),
		Tags:  named(name + "-unused"),
	}, pulumi.Parent(t))
	if err != nil {
		return nil, fmt.Errorf("default security group: %w", err)
	}
	gateway, err := ec2.NewInternetGateway(ctx, name+"-gateway", &ec2.InternetGatewayArgs{
		VpcId: vpc.ID(),
		Tags:  named(name),
	}, pulumi.Parent(t))
	if err != nil {
		return nil, fmt.Errorf("internet gateway: %w", err)
	}
	table, err := ec2.NewRouteTable(ctx, name+"-routes", &ec2.RouteTableArgs{
		VpcId: vpc.ID(),
		Tags:  named(name),
	}, pulumi.Parent(t))
	if err != nil {
		return nil, fmt.Errorf("route table: %w", err)
	}
	route, err := ec2.NewRoute(ctx, name+"-internet", &ec2.RouteArgs{
		RouteTableId:         table.ID(),
		DestinationCidrBlock: pulumi.String(anywhere),
		GatewayId:            gateway.ID(),
	}, pulumi.Parent(t))
	if err != nil {
		return nil, fmt.Errorf("route: %w", err)
	}
	n := &network{vpcID: vpc.ID(), routing: []pulumi.Resource{route}}
	return n, t.newSubnets(ctx, name, args, n, table)
}

// newSubnets adds the subnets and connects them to the route table. The host goes into the first.
func (t *Target) newSubnets(ctx *pulumi.Context, name string, args *TargetArgs, n *network, table *ec2.RouteTable) error {
	zones, err := t.zones(ctx, args)
	if err != nil {
		return err
	}
	for i, cidr := range subnetCIDRs {
		child := fmt.Sprintf("%s-subnet-%d", name, i+1)
		subnet, err := ec2.NewSubnet(ctx, child, &ec2.SubnetArgs{
			VpcId:               n.vpcID,
			CidrBlock:           pulumi.String(cidr),
			AvailabilityZone:    pulumi.String(zones[i]),
			MapPublicIpOnLaunch: pulumi.Bool(false), // the host has an Elastic IP
			Tags:                named(child),
			// A newly opened zone must not move a subnet, and the host with it.
		}, pulumi.Parent(t), pulumi.IgnoreChanges([]string{"availabilityZone"}))
		if err != nil {
			return fmt.Errorf("subnet: %w", err)
		}
		association, err := ec2.NewRouteTableAssociation(ctx, child+"-routes", &ec2.RouteTableAssociationArgs{
			SubnetId:     subnet.ID(),
			RouteTableId: table.ID(),
		}, pulumi.Parent(t))
		if err != nil {
			return fmt.Errorf("route table association: %w", err)
		}
		if i == 0 {
			n.subnetID, n.zone, n.instanceType = subnet.ID(), subnet.AvailabilityZone, offered(args.InstanceType, subnet, zones)
		}
		n.routing = append(n.routing, association)
	}
	return nil
}

// zones returns the region's availability zones that offer the instance type, sorted. Not every zone has every type.
func (t *Target) zones(ctx *pulumi.Context, args *TargetArgs) ([]string, error) {
	available, err := aws.GetAvailabilityZones(ctx, &aws.GetAvailabilityZonesArgs{
		State: pulumi.StringRef("available"),
		Filters: []aws.GetAvailabilityZonesFilter{
			{Name: "opt-in-status", Values: []string{"opt-in-not-required"}}, // no Local Zones
		},
	}, pulumi.Parent(t))
	if err != nil {
		return nil, fmt.Errorf("availability zones: %w", err)
	}
	offering, err := zonesOffering(ctx, args.InstanceType, pulumi.Parent(t))
	if err != nil {
		return nil, err
	}
	zones := slices.DeleteFunc(slices.Clone(available.Names), func(zone string) bool { return !slices.Contains(offering, zone) })
	if len(zones) < len(subnetCIDRs) {
		return nil, fmt.Errorf("%d availability zones of %s offer %s, but %d are needed: choose another instanceType or region",
			len(zones), args.Scope.Region, args.InstanceType, len(subnetCIDRs))
	}
	slices.Sort(zones)
	return zones, nil
}

// zonesOffering returns all of the region's zones that offer the instance type.
func zonesOffering(ctx *pulumi.Context, instanceType string, opts ...pulumi.InvokeOption) ([]string, error) {
	offerings, err := ec2.GetInstanceTypeOfferings(ctx, &ec2.GetInstanceTypeOfferingsArgs{
		LocationType: pulumi.StringRef("availability-zone"),
		Filters:      []ec2.GetInstanceTypeOfferingsFilter{{Name: "instance-type", Values: []string{instanceType}}},
	}, opts...)
	if err != nil {
		return nil, fmt.Errorf("zones that offer %s: %w", instanceType, err)
	}
	return offerings.Locations, nil
}
