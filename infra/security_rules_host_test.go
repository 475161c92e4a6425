package infra

import (
	"fmt"
	"slices"
	"strings"
)

// hostRules are for the host, its disks, and its network.
var hostRules = []securityRule{
	{"Host", "EC2.8, CIS 5.7, CKV_AWS_79, AWS-0028", "instance metadata needs a token (IMDSv2)",
		func(v view) []string {
			return v.every(instance, func(p props) bool { return p.is("metadataOptions.httpTokens", "required") })
		}, ""},
	{"Host", "own", "no container reaches the instance's credentials, unless appPolicyArns is set",
		func(v view) []string {
			v.asked[attachment] = true
			return v.every(instance, func(p props) bool {
				return p.is("metadataOptions.httpPutResponseHopLimit", 1) || len(v.ofType(attachment)) > 0 && p.is("metadataOptions.httpPutResponseHopLimit", 2)
			})
		}, ""},
	{"Host", "AutoScaling.4, CKV_AWS_341", "instance metadata is one hop away at most",
		func(v view) []string {
			return v.every(instance, func(p props) bool { return p.is("metadataOptions.httpPutResponseHopLimit", 1) })
		}, "With appPolicyArns, the application is meant to have the host's role, and its containers are the second hop"},
	{"Host", "EC2.3, CKV_AWS_8, AWS-0131", "its disk is encrypted",
		func(v view) []string {
			return v.every(instance, func(p props) bool { return p.is("rootBlockDevice.encrypted", true) })
		}, ""},
	{"Host", "CKV_AWS_126", "it has one-minute monitoring",
		func(v view) []string {
			return v.every(instance, func(p props) bool { return p.is("monitoring", true) })
		},
		"It costs about two dollars a month, and the pipeline does not use it: a release is judged by the application's own answers"},
	{"Host", "CKV_AWS_135", "it is EBS-optimized",
		func(v view) []string {
			return v.every(instance, func(p props) bool { return p.is("ebsOptimized", true) })
		}, "EC2 enables it by default if the type supports it; setting it would replace the host on a change from a type that does not to one that does"},
	{"Host", "CIS 1.17, CKV2_AWS_41", "it has an instance profile, and no keys",
		func(v view) []string {
			return append(v.every(instance, func(p props) bool { return p.text("iamInstanceProfile") != "" }),
				append(v.every("iam/instanceProfile:InstanceProfile", func(p props) bool { return p.text("role") != "" }), v.none("iam/accessKey:AccessKey")...)...)
		}, ""},
	{"Host", "EC2.9, CKV_AWS_88", "it has no public address",
		func(v view) []string { return v.none("ec2/eipAssociation:EipAssociation") }, oneHost},
	{"Host", "CKV2_AWS_19", "its Elastic IP is attached",
		func(v view) []string {
			return v.every("ec2/eip:Eip", v.has("ec2/eip:Eip", "ec2/eipAssociation:EipAssociation"))
		}, ""},
	{"Host", "CKV_AWS_46, AWS-0029", "no secret is in its user data",
		func(v view) []string {
			return v.every(instance, func(p props) bool { return !secretValue.MatchString(p.text("userData")) })
		}, ""},
	{"Host", "EC2.17", "it has one network interface",
		func(v view) []string {
			return append(v.every(instance, func(p props) bool { return p.at("networkInterfaces") == nil }),
				v.none("ec2/networkInterface:NetworkInterface")...)
		}, ""},
	{"Host", "SSM.1", "Systems Manager can reach it",
		func(v view) []string {
			return v.every(instance, func(props) bool {
				return slices.ContainsFunc(v.statements(rolePolicy), func(s statement) bool { return slices.Contains(s.Action, "ssm:UpdateInstanceInformation") })
			})
		}, ""},
	{"Host", "own", "a key pair is a public key that the operator provides",
		func(v view) []string {
			return v.every("ec2/keyPair:KeyPair", func(p props) bool { return p.text("publicKey") == testKey })
		}, ""},

	{"Data volume", "CKV_AWS_3, AWS-0026", "it is encrypted, and so are its snapshots",
		func(v view) []string {
			return v.every(dataVolume, func(p props) bool { return p.is("encrypted", true) })
		}, ""},
	{"Data volume", "CKV_AWS_189, AWS-0027", "it is encrypted with a customer-managed key",
		func(v view) []string {
			return v.every(dataVolume, func(p props) bool { return p.text("kmsKeyId") != "" })
		}, ownKey},
	{"Data volume", "own", "a snapshot is taken daily, and when it is deleted",
		func(v view) []string {
			return slices.Concat(v.every(dataVolume, v.has(dataVolume, snapshotPolicy)),
				v.every(dataVolume, func(p props) bool { return p.is("finalSnapshot", true) }),
				v.every(snapshotPolicy, func(p props) bool {
					return p.is("state", "ENABLED") && p.is("policyDetails.schedules.0.createRule.interval", 24) && p.is("policyDetails.schedules.0.retainRule.count", 7)
				}))
		}, ""},
	{"Data volume", "EC2.28, CKV2_AWS_9", "AWS Backup has a plan for it",
		func(v view) []string {
			return v.every(dataVolume, v.has(dataVolume, "backup/selection:Selection"))
		}, "Data Lifecycle Manager takes its snapshots, without a vault and a second price list"},

	{"Firewall", "CKV_AWS_23, AWS-0099, AWS-0124", "every group and rule has a description",
		func(v view) []string {
			described := func(p props) bool { return p.text("description") != "" }
			return slices.Concat(v.every(securityGroup, described), v.every(ingress, described), v.every(egress, described))
		}, ""},
	{"Firewall", "EC2.18, EC2.19, CIS 5.3, CIS 5.4, CKV_AWS_24, CKV_AWS_25, CKV_AWS_277, AWS-0107", "nothing but port 80, and with a domain port 443, is open to the internet",
		func(v view) []string {
			https := fmt.Sprint(v.outputs["appUrl"])[:5] == "https"
			return v.every(ingress, func(p props) bool {
				web := p.is("fromPort", 443) && https && (p.is("ipProtocol", "tcp") || p.is("ipProtocol", "udp")) // UDP is HTTP/3
				ssh := p.is("fromPort", 22) && p.text("cidrIpv4") != anywhere && p.text("cidrIpv4") != ""
				return p.is("fromPort", p.at("toPort")) && (web || p.is("ipProtocol", "tcp") && (p.is("fromPort", 80) || ssh))
			})
		}, ""},
	{"Firewall", "CKV_AWS_260", "port 80 is not open to the internet",
		func(v view) []string {
			return v.every(ingress, func(p props) bool { return !p.is("fromPort", 80) || p.text("cidrIpv4") != anywhere })
		}, "The application answers there, or with a domain the redirect to HTTPS and the CA's challenges"},
	{"Firewall", "CKV_AWS_382", "the host's only outbound traffic is HTTPS, and TCP to the single ports of egressPorts",
		func(v view) []string {
			return v.every(egress, func(p props) bool {
				named := p.is("fromPort", 443) || strings.HasSuffix(p.name, fmt.Sprintf("-out-%v", p.at("fromPort")))
				return p.is("ipProtocol", "tcp") && p.is("toPort", p.at("fromPort")) && named
			})
		}, ""},
	{"Firewall", "AWS-0104", "no outbound traffic may go to any address", // trivy-checks, aws/ec2/no_public_egress_sgr.rego
		func(v view) []string {
			return v.every(egress, func(p props) bool { return p.text("cidrIpv4") != anywhere })
		}, "AWS's APIs, registries and package mirrors have no fixed addresses, nor do most databases. Only HTTPS and egressPorts may leave"},
	{"Firewall", "own", "no rule is declared inside a group: inline and separate rules would undo each other",
		func(v view) []string {
			return v.every(securityGroup, func(p props) bool { return p.at("ingress") == nil && p.at("egress") == nil })
		}, ""},
	{"Firewall", "CKV2_AWS_5", "every group is attached",
		func(v view) []string {
			return v.every(instance, func(p props) bool { return p.at("vpcSecurityGroupIds.0") != nil })
		}, ""},

	{"Network", "EC2.2, CIS 5.5, CKV2_AWS_12, AWS-0173", "the default security group lets nothing through",
		func(v view) []string {
			return slices.Concat(v.every(vpcKind, v.has(vpcKind, "ec2/defaultSecurityGroup:DefaultSecurityGroup")),
				v.every("ec2/defaultSecurityGroup:DefaultSecurityGroup", func(p props) bool { return p.at("ingress") == nil && p.at("egress") == nil }))
		}, ""},
	{"Network", "AWS-0101", "the default VPC is not used",
		func(v view) []string {
			return append(v.none("ec2/defaultVpc:DefaultVpc"), v.every(subnet, func(p props) bool { return p.text("vpcId") != "" })...)
		}, ""},
	{"Network", "EC2.15, CKV_AWS_130, AWS-0164", "subnets assign no public addresses automatically",
		func(v view) []string {
			return v.every(subnet, func(p props) bool { return p.is("mapPublicIpOnLaunch", false) })
		}, ""},
	{"Network", "EC2.6, CIS 3.7, CKV2_AWS_11, AWS-0178", "flow logs are kept",
		func(v view) []string { return v.every(vpcKind, v.has(vpcKind, "ec2/flowLog:FlowLog")) },
		"They are priced by volume, and an account that wants them has them from its landing zone. The network has one host with one open port"},
	{"Network", "EC2.21, CKV2_AWS_1", "a network ACL closes ports 22 and 3389",
		func(v view) []string { return v.every(vpcKind, v.has(vpcKind, "ec2/networkAcl:NetworkAcl")) },
		"The security groups already close them, and are stateful; a second list of ports is one more thing to forget"},
	{"Network", "EC2.10, EC2.55, EC2.56, EC2.57, EC2.58, EC2.60, EC2.172", "AWS is reached through endpoints, and public access to the VPC is blocked",
		func(v view) []string { return v.every(vpcKind, v.has(vpcKind, "ec2/vpcEndpoint:VpcEndpoint")) }, oneHost},

	{"Domain", "own", "its record leads to the stack's Elastic IP, and to nothing that another could take over",
		func(v view) []string {
			return v.every("route53/record:Record", func(p props) bool {
				return p.is("type", "A") && p.is("records.0", testAddress) && p.at("records.1") == nil
			})
		}, ""},
	{"Domain", "own", "its record replaces none that somebody else made",
		func(v view) []string {
			return v.every("route53/record:Record", func(p props) bool { return p.at("allowOverwrite") == nil })
		}, ""},
}
