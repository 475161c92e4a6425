package provider

import (
	"fmt"
	"hash/crc32"
	"net/netip"
	"slices"
	"strings"

	"cicd/rehearsal/aws/account"
	"cicd/rehearsal/aws/instancetypes"
)

var (
	vpcByID        = named(account.VPC, "id", "InvalidVpcID.NotFound: The vpc ID '%s' does not exist")
	subnetByID     = named(account.Subnet, "id", "InvalidSubnetID.NotFound: The subnet ID '%s' does not exist")
	gatewayByID    = named(account.InternetGateway, "id", "InvalidInternetGatewayID.NotFound: The internetGateway ID '%s' does not exist")
	routeTableByID = named(account.RouteTable, "id", "InvalidRouteTableID.NotFound: The routeTable ID '%s' does not exist")
)

// networkKinds are the types of a VPC and its routes. Source: VPC User Guide; EC2 API Reference, error codes.
var networkKinds = merge(securityGroupKinds, map[string]kind{
	account.VPC: {
		source: "ec2/vpc_.go",
		inputs: schema{
			"cidrBlock":          cidr(16, 28).need().keeps(nil).replaces().at(74),
			"enableDnsSupport":   flag().or(true).at(103),
			"enableDnsHostnames": flag().keeps(false).at(98),
		},
		tagged: true,
		id:     generated("vpc"),
		computed: map[string]output{
			"arn":                    arnOf("ec2", "vpc/%s"),
			"ownerId":                ownAccount,
			"mainRouteTableId":       once("mainRouteTableId", newPart("rtb")),
			"defaultRouteTableId":    once("defaultRouteTableId", newPart("rtb")),
			"defaultNetworkAclId":    once("defaultNetworkAclId", newPart("acl")),
			"defaultSecurityGroupId": once("defaultSecurityGroupId", newPart("sg")),
			"dhcpOptionsId":          once("dhcpOptionsId", newPart("dopt")),
		},
		dependents: []dependent{{token: account.Subnet, property: "vpcId"}, {token: account.InternetGateway, property: "vpcId"}, {token: account.RouteTable, property: "vpcId"}, {token: account.SecurityGroup, property: "vpcId"}},
		inUse:      "DependencyViolation: The vpc '%s' has dependencies and cannot be deleted.",
	},
	account.Subnet: {
		source: "ec2/vpc_subnet.go",
		inputs: schema{
			"vpcId":               text().need().names(vpcByID).replaces().at(151),
			"cidrBlock":           cidr(16, 28).need().replaces().at(77),
			"availabilityZone":    text().keeps(nil).replaces().at(63),
			"mapPublicIpOnLaunch": flag().or(false).at(128),
		},
		tagged: true,
		check:  checkZone,
		verify: verifySubnet,
		id:     generated("subnet"),
		computed: map[string]output{
			"arn":              arnOf("ec2", "subnet/%s"),
			"ownerId":          ownAccount,
			"availabilityZone": once("availabilityZone", firstZone),
			"availabilityZoneId": func(c *call) any {
				if zone := c.in.text("availabilityZone"); zone != "" {
					return zoneID(c.region, zone)
				}
				return zoneID(c.region, firstZone(c).(string))
			},
		},
		dependents: []dependent{{token: account.Instance, property: "subnetId"}},
		inUse:      "DependencyViolation: The subnet '%s' has dependencies and cannot be deleted.",
	},
	account.InternetGateway: {
		source: "ec2/vpc_internet_gateway.go",
		inputs: schema{"vpcId": text().names(vpcByID).keeps(nil).at(56)},
		tagged: true,
		verify: func(c *call, r *report) {
			if before := c.old.text("vpcId"); before != c.in.text("vpcId") {
				if err := detach(c.acct, before); err != nil {
					r.add("vpcId", "%v", err)
				}
			}
			for _, other := range c.acct.ByType(account.InternetGateway) {
				if vpc := c.in.text("vpcId"); vpc != "" && other.ID != c.id && other.String("vpcId") == vpc {
					r.add("vpcId", "Resource.AlreadyAssociated: resource %s is already attached to network %s", other.ID, vpc)
				}
			}
		},
		id:       generated("igw"),
		computed: map[string]output{"arn": arnOf("ec2", "internet-gateway/%s"), "ownerId": ownAccount},
		remove:   removeGateway,
	},
	account.RouteTable: {
		source:     "ec2/vpc_route_table.go",
		inputs:     schema{"vpcId": text().need().names(vpcByID).replaces().at(157)},
		tagged:     true,
		id:         generated("rtb"),
		computed:   map[string]output{"arn": arnOf("ec2", "route-table/%s"), "ownerId": ownAccount},
		dependents: []dependent{{token: account.RouteTableAssociation, property: "routeTableId"}},
		inUse:      "DependencyViolation: The routeTable '%s' has dependencies and cannot be deleted.",
	},
	account.Route: {
		source: "ec2/vpc_route.go",
		inputs: schema{
			"routeTableId":             text().need().names(routeTableByID).replaces().at(68),
			"destinationCidrBlock":     cidr(0, 32).replaces().at(77),
			"destinationIpv6CidrBlock": cidr(0, 128).replaces().same(sameBlock).at(84),
			"gatewayId":                text().need().names(gatewayByID).at(119), // exactly one target, and no other can be declared
		},
		check: func(c *call, r *report) {
			if c.in.has("destinationCidrBlock") == c.in.has("destinationIpv6CidrBlock") {
				r.add("destinationCidrBlock", "exactly one of destinationCidrBlock and destinationIpv6CidrBlock must be set")
			}
		},
		verify: verifyRoute,
		unique: []string{"routeTableId", "destinationIpv6CidrBlock", "destinationCidrBlock"},
		taken:  "RouteAlreadyExists: The route identified by %s already exists.",
		id: func(c *call) string {
			// terraform-provider-aws, ec2/id.go, RouteCreateID, and internal/create/hashcode.go
			destination := c.in.text("destinationCidrBlock") + c.in.text("destinationIpv6CidrBlock")
			return fmt.Sprintf("r-%s%d", c.in.text("routeTableId"), crc32.ChecksumIEEE([]byte(destination)))
		},
		computed: map[string]output{"origin": constant("CreateRoute"), "state": constant("active")},
	},
	account.RouteTableAssociation: {
		source: "ec2/vpc_route_table_association.go",
		inputs: schema{
			"routeTableId": text().need().names(routeTableByID).at(47),
			"subnetId":     text().need().names(subnetByID).replaces().at(51),
		},
		verify: func(c *call, r *report) {
			table, _ := c.acct.Find(account.RouteTable, "id", c.in.text("routeTableId"))
			subnet, _ := c.acct.Find(account.Subnet, "id", c.in.text("subnetId"))
			if table.String("vpcId") != subnet.String("vpcId") {
				r.add("routeTableId", "InvalidParameterValue: route table %s and subnet %s belong to different networks", table.ID, subnet.ID)
			}
		},
		unique: []string{"subnetId"}, taken: "Resource.AlreadyAssociated: the specified association for subnet %s conflicts with an existing association",
		id: generated("rtbassoc"),
	},
})

