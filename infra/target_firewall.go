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

// ingressRule opens a TCP port of the host to a network.
type ingressRule struct {
	child, description, cidr string
	port                     int
}

// newFirewall opens port 80 to everyone and port 22 to the operator, if any. Outbound, it allows only HTTPS, to AWS,
// registries and package mirrors; a VPC's DNS, time and instance metadata bypass security groups (VPC User Guide,
// "Security groups").
func (t *Target) newFirewall(ctx *pulumi.Context, name string, args *TargetArgs, n *network) (*firewall, error) {
	// Auto-named, so that a replacement can exist beside the old group.
	group, err := ec2.NewSecurityGroup(ctx, name+"-host-sg", &ec2.SecurityGroupArgs{
		VpcId:       n.vpc.ID(),
		Description: pulumi.String("Hosts of " + name),
		Tags:        named(name + "-host"),
	}, pulumi.Parent(t))
	if err != nil {
		return nil, err
	}
	rules := []ingressRule{{"-http", "HTTP from anywhere", anywhere, 80}}
	if args.OperatorCIDR != "" {
		rules = append(rules, ingressRule{"-ssh", "SSH from the operator", args.OperatorCIDR, 22})
	}
	for _, rule := range rules {
		_, err := vpc.NewSecurityGroupIngressRule(ctx, name+rule.child, &vpc.SecurityGroupIngressRuleArgs{
			SecurityGroupId: group.ID(),
			Description:     pulumi.String(rule.description),
			IpProtocol:      pulumi.String("tcp"),
			FromPort:        pulumi.Int(rule.port),
			ToPort:          pulumi.Int(rule.port),
			CidrIpv4:        pulumi.String(rule.cidr),
		}, pulumi.Parent(t))
		if err != nil {
			return nil, fmt.Errorf("rule %q: %w", rule.description, err)
		}
	}
	egress, err := vpc.NewSecurityGroupEgressRule(ctx, name+"-https-out", &vpc.SecurityGroupEgressRuleArgs{
		SecurityGroupId: group.ID(),
		Description:     pulumi.String("HTTPS to AWS, registries and package mirrors"),
		IpProtocol:      pulumi.String("tcp"),
		FromPort:        pulumi.Int(443),
		ToPort:          pulumi.Int(443),
		CidrIpv4:        pulumi.String(anywhere),
	}, pulumi.Parent(t))
	if err != nil {
		return nil, fmt.Errorf("outbound rule: %w", err)
	}
	return &firewall{group: group, egress: egress}, nil
}
