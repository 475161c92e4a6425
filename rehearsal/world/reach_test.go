package world

import (
	"slices"
	"strings"
	"testing"

	"cicd/rehearsal/aws/account"
	"cicd/rehearsal/console"
)

// TestWarnOfPorts: only what the security group does not let out is told, without the URL, which may hold a password.
func TestWarnOfPorts(t *testing.T) {
	acct := account.New(accountID)
	for _, r := range []account.Resource{
		{Type: account.Instance, ID: "i-1", Properties: map[string]any{"subnetId": "subnet-1", "vpcSecurityGroupIds": []any{"sg-1"}}},
		{Type: account.InternetGateway, ID: "igw-1"},
		{Type: account.RouteTable, ID: "rtb-1"},
		{Type: account.Route, ID: "r-1", Properties: map[string]any{"routeTableId": "rtb-1", "destinationCidrBlock": "0.0.0.0/0", "gatewayId": "igw-1"}},
		{Type: account.RouteTableAssociation, ID: "a-1", Properties: map[string]any{"routeTableId": "rtb-1", "subnetId": "subnet-1"}},
		{Type: account.EgressRule, ID: "sgr-1", Properties: map[string]any{"securityGroupId": "sg-1", "ipProtocol": "tcp", "fromPort": 443.0, "toPort": 443.0, "cidrIpv4": "0.0.0.0/0"}},
	} {
		r.URN = r.ID
		acct.Put(r)
	}
	var out strings.Builder
	c := &cloud{account: acct, report: &reporter{Console: console.New(&out)}}
	err := c.warnOfPorts(map[string]string{
		"DATABASE_URL": "postgres://u:hunter2@db.example.com/app", "API": "https://api.example.com", "LEVEL": "debug", "CACHE": "redis://c:6380",
	})
	want := []string{
		"warning: CACHE has a URL with port 6380, which the security group does not let out: add 6380 to egressPorts",
		"warning: DATABASE_URL has a URL with port 5432, which the security group does not let out: add 5432 to egressPorts",
	}
	if err != nil || !slices.Equal(c.report.notes.all, want) {
		t.Errorf("warnings %q, %v; want %q", c.report.notes.all, err, want)
	}
}
