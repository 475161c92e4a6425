package ec2

import (
	"strings"
	"testing"

	"cicd/rehearsal/aws/account"
)

// network returns an account with a host behind an address, in a VPC whose main route table leads nowhere.
func network() *account.Account {
	acct := account.New("123456789012")
	for _, r := range []account.Resource{
		{Type: account.VPC, ID: "vpc", Properties: map[string]any{"mainRouteTableId": "main"}},
		{Type: account.Subnet, ID: "subnet", Properties: map[string]any{"vpcId": "vpc"}},
		{Type: account.InternetGateway, ID: "igw", Properties: map[string]any{"vpcId": "vpc"}},
		{Type: account.Instance, ID: "i", Properties: map[string]any{"subnetId": "subnet", "vpcSecurityGroupIds": []any{"sg"}}},
		{Type: account.EIP, ID: "eip", Properties: map[string]any{"publicIp": "203.0.113.1"}},
		{Type: account.EIPAssociation, ID: "a", Properties: map[string]any{"allocationId": "eip", "instanceId": "i"}},
		rule(account.IngressRule, 80, 80), rule(account.EgressRule, 5432, 5433),
	} {
		r.URN = r.ID
		acct.Put(r)
	}
	return acct
}

func rule(direction string, from, to int) account.Resource {
	return account.Resource{Type: direction, ID: direction, Properties: map[string]any{
		"securityGroupId": "sg", "ipProtocol": "tcp", "fromPort": from, "toPort": to, "cidrIpv4": "0.0.0.0/0",
	}}
}

// table is a route table with a default route.
func table(id, gateway string) account.Resource {
	return account.Resource{Type: account.RouteTable, ID: id, Properties: map[string]any{
		"vpcId": "vpc", "routes": []any{map[string]any{"cidrBlock": "0.0.0.0/0", "gatewayId": gateway}},
	}}
}

func ownTable(id string) account.Resource {
	return account.Resource{Type: account.RouteTableAssociation, ID: "rtbassoc", Properties: map[string]any{"subnetId": "subnet", "routeTableId": id}}
}

func TestRoutes(t *testing.T) {
	for _, tt := range []struct {
		name     string
		existing []account.Resource
		want     string
	}{
		{"main table of a declared VPC", nil, "has no route from and to the internet"},
		{"main table with a gateway", []account.Resource{table("main", "igw")}, ""},
		{"gateway that is not there", []account.Resource{table("main", "igw-other")}, "has no route from and to the internet"},
		{"own table with a gateway", []account.Resource{table("own", "igw"), ownTable("own")}, ""},
		{"own table without", []account.Resource{table("main", "igw"), table("own", ""), ownTable("own")}, "has no route from and to the internet"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			acct := network()
			for _, r := range tt.existing {
				acct.AddExisting(r)
			}
			i, err := Behind(acct, "203.0.113.1", 80)
			checkError(t, "in", err, tt.want)
			if i.ID != "i" {
				t.Errorf("behind the address is %q", i.ID)
			}
			checkError(t, "out", Outbound(acct, i, 5432), tt.want)
		})
	}
}

func TestPorts(t *testing.T) {
	acct := network()
	acct.AddExisting(table("main", "igw"))
	i, err := Behind(acct, "203.0.113.1", 22)
	checkError(t, "in", err, "no ingress rule")
	for port, want := range map[int]string{5432: "", 5433: "", 5434: "no egress rule", 443: "no egress rule"} {
		checkError(t, "out", Outbound(acct, i, port), want)
	}
	_, err = Behind(acct, "203.0.113.2", 80)
	checkError(t, "another address", err, "no instance is associated")
}

func checkError(t *testing.T, what string, err error, want string) {
	t.Helper()
	if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
		t.Errorf("%s: error = %v, want %q", what, err, want)
	}
}
