package provider

import (
	"fmt"
	"net/netip"
	"regexp"

	"cicd/rehearsal/aws/account"
	"cicd/rehearsal/aws/instancetypes"
)

// userDataLimit is in bytes, before encoding. Source: EC2 User Guide, "Run commands at launch".
const userDataLimit = 16 << 10

// instanceKinds are the types of a host and its address. Sources: EC2 API Reference, RunInstances and error codes;
// pulumi-aws, ec2.InstanceArgs.
var instanceKinds = merge(addressKinds, map[string]kind{
	account.Instance: {
		source: "ec2/ec2_instance.go",
		inputs: schema{
			"ami":                      text().need().match(`ami-[0-9a-f]{8,17}`).keeps(nil).replaces().at(67),
			"instanceType":             text().need().keeps(nil).at(461),
			"subnetId":                 text().need().names(subnetByID).keeps(nil).replaces().at(780),
			"vpcSecurityGroupIds":      set(text().names(securityGroupByID)).keeps(nil).at(832),
			"iamInstanceProfile":       text().names(named(account.InstanceProfile, "name", "InvalidParameterValue: Value (%s) for parameter iamInstanceProfile.name is invalid. Invalid IAM Instance Profile name")).keeps(nil).at(381),
			"keyName":                  text().names(named(account.KeyPair, "keyName", "InvalidKeyPair.NotFound: The key pair '%s' does not exist")).keeps(nil).replaces().at(484),
			"userData":                 text().rule(limitUserData).keeps(nil).at(795),
			"userDataReplaceOnChange":  flag().or(false).at(826),
			"associatePublicIpAddress": flag().keeps(nil).replaces().at(78),
			"monitoring":               flag().keeps(false).at(579),
			"ebsOptimized":             flag().keeps(false).replaces().at(305), // "Default: false" (EC2 API Reference, RunInstances)
			"disableApiTermination":    flag().keeps(false).at(222),
			// What Amazon Linux 2023 images ask for: IMDSv2 with 2 hops (AL2023 User Guide, "IMDSv2").
			"metadataOptions": block(schema{
				"httpEndpoint":            text().oneOf("enabled", "disabled").or("enabled").at(546),
				"httpTokens":              text().oneOf("optional", "required").keeps("required").at(564),
				"httpPutResponseHopLimit": number().length(1, 64).keeps(2.0).at(558),
				"instanceMetadataTags":    text().oneOf("enabled", "disabled").keeps("disabled").at(570),
			}).keeps(nil).at(539),
			"rootBlockDevice": block(schema{
				"deleteOnTermination": flag().or(true).at(696),
				"encrypted":           flag().keeps(false).replaces().at(705),
				"volumeType":          text().oneOf("gp2", "gp3", "io1", "io2", "standard", "st1", "sc1").keeps("gp3").at(740),
				"volumeSize":          number().length(1, 16384).keeps(minimumRootGiB * 1.0).at(735),
				"tags":                tagsOf("aws:ec2/").at(723),
			}).keeps(nil).at(687),
		},
		tagged: true,
		verify: verifyInstance,
		id:     generated("i"),
		computed: map[string]output{
			"arn":                       arnOf("ec2", "instance/%s"),
			"instanceState":             instanceState,
			"availabilityZone":          func(c *call) any { return c.subnet().String("availabilityZone") },
			"primaryNetworkInterfaceId": once("primaryNetworkInterfaceId", newPart("eni")),
			"privateIp":                 once("privateIp", privateIP),
			"privateDns":                once("privateDns", func(c *call) any { return privateName(c.region, privateIP(c).(string)) }),
			"publicIp":                  once("publicIp", instancePublicIP),
			"publicDns":                 once("publicDns", func(c *call) any { return publicName(c.region, instancePublicIP(c).(string)) }),
		},
		replaces: func(path string, olds, news values) bool {
			switch path {
			case "userData":
				return news.flag("userDataReplaceOnChange")
			case "instanceType": // an instance cannot change its architecture
				return instancetypes.Architecture(olds.text("instanceType")) != instancetypes.Architecture(news.text("instanceType"))
			}
			return false
		},
		remove: func(_ *Server, r account.Resource) error {
			if values(r.Properties).flag("disableApiTermination") {
				return fmt.Errorf("OperationNotPermitted: The instance '%s' may not be terminated. Modify its 'disableApiTermination' instance attribute and try again", r.ID)
			}
			return nil
		},
	},
})

// instanceState is that of a new instance, and of one that the provider stops and starts to change its type, whatever it
// was before (modifyInstanceAttributeWithStopStart).
func instanceState(c *call) any {
	if before := c.old.text("instanceState"); before != "" && c.old.text("instanceType") == c.in.text("instanceType") {
		return before
	}
	return "running"
}

func limitUserData(v any) string {
	if s, _ := v.(string); len(s) > userDataLimit {
		return fmt.Sprintf("InvalidParameterValue: User data is limited to %d bytes, got %d", userDataLimit, len(s))
	}
	return ""
}

