package provider

import (
	"fmt"
	"strconv"
	"strings"

	"cicd/rehearsal/aws/account"
)

// securityGroupByID also finds the default group of every VPC.
var securityGroupByID = reference{
	fault: "InvalidGroup.NotFound: The security group '%s' does not exist",
	exists: func(acct *account.Account, id string) bool {
		_, ok := acct.Find(account.SecurityGroup, "id", id)
		if !ok {
			_, ok = acct.Find(account.VPC, "defaultSecurityGroupId", id)
		}
		return ok
	},
}

// securityText is what names and descriptions of security groups and rules may contain. Source: EC2 API Reference,
// CreateSecurityGroup.
const securityText = `[a-zA-Z0-9 ._\-:/()#,@\[\]+=&;{}!$*]*`

// securityGroupKinds leaves out inline rules: they and separate rule resources would undo each other.
var securityGroupKinds = map[string]kind{
	account.SecurityGroup: {
		inputs: schema{
			"name": text().length(1, 255).match(securityText).replaces().rule(func(v any) string {
				if name, _ := v.(string); strings.HasPrefix(name, "sg-") {
					return "invalid value: name cannot begin with sg-"
				}
				return ""
			}),
			"description": text().length(1, 255).match(securityText).or("Managed by Pulumi").replaces(),
			"vpcId":       text().need().names(vpcByID).replaces(),
		},
		autoname: &autoname{"name", 255},
		tagged:   true,
		unique:   []string{"vpcId", "name"}, taken: "InvalidGroup.Duplicate: The security group '%s' already exists in this VPC",
		id:         generated("sg"),
		computed:   map[string]output{"arn": arnOf("ec2", "security-group/%s"), "ownerId": ownAccount},
		dependents: []dependent{{account.Instance, "vpcSecurityGroupIds"}, {account.IngressRule, "referencedSecurityGroupId"}, {account.EgressRule, "referencedSecurityGroupId"}},
		inUse:      "DependencyViolation: resource %s has a dependent object",
	},
	account.DefaultSecurityGroup: {
		inputs: schema{
			"vpcId":   text().need().names(vpcByID).replaces(),
			"ingress": list(block(schema{})).length(0, 0),
			"egress":  list(block(schema{})).length(0, 0),
		},
		tagged: true,
		unique: []string{"vpcId"}, taken: "another resource already manages the default security group of %s",
		id: func(c *call) string {
			vpc, _ := c.acct.Find(account.VPC, "id", c.in.text("vpcId"))
			return vpc.String("defaultSecurityGroupId")
		},
		computed: map[string]output{
			"arn": arnOf("ec2", "security-group/%s"), "ownerId": ownAccount,
			"name": constant("default"), "description": constant("default VPC security group"),
		},
	},
	account.IngressRule: securityGroupRule(account.IngressRule),
	account.EgressRule:  securityGroupRule(account.EgressRule),
}

// peers are the properties of which a rule must have exactly one.
var peers = []string{"cidrIpv4", "cidrIpv6", "referencedSecurityGroupId"}

func securityGroupRule(token string) kind {
	return kind{
		inputs: schema{
			"securityGroupId":           text().need().names(securityGroupByID).replaces(),
			"ipProtocol":                text().need(),
			"fromPort":                  number().length(-1, 65535),
			"toPort":                    number().length(-1, 65535),
			"cidrIpv4":                  cidr(0, 32),
			"cidrIpv6":                  cidr(0, 128),
			"referencedSecurityGroupId": text().names(securityGroupByID),
			"description":               text().length(0, 255).match(securityText),
		},
		tagged: true,
		check:  checkRule,
		verify: func(c *call, r *report) {
			for _, other := range c.acct.ByType(token) {
				if other.ID != c.id && sameRule(other.Properties, c.in) {
					r.add("", "InvalidPermission.Duplicate: the specified rule already exists (%q)", other.Name)
				}
			}
		},
		id: generated("sgr"),
		computed: map[string]output{
			"arn":                 arnOf("ec2", "security-group-rule/%s"),
			"securityGroupRuleId": func(c *call) any { return c.id },
		},
	}
}

// checkRule reports rules without exactly one peer, or whose ports do not fit the protocol.
func checkRule(c *call, r *report) {
	count := 0
	for _, peer := range peers {
		if c.in.has(peer) {
			count++
		}
	}
	if count != 1 {
		r.add("", "exactly one of %s must be set, got %d", strings.Join(peers, ", "), count)
	}
	if !c.known("ipProtocol", "fromPort", "toPort") {
		return
	}
	switch protocol := c.in.text("ipProtocol"); protocol {
	case "-1":
		if c.in.has("fromPort") || c.in.has("toPort") {
			r.add("fromPort", "ports must not be set when ipProtocol is -1, which means all ports of all protocols")
		}
	case "tcp", "udp", "6", "17":
		from, to := c.in.number("fromPort"), c.in.number("toPort")
		if !c.in.has("fromPort") || !c.in.has("toPort") || from < 0 || from > to {
			r.add("fromPort", "InvalidParameterValue: Invalid %s port range from %v to %v", protocol, c.in["fromPort"], c.in["toPort"])
		}
	case "icmp", "icmpv6", "1", "58":
	default:
		if n, err := strconv.Atoi(protocol); err != nil || n < 0 || n > 255 {
			r.add("ipProtocol", "InvalidParameterValue: Invalid value '%s' for IP protocol. Unknown protocol.", protocol)
		}
	}
}

// sameRule reports whether AWS would treat two rules of a group as duplicates.
func sameRule(a, b values) bool {
	for _, name := range append([]string{"securityGroupId", "ipProtocol", "fromPort", "toPort"}, peers...) {
		if fmt.Sprint(a[name]) != fmt.Sprint(b[name]) {
			return false
		}
	}
	return true
}
