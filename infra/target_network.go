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

// network is a VPC with public subnets. The stack has its own because an account may lack a default VPC (F42).
type network struct {
	vpc     *ec2.Vpc
	subnets []*ec2.Subnet
	// routing is what traffic between the subnets and the internet depends on.
	routing []pulumi.Resource
	// zones are those that offer the instance type.
	zones []string
}

// offered returns the instance type, or an error if the host's zone does not offer it: an existing host keeps its zone.
// The provider would stop the instance, fail to change its type, and leave it stopped
// (hashicorp/terraform-provider-aws, internal/service/ec2/ec2_instance.go, modifyInstanceAttributeWithStopStart).
func (n *network) offered(instanceType string) pulumi.StringOutput {
	return n.subnets[0].AvailabilityZone.ApplyT(func(zone string) (string, error) {
		if !slices.Contains(n.zones, zone) {
			return "", fmt.Errorf("availability zone %s, where the host is, does not offer %s, and %s do: choose another instanceType, or destroy the stack and make it anew",
				zone, instanceType, strings.Join(n.zones, ", "))
		}
		return instanceType, nil
	}).(pulumi.StringOutput)
}

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
	n := &network{vpc: vpc, routing: []pulumi.Resource{route}}
	return n, t.newSubnets(ctx, name, args, n, table)
}

// newSubnets adds the subnets and connects them to the route table.
func (t *Target) newSubnets(ctx *pulumi.Context, name string, args *TargetArgs, n *network, table *ec2.RouteTable) error {
	zones, err := t.zones(ctx, args)
	if err != nil {
		return err
	}
	n.zones = zones
	for i, cidr := range subnetCIDRs {
		child := fmt.Sprintf("%s-subnet-%d", name, i+1)
		subnet, err := ec2.NewSubnet(ctx, child, &ec2.SubnetArgs{
			VpcId:               n.vpc.ID(),
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
		n.subnets = append(n.subnets, subnet)
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
	offerings, err := ec2.GetInstanceTypeOfferings(ctx, &ec2.GetInstanceTypeOfferingsArgs{
		LocationType: pulumi.StringRef("availability-zone"),
		Filters:      []ec2.GetInstanceTypeOfferingsFilter{{Name: "instance-type", Values: []string{args.InstanceType}}},
	}, pulumi.Parent(t))
	if err != nil {
		return nil, fmt.Errorf("zones that offer %s: %w", args.InstanceType, err)
	}
	zones := slices.DeleteFunc(slices.Clone(available.Names), func(zone string) bool {
		return !slices.Contains(offerings.Locations, zone)
	})
	if len(zones) < len(subnetCIDRs) {
		return nil, fmt.Errorf("%d availability zones of %s offer %s, but %d are needed: choose another instanceType or region",
			len(zones), args.Scope.Region, args.InstanceType, len(subnetCIDRs))
	}
	slices.Sort(zones)
	return zones, nil
}