// minimumRootGiB is the size of the snapshot behind Amazon Linux 2023 images.
const minimumRootGiB = 8

// verifyInstance reports what RunInstances would reject.
func verifyInstance(c *call, r *report) {
	typ, image := c.in.text("instanceType"), c.in.text("ami")
	zone := c.subnet().String("availabilityZone")
	wanted, built := instancetypes.Architecture(typ), imageArchitecture(c.region, image)
	switch {
	case wanted == "":
		r.add("instanceType", "InvalidInstanceType: The following supplied instance types do not exist: [%s] "+
			"(the rehearsal has EC2's list of %s; a newer type cannot be rehearsed)", typ, instancetypes.ListDate)
	case c.in.flag("ebsOptimized") && unoptimized.MatchString(typ):
		r.add("ebsOptimized", "Unsupported: EBS-optimized instances are not supported for your requested configuration (%s). Please check the documentation for supported configurations.", typ)
	case zone != "" && !instancetypes.Offers(zone, typ):
		r.add("instanceType", "Unsupported: Your requested instance type (%s) is not supported in your requested Availability Zone (%s)", typ, zone)
	}
	switch {
	case built == "":
		r.add("ami", "InvalidAMIID.NotFound: The image id '[%s]' does not exist in %s; the rehearsal has the Amazon Linux 2023 images that /aws/service/ami-amazon-linux-latest parameters name", image, c.region)
	case wanted != "" && wanted != built:
		r.add("ami", "InvalidParameterValue: The architecture '%s' of the specified instance type does not match the architecture '%s' of the specified AMI. Specify an instance type and an AMI that have matching architectures", wanted, built)
	}
	if profile, ok := c.acct.Find(account.InstanceProfile, "name", c.in.text("iamInstanceProfile")); ok && profile.String("role") == "" {
		r.add("iamInstanceProfile", "InvalidParameterValue: IAM Instance Profile %q has no associated IAM Roles", profile.String("arn"))
	}
	for _, id := range c.in.texts("vpcSecurityGroupIds") {
		if vpc := networkOf(c.acct, id); vpc != "" && vpc != c.subnet().String("vpcId") {
			r.add("vpcSecurityGroupIds", "InvalidParameter: Security group %s and subnet %s belong to different networks.", id, c.subnet().ID)
		}
	}
	// Amazon EBS User Guide, "Amazon EBS volume types": HDD volumes are no boot volumes, and io1 and io2 need IOPS, which
	// cannot be declared here.
	switch volume := c.in.block("rootBlockDevice").text("volumeType"); volume {
	case "st1", "sc1":
		r.add("rootBlockDevice.volumeType", "InvalidParameterValue: Invalid volume type %s for a boot volume", volume)
	case "io1", "io2":
		r.add("rootBlockDevice.volumeType", "MissingParameter: The parameter iops must be specified for %s volumes; the rehearsal does not know it", volume)
	}
	if root := c.in.block("rootBlockDevice"); root.has("volumeSize") && root.number("volumeSize") < minimumRootGiB {
		r.add("rootBlockDevice.volumeSize", "InvalidBlockDeviceMapping: Volume of size %dGB is smaller than the image's snapshot, expect size >= %dGB", root.number("volumeSize"), minimumRootGiB)
	}
}

// subnet returns the instance's subnet.
func (c *call) subnet() account.Resource {
	subnet, _ := c.acct.Find(account.Subnet, "id", c.in.text("subnetId"))
	return subnet
}

// networkOf returns the VPC of a security group, or "" if there is no such group.
func networkOf(acct *account.Account, group string) string {
	if vpc, ok := acct.Find(account.VPC, "defaultSecurityGroupId", group); ok {
		return vpc.ID
	}
	found, _ := acct.Find(account.SecurityGroup, "id", group)
	return found.String("vpcId")
}

// reservedAddresses is the number of reserved addresses at the start of every subnet. Source: VPC User Guide, "Subnet
// sizing": network, router, DNS, future use.
const reservedAddresses = 4

// privateIP returns the first free address of the subnet.
func privateIP(c *call) any {
	block, err := netip.ParsePrefix(c.subnet().String("cidrBlock"))
	if err != nil {
		return ""
	}
	address := block.Addr()
	for range reservedAddresses {
		address = address.Next()
	}
	for inUse(c.acct, account.Instance, "privateIp", address) {
		address = address.Next()
	}
	return address.String()
}

// instancePublicIP returns the public address that an instance gets at launch, or "" for none.
func instancePublicIP(c *call) any {
	wanted := values(c.subnet().Properties).flag("mapPublicIpOnLaunch")
	if c.in.has("associatePublicIpAddress") {
		wanted = c.in.flag("associatePublicIpAddress")
	}
	if !wanted {
		return ""
	}
	return freePublicIP(c.acct)
}

// unoptimized matches the types that cannot be EBS-optimized and that a stack may use. Source: EC2 User Guide,
// "Amazon EBS-optimized instance types", which does not list them; a few sizes from before 2014 are not listed either.
var unoptimized = regexp.MustCompile(`^t[12]\.`)
