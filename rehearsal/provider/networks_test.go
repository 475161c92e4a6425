package provider

import (
	"fmt"
	"strings"
	"testing"

	"cicd/rehearsal/aws/account"
	"cicd/rehearsal/aws/ec2"
)

// before is a network from before the stack: a public subnet, one that uses the main table, and one behind a NAT
// gateway.
var before = ExistingNetwork{
	VPC: "vpc-0aaa", CIDR: "10.8.0.0/16", Gateway: "igw-0aaa",
	Subnets: []ExistingSubnet{
		{ID: "subnet-0pub", CIDR: "10.8.0.0/24", Zone: "us-east-1a", PublicAddresses: true},
		{ID: "subnet-0main", CIDR: "10.8.1.0/24", Zone: "us-east-1b"},
		{ID: "subnet-0nat", CIDR: "10.8.2.0/24", Zone: "us-east-1a"},
	},
	Tables: []ExistingRouteTable{
		{ID: "rtb-0main", Main: true},
		{ID: "rtb-0pub", Subnets: []string{"subnet-0pub"}, Default: "igw-0aaa"},
		{ID: "rtb-0nat", Subnets: []string{"subnet-0nat"}, Default: "nat-0aaa"},
	},
}

func TestNetworkFunctions(t *testing.T) {
	const subnetToken, tableToken, tablesToken = "aws:ec2/getSubnet:getSubnet", "aws:ec2/getRouteTable:getRouteTable", "aws:ec2/getRouteTables:getRouteTables"
	filter := func(name, value string) []any {
		return []any{map[string]any{"name": name, "values": []any{value}}}
	}
	tests := []struct {
		name, token  string
		args         values
		output, want string
	}{
		{"subnet", subnetToken, values{"id": "subnet-0main"}, "vpcId", "vpc-0aaa"},
		{"zone", subnetToken, values{"id": "subnet-0main"}, "availabilityZone", "us-east-1b"},
		{"addresses", subnetToken, values{"id": "subnet-0main"}, "availableIpAddressCount", "251"},
		{"the stack's own subnet", subnetToken, values{"id": "@subnet"}, "vpcId", "@vpc"},
		{"its own with a host", subnetToken, values{"id": "@subnet"}, "availableIpAddressCount", "250"},
		{"table of a subnet", tablesToken, values{"vpcId": "vpc-0aaa", "filters": filter("association.subnet-id", "subnet-0nat")}, "ids", "[rtb-0nat]"},
		{"none of a subnet", tablesToken, values{"vpcId": "vpc-0aaa", "filters": filter("association.subnet-id", "subnet-0main")}, "ids", "[]"},
		{"main table", tablesToken, values{"vpcId": "vpc-0aaa", "filters": filter("association.main", "true")}, "ids", "[rtb-0main]"},
		{"other tables", tablesToken, values{"vpcId": "vpc-0aaa", "filters": filter("association.main", "false")}, "ids", "[rtb-0pub rtb-0nat]"},
		{"tables of another VPC", tablesToken, values{"vpcId": "vpc-0bbb"}, "ids", "[]"},
		{"all tables of the stack's own", tablesToken, values{"vpcId": "@vpc"}, "ids", "[@table @main]"},
		{"public routes", tableToken, values{"routeTableId": "rtb-0pub"}, "routes", "[map[cidrBlock:0.0.0.0/0 gatewayId:igw-0aaa]]"},
		{"routes through NAT", tableToken, values{"subnetId": "subnet-0nat"}, "routes", "[map[cidrBlock:0.0.0.0/0 natGatewayId:nat-0aaa]]"},
		{"no routes", tableToken, values{"routeTableId": "rtb-0main"}, "routes", "[]"},
		{"the stack's own routes", tableToken, values{"routeTableId": "@table"}, "routes", "[map[cidrBlock:0.0.0.0/0 gatewayId:@gateway ipv6CidrBlock:]]"},
		{"by VPC and filter", tableToken, values{"vpcId": "vpc-0aaa", "filters": filter("association.main", "true")}, "id", "rtb-0main"},
	}
	w := newWorld(t)
	before.record(w.options.Account)
	w.declareUntil("")
	vpc, _ := w.options.Account.Find(account.VPC, "id", w.ids["vpc"])
	w.ids["main"] = vpc.String("mainRouteTableId")
	resolve := func(text string) any {
		for name, id := range w.ids {
			text = strings.ReplaceAll(text, "@"+name+"]", id+"]")
			text = strings.ReplaceAll(text, "@"+name+" ", id+" ")
			if text == "@"+name {
				text = id
			}
		}
		return text
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			out, err := w.invoke("us-east-1", tt.token, mapTexts(map[string]any(tt.args), resolve).(map[string]any))
			if err != nil || fmt.Sprint(out[tt.output]) != resolve(tt.want) {
				t.Errorf("%s = %v, %v, want %v", tt.output, out[tt.output], err, resolve(tt.want))
			}
		})
	}
}

