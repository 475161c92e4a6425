package infra

import (
	"fmt"
	"strings"
	"testing"
)

const uploads = `{"uploads":"/app/uploads"}`

func TestData(t *testing.T) {
	rec := run(t, with("volumes", uploads, "volumeGiB", "20", "connectionAuthorized", "true"))
	volume := rec.one(t, "ebs/volume:Volume")
	wantInputs(t, volume, `{"availabilityZone": "eu-central-1a", "type": "gp3", "size": 20, "encrypted": true, "finalSnapshot": true,
		"tags": {"Name": "cicd-dev", "DataVolume": "cicd-dev"}}`)
	wantInputs(t, rec.one(t, "dlm/lifecyclePolicy:LifecyclePolicy"), `{
		"description": "Daily snapshots of cicd-dev", "executionRoleArn": "arn:of:cicd-dev-snapshots-role", "state": "ENABLED",
		"policyDetails": {"resourceTypes": ["VOLUME"], "targetTags": {"DataVolume": "cicd-dev"}, "schedules": [{
			"name": "daily", "copyTags": true, "createRule": {"interval": 24, "intervalUnit": "HOURS", "times": "03:00"}, "retainRule": {"count": 7}}]},
		"tags": {"Name": "cicd-dev"}
	}`)
	wantDependencies(t, rec.one(t, "dlm/lifecyclePolicy:LifecyclePolicy"), "::cicd-dev-snapshots-policy")
	attachment := rec.one(t, "ec2/volumeAttachment:VolumeAttachment")
	wantInputs(t, attachment, `{"deviceName": "/dev/sdf", "volumeId": "cicd-dev-data-id", "instanceId": "cicd-dev-host-x86_64-id", "stopInstanceBeforeDetaching": true}`)
	if !attachment.RegisterRPC.GetDeleteBeforeReplace() {
		t.Error("a new host gets the volume before the old one has given it up")
	}
	if ignored := fmt.Sprint(volume.RegisterRPC.GetIgnoreChanges()); ignored != "[availabilityZone]" {
		t.Errorf("changes of %s do not replace the volume, want [availabilityZone]", ignored)
	}
	wantDependencies(t, rec.one(t, "codepipeline/pipeline:Pipeline"), "::cicd-dev-data-host")
}

// TestWithoutVolumes: what a stack had before there were volumes, it has unchanged, whatever their size would be.
func TestWithoutVolumes(t *testing.T) {
	rec := run(t, with("volumes", "{}", "volumeGiB", "500"))
	wantSameCounts(t, rec.counts(), run(t, with()).counts())
	for _, r := range rec.seen {
		if text := strings.ToLower(fmt.Sprint(r.Inputs)); strings.Contains(text, "volume_id") || strings.Contains(text, "datavolume") {
			t.Errorf("%s %s: %s", r.TypeToken, r.Name, text)
		}
	}
}

func TestVolumeIsProtected(t *testing.T) {
	for _, protect := range []string{"true", "false"} {
		volume := run(t, with("volumes", uploads, "protect", protect)).one(t, "ebs/volume:Volume")
		if got := fmt.Sprint(volume.RegisterRPC.GetProtect()); got != protect {
			t.Errorf("protect %s: the volume's is %s", protect, got)
		}
	}
}

// TestZoneOfData: the host is not touched if the volume could not follow it.
func TestZoneOfData(t *testing.T) {
	config := with("volumes", uploads, "vpcId", testVpc, "subnetIds", `["`+testSubnet+`"]`)
	if err := attempt(&recorder{volumeZone: "eu-central-1b"}, "cicd", "dev", config); err != nil {
		t.Error(err)
	}
	rec := &recorder{volumeZone: "eu-central-1c"}
	err := attempt(rec, "cicd", "dev", config)
	if err == nil || !strings.Contains(err.Error(), "in availability zone eu-central-1c, which cannot leave it, and the host would be in eu-central-1b: want a subnet in eu-central-1c") {
		t.Errorf("Program() = %v, want an error about the volume's zone", err)
	}
	for _, token := range []string{"ec2/instance:Instance", "ec2/volumeAttachment:VolumeAttachment"} {
		if len(rec.ofType(token)) > 0 {
			t.Errorf("%s is changed", token)
		}
	}
}

func TestDataValidates(t *testing.T) {
	for _, args := range []DataArgs{{SizeGiB: 10}, {}} {
		if args.validate() == nil {
			t.Errorf("%+v is valid", args)
		}
	}
}

// TestSnapshotRole: it may take snapshots of this volume alone, and delete no other stack's.
func TestSnapshotRole(t *testing.T) {
	policy := run(t, with("volumes", uploads)).named(t, "iam/rolePolicy:RolePolicy", "cicd-dev-snapshots-policy").Inputs["policy"].StringValue()
	const snapshots = `"arn:aws:ec2:eu-central-1::snapshot/*"`
	if want := `{"Version": "2012-10-17", "Statement": [
		{"Sid": "FindVolumes", "Effect": "Allow", "Action": ["ec2:DescribeInstances", "ec2:DescribeSnapshots", "ec2:DescribeVolumes"], "Resource": ["*"]},
		{"Sid": "TakeSnapshots", "Effect": "Allow", "Action": ["ec2:CreateSnapshot"], "Resource": ["arn:of:cicd-dev-data", ` + snapshots + `]},
		{"Sid": "TagSnapshots", "Effect": "Allow", "Action": ["ec2:CreateTags"], "Resource": [` + snapshots + `]},
		{"Sid": "DeleteSnapshots", "Effect": "Allow", "Action": ["ec2:DeleteSnapshot"], "Resource": [` + snapshots + `],
		 "Condition": {"StringEquals": {"aws:ResourceTag/DataVolume": "cicd-dev"}}}]}`; !sameJSON(t, policy, want) {
		t.Errorf("policy %s, want %s", policy, want)
	}
}
