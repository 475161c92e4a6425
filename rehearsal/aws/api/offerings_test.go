package api

import (
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdkec2 "github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"cicd/rehearsal/aws/account"
)

// TestOfferings: what can be asked before there is an instance.
func TestOfferings(t *testing.T) {
	f, client := newHosts(t)
	ctx := t.Context()
	offered := func(instanceType string) (zones []string) {
		answer, err := client.DescribeInstanceTypeOfferings(ctx, &sdkec2.DescribeInstanceTypeOfferingsInput{LocationType: ec2types.LocationTypeAvailabilityZone,
			Filters: []ec2types.Filter{{Name: aws.String("instance-type"), Values: []string{instanceType}}}})
		if err != nil {
			t.Fatal(err)
		}
		for _, o := range answer.InstanceTypeOfferings {
			zones = append(zones, aws.ToString(o.Location))
		}
		return zones
	}
	if zones := offered("t4g.small"); !slices.Equal(zones, []string{"eu-central-1a", "eu-central-1b", "eu-central-1c"}) {
		t.Errorf("t4g.small is offered in %v", zones)
	}
	if zones := offered("t9.small"); zones != nil {
		t.Errorf("t9.small is offered in %v", zones)
	}
	types, err := client.DescribeInstanceTypes(ctx, &sdkec2.DescribeInstanceTypesInput{InstanceTypes: []ec2types.InstanceType{"t4g.small"}})
	if err != nil || len(types.InstanceTypes) != 1 || types.InstanceTypes[0].ProcessorInfo.SupportedArchitectures[0] != "arm64" || aws.ToInt32(types.InstanceTypes[0].VCpuInfo.DefaultVCpus) != 2 {
		t.Errorf("t4g.small is %+v, %v", types, err)
	}
	_, err = client.DescribeInstanceTypes(ctx, &sdkec2.DescribeInstanceTypesInput{InstanceTypes: []ec2types.InstanceType{"t9.small"}})
	wantRefusal(t, err, "InvalidInstanceType", "t9.small")
	put(f.account, account.EIP, "eipalloc-1", map[string]any{"publicIp": "203.0.113.1", "tagsAll": map[string]any{"Stack": "dev"}})
	addresses, err := client.DescribeAddresses(ctx, nil)
	if err != nil || len(addresses.Addresses) != 1 || aws.ToString(addresses.Addresses[0].Tags[0].Value) != "dev" {
		t.Errorf("addresses %+v, %v", addresses, err)
	}
	put(f.account, account.Subnet, "subnet-1", map[string]any{"availabilityZone": "eu-central-1b"})
	subnets, err := client.DescribeSubnets(ctx, &sdkec2.DescribeSubnetsInput{SubnetIds: []string{"subnet-1"}})
	if err != nil || len(subnets.Subnets) != 1 || aws.ToString(subnets.Subnets[0].AvailabilityZone) != "eu-central-1b" {
		t.Errorf("subnets %+v, %v", subnets, err)
	}
	_, err = client.DescribeSubnets(ctx, &sdkec2.DescribeSubnetsInput{SubnetIds: []string{"subnet-2"}})
	wantRefusal(t, err, "InvalidSubnetID.NotFound", "subnet-2")
	if host := described(t, client, "instance-id="+hostID)[0]; aws.ToInt32(host.CpuOptions.CoreCount)*aws.ToInt32(host.CpuOptions.ThreadsPerCore) != 2 {
		t.Errorf("a t3.micro has the CPU options %+v", host.CpuOptions)
	}
}

// TestOfferingsAreAuthorized: each action needs its own permission.
func TestOfferingsAreAuthorized(t *testing.T) {
	f, client := newHosts(t)
	f.grant(`{"Effect":"Allow","Action":"ec2:DescribeInstances","Resource":"*"}`)
	ctx := t.Context()
	_, err := client.DescribeInstanceTypeOfferings(ctx, &sdkec2.DescribeInstanceTypeOfferingsInput{LocationType: ec2types.LocationTypeAvailabilityZone})
	wantRefusal(t, err, "UnauthorizedOperation", "ec2:DescribeInstanceTypeOfferings")
	_, err = client.DescribeInstanceTypes(ctx, &sdkec2.DescribeInstanceTypesInput{InstanceTypes: []ec2types.InstanceType{"t3.micro"}})
	wantRefusal(t, err, "UnauthorizedOperation", "ec2:DescribeInstanceTypes")
	_, err = client.DescribeAddresses(ctx, nil)
	wantRefusal(t, err, "UnauthorizedOperation", "ec2:DescribeAddresses")
	_, err = client.DescribeSubnets(ctx, nil)
	wantRefusal(t, err, "UnauthorizedOperation", "ec2:DescribeSubnets")
}
