package provider

import (
	"cmp"
	"fmt"
	"slices"
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
		source: "ec2/vpc_security_group.go",
		inputs: schema{
			"name":        text().length(1, 255).match(securityText).keeps(nil).replaces().rule(checkGroupName).at(74),
			"description": text().length(1, 255).match(securityText).or("Managed by Pulumi").replaces().at(65),
			"vpcId":       text().need().names(vpcByID).keeps(nil).replaces().at(107),
		},
		autoname: &autoname{"name", 255},
		tagged:   true,
		unique:   []string{"vpcId", "name"}, taken: "InvalidGroup.Duplicate: The security group '%s' already exists in this VPC",
		id:         generated("sg"),
		computed:   map[string]output{"arn": arnOf("ec2", "security-group/%s"), "ownerId": ownAccount},
		dependents: []dependent{{token: account.Instance, property: "vpcSecurityGroupIds"}, {token: account.IngressRule, property: "referencedSecurityGroupId"}, {token: account.EgressRule, property: "referencedSecurityGroupId"}},
		inUse:      "DependencyViolation: resource %s has a dependent object",
	},
	account.DefaultSecurityGroup: {
		source: "ec2/vpc_default_security_group.go",
		inputs: schema{
			"vpcId":   text().need().names(vpcByID).keeps(nil).replaces().at(72),
			"ingress": set(block(schema{})).length(0, 0).keeps(nil).at(51),
			"egress":  set(block(schema{})).length(0, 0).keeps(nil).at(50),
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

// checkGroupName rejects reserved names. Source: EC2 API Reference, CreateSecurityGroup: "Cannot start with sg-", and
// DeleteSecurityGroup: the name default is that of a VPC's own group.
func checkGroupName(v any) string {
	switch name, _ := v.(string); {
	case strings.HasPrefix(name, "sg-"):
		return "invalid value: name cannot begin with sg-"
	case name == "default":
		return "InvalidParameterValue: Cannot use reserved security group name: default"
	}
	return ""
}

// peers are the properties of which a rule must have exactly one.
var peers = []string{"cidrIpv4", "cidrIpv6", "referencedSecurityGroupId"}

func securityGroupRule(token string) kind {
	return kind{
		source: "ec2/vpc_security_group_ingress_rule.go", // both types share it
		inputs: schema{
			"securityGroupId":           text().need().names(securityGroupByID).replaces().at(139),
			"ipProtocol":                text().need().same(sameProtocol).at(127),
			"fromPort":                  number().length(-1, 65535).at(120),
			"toPort":                    number().length(-1, 65535).at(153),
			"cidrIpv4":                  cidr(0, 32).at(105),
			"cidrIpv6":                  cidr(0, 128).at(111),
			"referencedSecurityGroupId": text().names(securityGroupByID).at(136),
			"description":               text().length(0, 255).match(securityText).at(117),
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
		// "When you modify a rule, you cannot change the rule's source type" (the same file, ModifyPlan).
		replaces: func(path string, olds, news values) bool {
			return slices.Contains(peers, path) && olds.has(path) != news.has(path)
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

// sameProtocol compares protocols by name or number. Source: terraform-provider-aws, ec2/vpc_security_group.go,
// ProtocolForValue.
func sameProtocol(before, after string) bool {
	names := map[string]string{"6": "tcp", "17": "udp", "1": "icmp", "58": "icmpv6", "all": "-1"}
	name := func(protocol string) string {
		protocol = strings.ToLower(protocol)
		return cmp.Or(names[protocol], protocol)
	}
	return name(before) == name(after)
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