// removeGateway refuses to detach a gateway through which public addresses reach the VPC. Source: hashicorp/terraform
// issues 497 and 1303, for addresses of instances and Elastic IPs.
func removeGateway(s *Server, r account.Resource) error {
	return detach(s.options.Account, r.String("vpcId"))
}

func detach(acct *account.Account, vpc string) error {
	for _, instance := range acct.ByType(account.Instance) {
		subnet, _ := acct.Find(account.Subnet, "id", instance.String("subnetId"))
		_, mapped := acct.Find(account.EIPAssociation, "instanceId", instance.ID)
		if vpc != "" && subnet.String("vpcId") == vpc && (mapped || instance.String("publicIp") != "") {
			return fmt.Errorf("DependencyViolation: Network %s has some mapped public address(es). Please unmap those public address(es) before detaching the gateway. (%s)", vpc, instance.ID)
		}
	}
	return nil
}

// newPart generates the id of something that AWS creates along with a resource.
func newPart(prefix string) output { return func(*call) any { return newID(prefix) } }

// cidr is a CIDR block with a prefix length in the given range.
func cidr(low, high int) property {
	return text().rule(func(v any) string {
		s, _ := v.(string)
		prefix, err := netip.ParsePrefix(s)
		switch {
		case err != nil:
			return fmt.Sprintf("%q is not a valid CIDR block: %v", s, err)
		case prefix != prefix.Masked():
			return fmt.Sprintf("%q is not a valid CIDR block; did you mean %q?", s, prefix.Masked())
		case prefix.Addr().Is4() == (high > 32):
			return fmt.Sprintf("%q is of the wrong IP version", s)
		case prefix.Bits() < low || prefix.Bits() > high:
			return fmt.Sprintf("%q: the prefix must be /%d to /%d", s, low, high)
		}
		return ""
	})
}

// sameBlock compares CIDR blocks however they are written.
func sameBlock(before, after string) bool {
	a, errA := netip.ParsePrefix(before)
	b, errB := netip.ParsePrefix(after)
	return errA == nil && errB == nil && a.Masked() == b.Masked()
}

// firstZone is the zone of subnets that name none.
func firstZone(c *call) any { return instancetypes.Zones(c.region)[0] }

func checkZone(c *call, r *report) {
	zone := c.in.text("availabilityZone")
	if zone != "" && c.region != "" && !slices.Contains(instancetypes.Zones(c.region), zone) {
		r.add("availabilityZone", "InvalidParameterValue: Value (%s) for parameter availabilityZone is invalid. Subnets can currently only be created in the following availability zones: %s", zone, strings.Join(instancetypes.Zones(c.region), ", "))
	}
}

// verifySubnet checks a subnet's addresses against its VPC and the VPC's other subnets.
func verifySubnet(c *call, r *report) {
	own, err := netip.ParsePrefix(c.in.text("cidrBlock"))
	vpc, ok := c.acct.Find(account.VPC, "id", c.in.text("vpcId"))
	if err != nil || !ok {
		return // reported already
	}
	if whole, err := netip.ParsePrefix(vpc.String("cidrBlock")); err != nil || own.Bits() < whole.Bits() || !whole.Contains(own.Addr()) {
		r.add("cidrBlock", "InvalidSubnet.Range: The CIDR '%s' is invalid: it is not within %s of %s", own, vpc.String("cidrBlock"), vpc.ID)
	}
	for _, other := range c.acct.ByType(account.Subnet) {
		block, err := netip.ParsePrefix(other.String("cidrBlock"))
		if err == nil && other.ID != c.id && other.String("vpcId") == vpc.ID && block.Overlaps(own) {
			r.add("cidrBlock", "InvalidSubnet.Conflict: The CIDR '%s' conflicts with another subnet (%s)", own, block)
		}
	}
}

// verifyRoute requires a gateway on the route table's network.
func verifyRoute(c *call, r *report) {
	table, known := c.acct.Find(account.RouteTable, "id", c.in.text("routeTableId"))
	gateway, ok := c.acct.Find(account.InternetGateway, "id", c.in.text("gatewayId"))
	if known && ok && table.String("vpcId") != gateway.String("vpcId") {
		r.add("gatewayId", "InvalidParameterValue: route table %s and network gateway %s belong to different networks", table.ID, gateway.ID)
	}
}
