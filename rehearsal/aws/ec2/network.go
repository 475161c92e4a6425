// Package ec2 serves EC2's API for the declared instances, and decides which connections the declared network allows:
// addresses, security groups and routes.
package ec2

import (
	"fmt"
	"net/netip"

	"cicd/rehearsal/aws/account"
)

// anywhere is the source of a client on the internet and the destination of a server there.
var anywhere = netip.MustParsePrefix("0.0.0.0/0")

// Instance is a declared EC2 instance.
type Instance struct {
	ID             string
	SubnetID       string            `json:"subnetId"`
	SecurityGroups []string          `json:"vpcSecurityGroupIds"`
	Tags           map[string]string `json:"tagsAll"`
	State          string            `json:"instanceState"`
}

// Instances returns the declared instances.
func Instances(acct *account.Account) ([]Instance, error) {
	var all []Instance
	for _, r := range acct.ByType(account.Instance) {
		i, err := account.Decode[Instance](r)
		if err != nil {
			return nil, err
		}
		i.ID = r.ID
		all = append(all, i)
	}
	return all, nil
}

// Behind returns the instance that an internet client reaches through a TCP port of an Elastic IP. The error says
// what is missing; in AWS such a client would wait until it times out.
func Behind(acct *account.Account, publicIP string, port int) (Instance, error) {
	instances, err := Instances(acct)
	if err != nil {
		return Instance{}, err
	}
	for _, i := range instances {
		if !associated(acct, publicIP, i.ID) {
			continue
		}
		if err := reachable(acct, i); err != nil {
			return i, err
		}
		if !allowed(acct, i, account.IngressRule, port) {
			return i, fmt.Errorf("no ingress rule of instance %s's security groups %v lets the internet reach tcp/%d", i.ID, i.SecurityGroups, port)
		}
		return i, nil
	}
	return Instance{}, fmt.Errorf("no instance is associated with the address %s", publicIP)
}

// Outbound returns what stops an instance from connecting to a TCP port on the internet, or nil.
func Outbound(acct *account.Account, i Instance, port int) error {
	if err := reachable(acct, i); err != nil {
		return err
	}
	if !allowed(acct, i, account.EgressRule, port) {
		return fmt.Errorf("no egress rule of instance %s's security groups %v lets it reach tcp/%d on the internet", i.ID, i.SecurityGroups, port)
	}
	return nil
}

func associated(acct *account.Account, publicIP, instanceID string) bool {
	for _, eip := range acct.ByType(account.EIP) {
		if eip.String("publicIp") != publicIP {
			continue
		}
		if eip.String("instance") == instanceID {
			return true
		}
		for _, a := range acct.ByType(account.EIPAssociation) {
			if a.String("allocationId") == eip.ID && a.String("instanceId") == instanceID {
				return true
			}
		}
	}
	return false
}

// reachable returns an error if nothing can reach the instance, nor be reached from it.
func reachable(acct *account.Account, i Instance) error {
	if i.State != "" && i.State != running {
		return fmt.Errorf("instance %s is %s", i.ID, i.State)
	}
	return throughGateway(acct, i)
}

// throughGateway returns an error unless the instance's subnet has a default route to an internet gateway.
func throughGateway(acct *account.Account, i Instance) error {
	if hasDefaultRoute(acct, routeTableOf(acct, i.SubnetID)) {
		return nil
	}
	return fmt.Errorf("subnet %s of instance %s has no route from and to the internet through an internet gateway", i.SubnetID, i.ID)
}

// routeTableOf returns the id of a subnet's route table: its own or, if it is associated with none, its VPC's main one
// (VPC User Guide, "Subnet route tables").
func routeTableOf(acct *account.Account, subnet string) string {
	if a, ok := acct.Find(account.RouteTableAssociation, "subnetId", subnet); ok {
		return a.String("routeTableId")
	}
	s, _ := acct.Find(account.Subnet, "id", subnet)
	vpc, _ := acct.Find(account.VPC, "id", s.String("vpcId"))
	return vpc.String("mainRouteTableId")
}

// hasDefaultRoute reports whether a table routes the internet through a gateway. A main table that the stack does not
// declare has no such route, unless it is from before the stack.
func hasDefaultRoute(acct *account.Account, table string) bool {
	type route struct {
		Inline      string `json:"cidrBlock"`
		Destination string `json:"destinationCidrBlock"`
		Gateway     string `json:"gatewayId"`
	}
	var routes []route
	for _, r := range acct.ByType(account.Route) {
		if decoded, err := account.Decode[route](r); err == nil && r.String("routeTableId") == table {
			routes = append(routes, decoded)
		}
	}
	if r, ok := acct.Find(account.RouteTable, "id", table); ok {
		inline, err := account.Decode[struct {
			Routes []route `json:"routes"`
		}](r)
		if err == nil {
			routes = append(routes, inline.Routes...)
		}
	}
	for _, r := range routes {
		_, declared := acct.Find(account.InternetGateway, "id", r.Gateway)
		if declared && (r.Destination == anywhere.String() || r.Inline == anywhere.String()) {
			return true
		}
	}
	return false
}

// allowed reports whether a rule of the instance's security groups opens the port to the whole internet. direction is
// account.IngressRule or account.EgressRule.
func allowed(acct *account.Account, i Instance, direction string, port int) bool {
	groups := map[string]bool{}
	for _, id := range i.SecurityGroups {
		groups[id] = true
	}
	for _, r := range acct.ByType(direction) {
		rule, err := account.Decode[struct {
			Group    string `json:"securityGroupId"`
			Protocol string `json:"ipProtocol"`
			From     int    `json:"fromPort"`
			To       int    `json:"toPort"`
			CIDR     string `json:"cidrIpv4"`
		}](r)
		if err != nil || !groups[rule.Group] || rule.CIDR != anywhere.String() {
			continue
		}
		if rule.Protocol == "-1" || rule.Protocol == "tcp" && rule.From <= port && port <= rule.To {
			return true
		}
	}
	return false
}
