package provider

import (
	"strings"

	"cicd/rehearsal/aws/account"
)

// ExistingNetwork is a VPC that was there before the stack.
type ExistingNetwork struct {
	// VPC is its id, and CIDR its IPv4 block.
	VPC, CIDR string
	// Gateway is the id of the internet gateway that is attached to it, "" for none.
	Gateway string
	Subnets []ExistingSubnet
	// Tables are its route tables. One of them should be the main one, which every VPC has.
	Tables []ExistingRouteTable
}

// ExistingSubnet is a subnet of an existing network.
type ExistingSubnet struct {
	// ID is its id, CIDR its IPv4 block and Zone the name of its availability zone.
	ID, CIDR, Zone string
	// PublicAddresses says that hosts get a public address when they are launched: MapPublicIpOnLaunch.
	PublicAddresses bool
}

// ExistingRouteTable is a route table of an existing network.
type ExistingRouteTable struct {
	ID string
	// Main is set for the table of all subnets that have none of their own.
	Main bool
	// Subnets are the ids of those that have this one.
	Subnets []string
	// Default is where everything goes that is not for the VPC: the id of an internet gateway (igw-), of a NAT gateway
	// (nat-), or "" for nowhere.
	Default string
}

// record adds the network to what is there before the stack, as the resources that the stack would declare.
func (n ExistingNetwork) record(acct *account.Account) {
	add := func(token, id string, properties values) {
		properties["ownerId"] = acct.ID()
		acct.AddExisting(account.Resource{Type: token, Name: id, ID: id, Properties: properties})
	}
	vpc := values{"cidrBlock": n.CIDR, "enableDnsSupport": true, "defaultSecurityGroupId": newID("sg")}
	for _, table := range n.Tables {
		if table.Main {
			vpc["mainRouteTableId"] = table.ID
		}
		add(account.RouteTable, table.ID, values{"vpcId": n.VPC, "routes": table.routes()})
		for _, subnet := range table.Subnets {
			add(account.RouteTableAssociation, newID("rtbassoc"), values{"routeTableId": table.ID, "subnetId": subnet})
		}
	}
	add(account.VPC, n.VPC, vpc)
	if n.Gateway != "" {
		add(account.InternetGateway, n.Gateway, values{"vpcId": n.VPC})
	}
	for _, s := range n.Subnets {
		add(account.Subnet, s.ID, values{
			"vpcId": n.VPC, "cidrBlock": s.CIDR, "availabilityZone": s.Zone, "mapPublicIpOnLaunch": s.PublicAddresses,
		})
	}
}

// routes returns the table's routes but for the one within the VPC, in the form of the provider's data source.
func (t ExistingRouteTable) routes() []any {
	switch {
	case t.Default == "":
		return []any{}
	case strings.HasPrefix(t.Default, "nat-"):
		return []any{map[string]any{"cidrBlock": "0.0.0.0/0", "natGatewayId": t.Default}}
	}
	return []any{map[string]any{"cidrBlock": "0.0.0.0/0", "gatewayId": t.Default}}
}
