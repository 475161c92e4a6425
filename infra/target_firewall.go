package infra

import (
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ec2"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/vpc"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

const anywhere = "0.0.0.0/0"

// firewall is the host's security group with its rules.
type firewall struct {
	group *ec2.SecurityGroup
	// egress is the outbound rule, which the first boot needs.
	egress pulumi.Resource
}

// ingressRule opens a port of the host to a network.
type ingressRule struct {
	child, description, protocol, cidr string
	port                               int
}

// ingressRules are the host's: port 80 for everyone, and 443 with a domain, where HTTP/3 is UDP (RFC 9114, section
// 3.1); port 22 for the operator, if any.
func (a *TargetArgs) ingressRules() []ingressRule {
	rules := []ingressRule{{"-http", "HTTP from anywhere", "tcp", anywhere, 80}}
	if a.Domain != "" {
		rules = append(rules,
			ingressRule{"-https", "HTTPS from anywhere", "tcp", anywhere, 443},
			ingressRule{"-http3", "HTTP/3 from anywhere", "udp", anywhere, 443})
	}
	if a.OperatorCIDR != "" {
		rules = append(rules, ingressRule{"-ssh", "SSH from the operator", "tcp", a.OperatorCIDR, 22})
	}
	return rules
}

// newFirewall makes the security group. Outbound, it allows only HTTPS, to AWS, registries and package mirrors, and
// what the application needs; a VPC's DNS, time and instance metadata bypass security groups (VPC User Guide, "Security
// groups").
func (t *Target) newFirewall(ctx *pulumi.Context, name string, args *TargetArgs, n *network) (*firewall, error) {
	// Auto-named, so that a replacement can exist beside the old group.
	group, err := ec2.NewSecurityGroup(ctx, name+"-host-sg", &ec2.SecurityGroupArgs{
		VpcId:       n.vpcID,
		Description: pulumi.String("Hosts of " + name),
		Tags:        named(name + "-host"),
	}, pulumi.Parent(t))
	if err != nil {
		return nil, err
	}
	for _, rule := range args.ingressRules() {
		_, err := vpc.NewSecurityGroupIngressRule(ctx, name+rule.child, &vpc.SecurityGroupIngressRuleArgs{
			SecurityGroupId: group.ID(),
			Description:     pulumi.String(rule.description),
			IpProtocol:      pulumi.String(rule.protocol),
			FromPort:        pulumi.Int(rule.port),
			ToPort:          pulumi.Int(rule.port),
			CidrIpv4:        pulumi.String(rule.cidr),
		}, pulumi.Parent(t))
		if err != nil {
			return nil, fmt.Errorf("rule %q: %w", rule.description, err)
		}
	}
	egress, err := t.newEgress(ctx, name+"-https-out", group, "HTTPS to AWS, registries and package mirrors", 443)
	if err != nil {
		return nil, err
	}
	for _, port := range args.EgressPorts {
		if _, err := t.newEgress(ctx, fmt.Sprintf("%s-out-%d", name, port), group, fmt.Sprintf("Port %d for the application", port), port); err != nil {
			return nil, err
		}
	}
	return &firewall{group: group, egress: egress}, nil
}

// newEgress opens an outbound TCP port to every address: a database or a mail server elsewhere rarely has a fixed one.
func (t *Target) newEgress(ctx *pulumi.Context, child string, group *ec2.SecurityGroup, description string, port int) (pulumi.Resource, error) {
	rule, err := vpc.NewSecurityGroupEgressRule(ctx, child, &vpc.SecurityGroupEgressRuleArgs{
		SecurityGroupId: group.ID(),
		Description:     pulumi.String(description),
		IpProtocol:      pulumi.String("tcp"),
		FromPort:        pulumi.Int(port),
		ToPort:          pulumi.Int(port),
		CidrIpv4:        pulumi.String(anywhere),
	}, pulumi.Parent(t))
	if err != nil {
		return nil, fmt.Errorf("outbound rule %q: %w", description, err)
	}
	return rule, nil
}
