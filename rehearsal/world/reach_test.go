package world

import (
	"slices"
	"strings"
	"testing"

	"cicd/rehearsal/aws/account"
	"cicd/rehearsal/console"
)

func TestPortOf(t *testing.T) {
	for text, want := range map[string]int{
		"postgres://u:p@db.example.com/app":               5432,
		"postgresql://u:p@host.docker.internal:6543/app":  6543,
		"jdbc:mysql://db.example.com/app?useSSL=true":     3306,
		"REDISS://cache.example.com":                      6379,
		"smtp://mail.example.com:587":                     587,
		"amqps://[2001:db8::1]/":                          5671,
		"https://example.com/path":                        443,
		"http://localhost:3000":                           0,
		"http://127.0.0.1:3000":                           0,
		"http://[::1]:3000":                               0,
		"debug":                                           0,
		"db.example.com:5432":                             0, // no URL
		"file:///var/lib/app.db":                          0,
		"unknown://example.com":                           0,
		"postgres://u:p%zz@db.example.com":                0,
		"a text\nwith lines":                              0,
		"mongodb://a.example.com:27018,b.example.com/app": 0, // several hosts are no URL
	} {
		if got := portOf(text); got != want {
			t.Errorf("%s: port %d, want %d", text, got, want)
		}
	}
}

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
