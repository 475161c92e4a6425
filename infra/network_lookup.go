package infra

import (
	"fmt"
	"slices"
	"strings"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ec2"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// Network is an existing network's place for the host: a subnet, and its availability zone.
type Network struct{ VpcID, SubnetID, Zone string }

// lookUpNetwork returns the place that the settings give the host in an existing network: the first subnet whose zone
// offers the instance type. violations says what makes the network unfit. Both are nil if the stack makes a network of
// its own.
func lookUpNetwork(ctx *pulumi.Context, s settings, provider pulumi.InvokeOption) (place *Network, violations []string, err error) {
	if s.VpcID == "" {
		return nil, nil, nil
	}
	var zones []string
	for _, id := range s.SubnetIDs {
		subnet, problem := lookUpSubnet(ctx, s.VpcID, id, provider)
		if problem != "" {
			violations = append(violations, fmt.Sprintf("subnetIds: %s: %s", id, problem))
			continue
		}
		zones = append(zones, subnet.AvailabilityZone)
	}
	if len(violations) > 0 {
		return nil, violations, nil
	}
	offering, err := zonesOffering(ctx, s.InstanceType, provider)
	if err != nil {
		return nil, nil, err
	}
	first := slices.IndexFunc(zones, func(zone string) bool { return slices.Contains(offering, zone) })
	if first < 0 {
		slices.Sort(offering)
		return nil, []string{fmt.Sprintf("subnetIds: none of their zones (%s) offers %s, and %s do: want a subnet in one of those, or another instanceType",
			strings.Join(zones, ", "), s.InstanceType, strings.Join(offering, ", "))}, nil
	}
	return &Network{s.VpcID, s.SubnetIDs[first], zones[first]}, nil, nil
}

// lookUpSubnet returns a subnet, or what makes it unfit for a host with a public address.
func lookUpSubnet(ctx *pulumi.Context, vpcID, id string, provider pulumi.InvokeOption) (*ec2.LookupSubnetResult, string) {
	subnet, err := ec2.LookupSubnet(ctx, &ec2.LookupSubnetArgs{Id: &id}, provider)
	if err != nil {
		return nil, "cannot be read: " + oneLine(err)
	}
	if subnet.VpcId != vpcID {
		return nil, fmt.Sprintf("is in %s, and vpcId is %s: want a subnet of that one", subnet.VpcId, vpcID)
	}
	table, err := routeTableOf(ctx, vpcID, id, provider)
	if err != nil {
		return nil, "its routes cannot be read: " + oneLine(err)
	}
	public := slices.ContainsFunc(table.Routes, func(route ec2.GetRouteTableRoute) bool {
		return route.CidrBlock == anywhere && strings.HasPrefix(route.GatewayId, "igw-")
	})
	if !public {
		return nil, fmt.Sprintf("has no route to the internet, and visitors come from there: want a subnet whose routes (here %s) lead %s to an internet gateway",
			table.RouteTableId, anywhere)
	}
	return subnet, ""
}

// oneLine returns an error's text as the part of a violation that it is: the SDK spreads what a provider says over lines.
func oneLine(err error) string { return strings.Join(strings.Fields(err.Error()), " ") }

// routeTableOf returns the route table that a subnet is associated with, or else its VPC's main one (VPC User Guide,
// "Subnet route tables").
func routeTableOf(
	ctx *pulumi.Context, vpcID, subnetID string, provider pulumi.InvokeOption,
) (*ec2.LookupRouteTableResult, error) {
	for _, filter := range []ec2.GetRouteTablesFilter{
		{Name: "association.subnet-id", Values: []string{subnetID}},
		{Name: "association.main", Values: []string{"true"}},
	} {
		tables, err := ec2.GetRouteTables(ctx, &ec2.GetRouteTablesArgs{
			VpcId:   &vpcID,
			Filters: []ec2.GetRouteTablesFilter{filter},
		}, provider)
		if err != nil {
			return nil, err
		}
		if len(tables.Ids) > 0 {
			return ec2.LookupRouteTable(ctx, &ec2.LookupRouteTableArgs{RouteTableId: &tables.Ids[0]}, provider)
		}
	}
	return nil, fmt.Errorf("%s has no main route table", vpcID)
}
