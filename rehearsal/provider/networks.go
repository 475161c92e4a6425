package provider

import (
	"net/netip"
	"slices"

	"cicd/rehearsal/aws/account"
)

// These functions look up what is in the account, the stack's own and what was there before. Sources:
// terraform-provider-aws, internal/service/ec2/vpc_subnet_data_source.go, vpc_route_table_data_source.go and
// vpc_route_tables_data_source.go, in the copy called "later:" in sources.go, and internal/tfresource/errors.go,
// SingularDataSourceFindError; EC2 API Reference, DescribeRouteTables, for the filters.

func subnet(c *call, r *report) values {
	found, ok := c.acct.Find(account.Subnet, "id", c.in.text("id"))
	if !ok {
		r.add("id", "no matching EC2 Subnet found: the subnet ID '%s' does not exist", c.in.text("id"))
		return nil
	}
	zone, block := found.String("availabilityZone"), found.String("cidrBlock")
	return values{
		"id": found.ID, "arn": c.arn("ec2", "subnet/"+found.ID), "vpcId": found.String("vpcId"), "cidrBlock": block,
		"availabilityZone": zone, "availabilityZoneId": zoneID(c.region, zone), "ownerId": c.acct.ID(), "state": "available",
		"mapPublicIpOnLaunch": values(found.Properties).flag("mapPublicIpOnLaunch"), "availableIpAddressCount": c.freeAddresses(found),
		"privateDnsHostnameTypeOnLaunch": "ip-name", "tags": tagsIn(found),
	}
}

// freeAddresses returns how many addresses of a subnet are left for hosts. The last one is reserved too.
func (c *call) freeAddresses(subnet account.Resource) int {
	block, err := netip.ParsePrefix(subnet.String("cidrBlock"))
	if err != nil {
		return 0
	}
	taken := reservedAddresses + 1
	for _, instance := range c.acct.ByType(account.Instance) {
		if instance.String("subnetId") == subnet.ID {
			taken++
		}
	}
	return 1<<(32-block.Bits()) - taken
}

func tagsIn(r account.Resource) map[string]any {
	if tags, ok := r.Properties["tags"].(map[string]any); ok {
		return tags
	}
	return map[string]any{}
}

func routeTables(c *call, _ *report) values {
	ids := []any{}
	for _, table := range c.routeTables() {
		ids = append(ids, table.id)
	}
	return values{"id": c.region, "ids": ids}
}

func oneRouteTable(c *call, r *report) values {
	if !c.in.has("routeTableId") && !c.in.has("subnetId") && !c.in.has("vpcId") && !c.in.has("filters") {
		r.add("", "one of route_table_id, vpc_id, subnet_id, gateway_id, filters, or tags must be assigned")
		return nil
	}
	tables := c.routeTables()
	switch len(tables) {
	case 0:
		r.add("", "query returned no results. Please change your search criteria and try again")
		return nil
	case 1:
	default:
		r.add("", "multiple Route Tables matched; use additional constraints to reduce matches to a single Route Table")
		return nil
	}
	table := tables[0]
	associations := []any{}
	if table.main {
		associations = append(associations, map[string]any{"routeTableAssociationId": newID("rtbassoc"), "routeTableId": table.id, "main": true})
	}
	for _, a := range table.associations {
		associations = append(associations, map[string]any{"routeTableAssociationId": a.ID, "routeTableId": table.id, "subnetId": a.String("subnetId"), "main": false})
	}
	return values{
		"id": table.id, "routeTableId": table.id, "vpcId": table.vpc, "arn": c.arn("ec2", "route-table/"+table.id), "ownerId": c.acct.ID(),
		"routes": table.routes, "associations": associations, "tags": table.tags,
	}
}

// routeTable is a route table with what belongs to it.
type routeTable struct {
	id, vpc      string
	main         bool
	associations []account.Resource
	routes       []any // but for the one within the VPC, which the provider leaves out
	tags         map[string]any
}

// routeTables returns the tables that the inputs ask for.
func (c *call) routeTables() []routeTable {
	return slices.DeleteFunc(c.allRouteTables(), func(t routeTable) bool {
		var subnets, main []string
		for _, a := range t.associations {
			subnets, main = append(subnets, a.String("subnetId")), []string{"false"}
		}
		if t.main {
			main = append(main, "true")
		}
		is := func(input string, have ...string) bool {
			return !c.in.has(input) || slices.Contains(have, c.in.text(input))
		}
		return !is("routeTableId", t.id) || !is("vpcId", t.vpc) || !is("subnetId", subnets...) ||
			!admits(c.in.blocks("filters"), map[string][]string{"association.subnet-id": subnets, "association.main": main})
	})
}

// allRouteTables returns those of the account, including the main tables of declared VPCs, which AWS makes.
func (c *call) allRouteTables() []routeTable {
	var tables []routeTable
	for _, r := range c.acct.ByType(account.RouteTable) {
		routes, _ := r.Properties["routes"].([]any)
		tables = append(tables, routeTable{id: r.ID, vpc: r.String("vpcId"), routes: slices.Clone(routes), tags: tagsIn(r)})
	}
	for _, vpc := range c.acct.ByType(account.VPC) {
		id := vpc.String("mainRouteTableId")
		i := slices.IndexFunc(tables, func(t routeTable) bool { return t.id == id })
		if i < 0 {
			i, tables = len(tables), append(tables, routeTable{id: id, vpc: vpc.ID, tags: map[string]any{}})
		}
		tables[i].main = true
	}
	for i := range tables {
		t := &tables[i]
		for _, a := range c.acct.ByType(account.RouteTableAssociation) {
			if a.String("routeTableId") == t.id {
				t.associations = append(t.associations, a)
			}
		}
		for _, r := range c.acct.ByType(account.Route) {
			if r.String("routeTableId") == t.id {
				t.routes = append(t.routes, map[string]any{
					"cidrBlock": r.String("destinationCidrBlock"), "ipv6CidrBlock": r.String("destinationIpv6CidrBlock"), "gatewayId": r.String("gatewayId"),
				})
			}
		}
	}
	return tables
}