func TestNetworkFunctionsRefuse(t *testing.T) {
	w := newWorld(t)
	before.record(w.options.Account)
	for _, tt := range []struct {
		token string
		args  values
		want  string
	}{
		{"getSubnet", values{"id": "subnet-0gone"}, "no matching EC2 Subnet found"},
		{"getSubnet", values{}, "missing required property"},
		{"getRouteTable", values{}, "one of route_table_id, vpc_id"},
		{"getRouteTable", values{"routeTableId": "rtb-0gone"}, "query returned no results"},
		{"getRouteTable", values{"vpcId": "vpc-0aaa"}, "multiple Route Tables matched"},
		{"getRouteTables", values{"filters": []any{map[string]any{"name": "association.gateway", "values": []any{"x"}}}}, "expected one of"},
	} {
		if _, err := w.invoke("us-east-1", "aws:ec2/"+tt.token+":"+tt.token, tt.args); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s %v: error = %v, want one containing %q", tt.token, tt.args, err, tt.want)
		}
	}
}

// A host in a network from before the stack: reachable in its public subnet, and the stack leaves nothing but the
// network.
func TestHostInExistingNetwork(t *testing.T) {
	for subnet, reachable := range map[string]bool{"subnet-0pub": true, "subnet-0main": false, "subnet-0nat": false} {
		t.Run(subnet, func(t *testing.T) {
			w := newWorld(t)
			before.record(w.options.Account)
			for _, e := range examples {
				switch e.token {
				case account.VPC, account.Subnet, account.InternetGateway, account.RouteTable, account.Route, account.RouteTableAssociation, account.DefaultSecurityGroup:
					continue
				}
				inputs := w.inputs(e)
				switch e.token {
				case account.SecurityGroup:
					inputs["vpcId"] = "vpc-0aaa"
				case account.Instance:
					inputs["subnetId"] = subnet
				case account.Volume:
					host, _ := w.options.Account.Find(account.Instance, "id", w.ids["host"])
					inputs["availabilityZone"] = host.String("availabilityZone")
				}
				if _, err := w.declare(e.token, e.name, inputs); err != nil {
					t.Fatalf("%s: %v", e.name, err)
				}
			}
			host, _ := w.options.Account.Find(account.Instance, "id", w.ids["host"])
			address, _ := w.options.Account.Find(account.EIP, "id", w.ids["address"])
			if (host.String("publicIp") != "") != reachable || host.String("availabilityZone") == "" || !strings.HasPrefix(host.String("privateIp"), "10.8.") {
				t.Errorf("host = %v", host.Properties)
			}
			if _, err := ec2.Behind(w.options.Account, address.String("publicIp"), 80); (err == nil) != reachable {
				t.Errorf("from the internet: %v, want reachable = %t", err, reachable)
			}
			if err := ec2.Outbound(w.options.Account, ec2.Instance{ID: host.ID, SubnetID: subnet, SecurityGroups: []string{w.ids["group"]}}, 443); (err == nil) != reachable {
				t.Errorf("to the internet: %v, want reachable = %t", err, reachable)
			}
			for _, r := range w.options.Account.All() {
				if r.ID == subnet || r.ID == "vpc-0aaa" {
					t.Errorf("%s %s counts as the stack's own", r.Type, r.ID)
				}
			}
		})
	}
}

func TestRefusesGroupOfAnotherExistingNetwork(t *testing.T) {
	w := newWorld(t)
	before.record(w.options.Account)
	w.declareUntil("host")
	e := exampleNamed(t, "host")
	_, err := w.declare(e.token, e.name, with(t, w.inputs(e), "subnetId", "subnet-0pub"))
	if err == nil || !strings.Contains(err.Error(), "belong to different networks") {
		t.Errorf("a group of the stack's own VPC in an existing subnet: error = %v", err)
	}
}
