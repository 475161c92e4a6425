package provider

import (
	"fmt"
	"hash/fnv"
	"net/netip"
	"slices"
	"strings"

	"cicd/rehearsal/aws/account"
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
		inputs: schema{
			"cidrBlock":          cidr(16, 28).need().replaces(),
			"enableDnsSupport":   flag().or(true),
			"enableDnsHostnames": flag().or(false),
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
		dependents: []dependent{{account.Subnet, "vpcId"}, {account.InternetGateway, "vpcId"}, {account.RouteTable, "vpcId"}, {account.SecurityGroup, "vpcId"}},
		inUse:      "DependencyViolation: The vpc '%s' has dependencies and cannot be deleted.",
	},
	account.Subnet: {
		inputs: schema{
			"vpcId":               text().need().names(vpcByID).replaces(),
			"cidrBlock":           cidr(16, 28).need().replaces(),
			"availabilityZone":    text().replaces(),
			"mapPublicIpOnLaunch": flag().or(false),
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
		dependents: []dependent{{account.Instance, "subnetId"}},
		inUse:      "DependencyViolation: The subnet '%s' has dependencies and cannot be deleted.",
	},
	account.InternetGateway: {
		inputs: schema{"vpcId": text().names(vpcByID)},
		tagged: true,
		verify: func(c *call, r *report) {
			for _, other := range c.acct.ByType(account.InternetGateway) {
				if vpc := c.in.text("vpcId"); vpc != "" && other.ID != c.id && other.String("vpcId") == vpc {
					r.add("vpcId", "Resource.AlreadyAssociated: resource %s is already attached to network %s", other.ID, vpc)
				}
			}
		},
		id:       generated("igw"),
		computed: map[string]output{"arn": arnOf("ec2", "internet-gateway/%s"), "ownerId": ownAccount},
	},
	account.RouteTable: {
		inputs:     schema{"vpcId": text().need().names(vpcByID).replaces()},
		tagged:     true,
		id:         generated("rtb"),
		computed:   map[string]output{"arn": arnOf("ec2", "route-table/%s"), "ownerId": ownAccount},
		dependents: []dependent{{account.RouteTableAssociation, "routeTableId"}},
		inUse:      "DependencyViolation: The routeTable '%s' has dependencies and cannot be deleted.",
	},
	account.Route: {
		inputs: schema{
			"routeTableId":             text().need().names(routeTableByID).replaces(),
			"destinationCidrBlock":     cidr(0, 32).replaces(),
			"destinationIpv6CidrBlock": cidr(0, 128).replaces(),
			"gatewayId":                text().need().names(gatewayByID),
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
			hash := fnv.New32a()
			fmt.Fprint(hash, c.in.text("destinationCidrBlock"), c.in.text("destinationIpv6CidrBlock"))
			return fmt.Sprintf("r-%s%d", c.in.text("routeTableId"), hash.Sum32())
		},
		computed: map[string]output{"origin": constant("CreateRoute"), "state": constant("active")},
	},
	account.RouteTableAssociation: {
		inputs: schema{
			"routeTableId": text().need().names(routeTableByID),
			"subnetId":     text().need().names(subnetByID).replaces(),
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

// firstZone is the zone of subnets that name none.
func firstZone(c *call) any { return zones(c.region)[0] }

func checkZone(c *call, r *report) {
	zone := c.in.text("availabilityZone")
	if zone != "" && c.region != "" && !slices.Contains(zones(c.region), zone) {
		r.add("availabilityZone", "InvalidParameterValue: Value (%s) for parameter availabilityZone is invalid. Subnets can currently only be created in the following availability zones: %s", zone, strings.Join(zones(c.region), ", "))
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
