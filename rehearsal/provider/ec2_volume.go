package provider

import (
	"fmt"
	"hash/crc32"
	"slices"

	"cicd/rehearsal/aws/account"
	"cicd/rehearsal/aws/instancetypes"
)

var (
	instanceByID = named(account.Instance, "id", "InvalidInstanceID.NotFound: The instance ID '%s' does not exist")
	volumeByID   = named(account.Volume, "id", "InvalidVolume.NotFound: The volume '%s' does not exist.")
)

// Sizes in GiB that types of volumes can have. Source: EBS User Guide, "Amazon EBS volume types".
var volumeSizes = map[string][2]int{
	"gp2": {1, 16384}, "gp3": {1, 16384}, "io1": {4, 16384}, "io2": {4, 65536}, "st1": {125, 16384}, "sc1": {125, 16384}, "standard": {1, 1024},
}

// volumeKinds are an EBS volume and its attachment. Sources: EC2 API Reference, CreateVolume, ModifyVolume,
// AttachVolume and error codes.
var volumeKinds = map[string]kind{
	account.Volume: {
		source: "later:ec2/ebs_volume.go",
		inputs: schema{
			"availabilityZone": text().need().replaces().at(56),
			"encrypted":        flag().keeps(false).replaces().at(61),
			"finalSnapshot":    flag().or(false).at(67),
			"iops":             number().keeps(nil).at(72),
			"kmsKeyId":         text().arn("kms").keeps(nil).replaces().at(77),
			"size":             number().need().keeps(nil).at(95), // or snapshotId, which a rehearsal does not know
			"throughput":       number().length(125, 1000).keeps(nil).at(110),
			"type":             text().oneOf("gp2", "gp3", "io1", "io2", "standard", "st1", "sc1").keeps("gp2").at(116),
		},
		tagged: true,
		check:  checkVolume,
		verify: verifyVolume,
		id:     generated("vol"),
		computed: map[string]output{
			"arn":        arnOf("ec2", "volume/%s"),
			"createTime": once("createTime", now),
			"snapshotId": constant(""),
		},
		dependents: []dependent{{token: account.VolumeAttachment, property: "volumeId"}},
		inUse:      "VolumeInUse: Volume %s is currently attached to an instance",
	},
	account.VolumeAttachment: {
		source: "later:ec2/ebs_volume_attachment.go",
		inputs: schema{
			"deviceName":                  text().need().match(`/dev/(sd[a-z][1-9]?[0-9]?|xvd[a-z][a-z]?[1-9]?[0-9]?)`).replaces().at(65),
			"forceDetach":                 flag().at(70),
			"instanceId":                  text().need().names(instanceByID).replaces().at(74),
			"skipDestroy":                 flag().at(79),
			"stopInstanceBeforeDetaching": flag().at(83),
			"volumeId":                    text().need().names(volumeByID).replaces().at(87),
		},
		verify: verifyAttached,
		id:     attachmentID,
		remove: detachVolume,
	},
}

// checkVolume reports what the provider rejects in any case (resourceEBSVolumeCustomizeDiff), and what a type of volume
// cannot be.
func checkVolume(c *call, r *report) {
	if !c.known("type", "size", "iops", "throughput") {
		return
	}
	typ := c.in.text("type")
	if typ == "" {
		typ = "gp2"
	}
	provisioned := typ == "io1" || typ == "io2"
	switch {
	case provisioned && !c.in.has("iops"):
		r.add("iops", "'iops' must be set when 'type' is '%s'", typ)
	case !provisioned && typ != "gp3" && c.in.has("iops"):
		r.add("iops", "'iops' must not be set when 'type' is '%s'", typ)
	}
	if typ != "gp3" && c.in.has("throughput") {
		r.add("throughput", "'throughput' must not be set when 'type' is '%s'", typ)
	}
	if sizes, ok := volumeSizes[typ]; ok && c.in.has("size") && (c.in.number("size") < sizes[0] || c.in.number("size") > sizes[1]) {
		r.add("size", "InvalidParameterValue: Volume of %dGiB is invalid for volume type '%s'; must be between %dGiB and %dGiB", c.in.number("size"), typ, sizes[0], sizes[1])
	}
}

// verifyVolume rejects a zone that the region lacks, and a smaller size: volumes only grow.
func verifyVolume(c *call, r *report) {
	if zone := c.in.text("availabilityZone"); !slices.Contains(instancetypes.Zones(c.region), zone) {
		r.add("availabilityZone", "InvalidZone.NotFound: The zone '%s' does not exist.", zone)
	}
	if before := c.old.number("size"); c.in.number("size") < before {
		r.add("size", "InvalidParameterValue: New size cannot be smaller than existing size (%d GiB)", before)
	}
}

// verifyAttached rejects what AttachVolume does: a volume is in one zone and at one instance, and a device name is one
// volume's. Amazon Linux 2023 boots from /dev/xvda.
func verifyAttached(c *call, r *report) {
	volume, instance := c.related(account.Volume, "volumeId"), c.related(account.Instance, "instanceId")
	if zone := volume.String("availabilityZone"); zone != instance.String("availabilityZone") {
		r.add("volumeId", "InvalidVolume.ZoneMismatch: The volume '%s' is not in the same availability zone as instance '%s'", volume.ID, instance.ID)
	}
	taken := c.in.text("deviceName") == "/dev/xvda"
	for _, other := range c.acct.ByType(account.VolumeAttachment) {
		if other.ID == c.id {
			continue
		}
		if other.String("volumeId") == volume.ID {
			r.add("volumeId", "VolumeInUse: %s is already attached to an instance", volume.ID)
		}
		taken = taken || other.String("instanceId") == instance.ID && other.String("deviceName") == c.in.text("deviceName")
	}
	if taken {
		r.add("deviceName", "InvalidParameterValue: Invalid value '%s' for unixDevice. Attachment point %[1]s is already in use", c.in.text("deviceName"))
	}
}

// attachmentID is as in volumeAttachmentID; terraform-plugin-sdk's StringHashcode is a CRC.
func attachmentID(c *call) string {
	text := c.in.text("deviceName") + "-" + c.in.text("instanceId") + "-" + c.in.text("volumeId") + "-"
	return fmt.Sprintf("vai-%d", crc32.ChecksumIEEE([]byte(text)))
}

// detachVolume stops the instance first, if it is to, and does not start it again (resourceVolumeAttachmentDelete).
func detachVolume(s *Server, r account.Resource) error {
	if stop := values(r.Properties).flag("stopInstanceBeforeDetaching"); !stop || values(r.Properties).flag("skipDestroy") {
		return nil
	}
	s.options.Account.Set(account.Instance, r.String("instanceId"), "instanceState", "stopped")
	return nil
}
