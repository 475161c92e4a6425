package ec2

import (
	"slices"

	"cicd/rehearsal/aws/account"
	"cicd/rehearsal/aws/awserror"
	"cicd/rehearsal/aws/iam"
	"cicd/rehearsal/aws/instancetypes"
)

// DescribeInstanceTypeOfferingsInput asks where instance types are offered.
type DescribeInstanceTypeOfferingsInput struct {
	LocationType string
	Filters      []Filter `query:"Filter"`
}

// DescribeInstanceTypeOfferingsOutput has a line per type and place.
type DescribeInstanceTypeOfferingsOutput struct {
	Offerings []offering `xml:"instanceTypeOfferingSet>item"`
}

type offering struct {
	InstanceType string `xml:"instanceType"`
	LocationType string `xml:"locationType"`
	Location     string `xml:"location"`
}

// DescribeInstanceTypeOfferings answers by availability zone, with ec2:DescribeInstanceTypeOfferings, which has no resource
// types (Service Authorization Reference, Amazon EC2).
func (s *Service) DescribeInstanceTypeOfferings(session iam.Session, in DescribeInstanceTypeOfferingsInput) (DescribeInstanceTypeOfferingsOutput, error) {
	if err := s.Authority.Authorize(session, "ec2:DescribeInstanceTypeOfferings", "*"); err != nil {
		return DescribeInstanceTypeOfferingsOutput{}, awserror.Denied(err)
	}
	if in.LocationType != "availability-zone" {
		return DescribeInstanceTypeOfferingsOutput{}, awserror.New("InvalidParameterValue", "a rehearsal knows the location type availability-zone, not %q", in.LocationType)
	}
	var out DescribeInstanceTypeOfferingsOutput
	for _, zone := range instancetypes.Zones(s.Account.Region()) {
		for _, name := range instancetypes.All() {
			passes, err := passesAll(in.Filters, func(filter string) ([]string, bool) {
				value, known := map[string]string{"instance-type": name, "location": zone}[filter]
				return []string{value}, known
			})
			if err != nil {
				return out, err
			}
			if passes && instancetypes.Offers(zone, name) {
				out.Offerings = append(out.Offerings, offering{name, in.LocationType, zone})
			}
		}
	}
	return out, nil
}

// DescribeInstanceTypesInput asks what instance types are.
type DescribeInstanceTypesInput struct {
	InstanceTypes []string `query:"InstanceType"`
}

// DescribeInstanceTypesOutput has what stacks choose a type by.
type DescribeInstanceTypesOutput struct {
	Types []instanceType `xml:"instanceTypeSet>item"`
}

type instanceType struct {
	Name          string   `xml:"instanceType"`
	Architectures []string `xml:"processorInfo>supportedArchitectures>item"`
	VCPUs         int      `xml:"vCpuInfo>defaultVCpus"`
}

// DescribeInstanceTypes describes named types, with ec2:DescribeInstanceTypes, which has no resource types.
func (s *Service) DescribeInstanceTypes(session iam.Session, in DescribeInstanceTypesInput) (DescribeInstanceTypesOutput, error) {
	if err := s.Authority.Authorize(session, "ec2:DescribeInstanceTypes", "*"); err != nil {
		return DescribeInstanceTypesOutput{}, awserror.Denied(err)
	}
	var out DescribeInstanceTypesOutput
	for _, name := range in.InstanceTypes {
		zones := instancetypes.Zones(s.Account.Region())
		if !slices.ContainsFunc(zones, func(zone string) bool { return instancetypes.Offers(zone, name) }) {
			return out, awserror.New("InvalidInstanceType", "The following supplied instance types do not exist: [%s]", name)
		}
		if instancetypes.VCPUs(name) == 0 {
			return out, awserror.New("InternalError", "the rehearsal does not know how many vCPUs %s has", name)
		}
		out.Types = append(out.Types, instanceType{name, []string{instancetypes.Architecture(name)}, instancetypes.VCPUs(name)})
	}
	return out, nil
}

// DescribeAddressesInput asks for all Elastic IPs.
type DescribeAddressesInput struct{}

// DescribeAddressesOutput has them.
type DescribeAddressesOutput struct {
	Addresses []address `xml:"addressesSet>item"`
}

type address struct {
	AllocationID string `xml:"allocationId"`
	PublicIP     string `xml:"publicIp"`
	Domain       string `xml:"domain"`
	Tags         []tag  `xml:"tagSet>item"`
}

// DescribeAddresses describes the declared Elastic IPs, with ec2:DescribeAddresses, which has no resource types.
func (s *Service) DescribeAddresses(session iam.Session, _ DescribeAddressesInput) (DescribeAddressesOutput, error) {
	if err := s.Authority.Authorize(session, "ec2:DescribeAddresses", "*"); err != nil {
		return DescribeAddressesOutput{}, awserror.Denied(err)
	}
	var out DescribeAddressesOutput
	for _, r := range s.Account.ByType(account.EIP) {
		out.Addresses = append(out.Addresses, address{r.ID, r.String("publicIp"), "vpc", tagList(r)})
	}
	return out, nil
}

// DescribeSubnetsInput asks for subnets by their IDs.
type DescribeSubnetsInput struct {
	SubnetIDs []string `query:"SubnetId"`
}

// DescribeSubnetsOutput has them.
type DescribeSubnetsOutput struct {
	Subnets []subnet `xml:"subnetSet>item"`
}

type subnet struct {
	SubnetID         string `xml:"subnetId"`
	VpcID            string `xml:"vpcId"`
	AvailabilityZone string `xml:"availabilityZone"`
	Tags             []tag  `xml:"tagSet>item"`
}

// DescribeSubnets describes the declared subnets, with ec2:DescribeSubnets, which has no resource types. What is outside the
// stack does not exist in a rehearsal.
func (s *Service) DescribeSubnets(session iam.Session, in DescribeSubnetsInput) (DescribeSubnetsOutput, error) {
	if err := s.Authority.Authorize(session, "ec2:DescribeSubnets", "*"); err != nil {
		return DescribeSubnetsOutput{}, awserror.Denied(err)
	}
	var out DescribeSubnetsOutput
	for _, id := range in.SubnetIDs {
		r, ok := s.Account.Find(account.Subnet, "id", id)
		if !ok {
			return out, awserror.New("InvalidSubnetID.NotFound", "The subnet ID '%s' does not exist", id)
		}
		out.Subnets = append(out.Subnets, subnet{r.ID, r.String("vpcId"), r.String("availabilityZone"), tagList(r)})
	}
	return out, nil
}
