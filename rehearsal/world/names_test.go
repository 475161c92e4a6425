package world

import (
	"errors"
	"net"
	"strings"
	"testing"

	"cicd/rehearsal/aws/account"
)

// TestResolve: the stack's own records count first, and a name that nobody has made a record for does not exist.
func TestResolve(t *testing.T) {
	c := &cloud{account: account.New("123456789012")}
	var missing *net.DNSError
	if _, err := c.resolve("shop.example.com"); !errors.As(err, &missing) || !missing.IsNotFound {
		t.Errorf("without a record: %v, want that there is no such host", err)
	}
	if !c.names.made("shop.example.com", "203.0.113.1") || c.names.made("shop.example.com", "203.0.113.1") {
		t.Error("a record is made twice, or not at all")
	}
	if got, err := c.resolve("shop.example.com"); got != "203.0.113.1" || err != nil {
		t.Errorf("made by a person: %q, %v", got, err)
	}
	c.account.Put(account.Resource{URN: "record", ID: "record", Type: account.Record, Properties: map[string]any{
		"type": "A", "fqdn": "shop.example.com", "records": []any{"203.0.113.2"},
	}})
	for host, want := range map[string]string{"shop.example.com": "203.0.113.2", "203.0.113.9": "203.0.113.9"} {
		if got, err := c.resolve(host); got != want || err != nil {
			t.Errorf("%s: %q, %v, want %s", host, got, err, want)
		}
	}
}

// TestRecordToMake reads what infra's output nextStep says.
func TestRecordToMake(t *testing.T) {
	const step = "Make this DNS record, unless it is there: `shop.example.com. 60 IN A 203.0.113.1`. Then the host"
	if got := recordToMake.FindStringSubmatch(step); len(got) != 3 || got[1] != "shop.example.com" || got[2] != "203.0.113.1" {
		t.Errorf("read %q", got)
	}
}

// TestOnlyThroughTheNetwork: the CA and visitors reach a port only if the declared firewall lets them.
func TestOnlyThroughTheNetwork(t *testing.T) {
	c := &cloud{account: account.New("123456789012"), hosts: hosts{byID: map[string]*Host{"i-1": {Edge: "127.0.0.1:20080", EdgeTLS: "127.0.0.1:20443"}}}}
	put := func(token, id string, properties map[string]any) {
		c.account.Put(account.Resource{URN: id, ID: id, Type: token, Properties: properties})
	}
	put(account.VPC, "vpc", map[string]any{"mainRouteTableId": "main"})
	put(account.InternetGateway, "igw", map[string]any{})
	put(account.Subnet, "subnet", map[string]any{"vpcId": "vpc"})
	put(account.RouteTableAssociation, "association", map[string]any{"subnetId": "subnet", "routeTableId": "table"})
	put(account.Route, "route", map[string]any{"routeTableId": "table", "destinationCidrBlock": "0.0.0.0/0", "gatewayId": "igw"})
	put(account.Instance, "i-1", map[string]any{"subnetId": "subnet", "vpcSecurityGroupIds": []any{"group"}})
	put(account.EIP, "eip", map[string]any{"publicIp": "203.0.113.1", "instance": "i-1"})
	put(account.IngressRule, "http", map[string]any{"securityGroupId": "group", "ipProtocol": "tcp", "fromPort": 80, "toPort": 80, "cidrIpv4": "0.0.0.0/0"})
	put(account.IngressRule, "http3", map[string]any{"securityGroupId": "group", "ipProtocol": "udp", "fromPort": 443, "toPort": 443, "cidrIpv4": "0.0.0.0/0"})
	if got, err := c.locally("203.0.113.1", 80); got != "127.0.0.1:20080" || err != nil {
		t.Errorf("port 80: %q, %v", got, err)
	}
	if got, err := c.locally("203.0.113.1", 443); err == nil || !strings.Contains(err.Error(), "no ingress rule") {
		t.Errorf("port 443 with a rule for UDP alone: %q, %v, want that no rule lets it in", got, err)
	}
	put(account.IngressRule, "https", map[string]any{"securityGroupId": "group", "ipProtocol": "tcp", "fromPort": 443, "toPort": 443, "cidrIpv4": "0.0.0.0/0"})
	if got, err := c.locally("203.0.113.1", 443); got != "127.0.0.1:20443" || err != nil {
		t.Errorf("port 443: %q, %v", got, err)
	}
}
