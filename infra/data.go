package infra

import (
	"errors"
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/dlm"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ebs"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ec2"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

const (
	// dataDevice is the name under which a host gets the volume, of those that the EC2 User Guide recommends ("Device
	// names for volumes on Amazon EC2 instances"). Hosts find the volume by its id; only where that does not reach the
	// system, on Xen, deploy-scripts/hooks/lib/disk.sh looks for this name.
	dataDevice = "/dev/sdf"
	// dataTag marks the volume, and thereby its snapshots; its value is the stack's prefix.
	dataTag = "DataVolume"
	// keptSnapshots are a week's, at one a day.
	keptSnapshots = 7
)

// DataArgs configures a Data.
type DataArgs struct {
	Scope Scope
	// Zone is the host's availability zone. A volume cannot leave its own: it keeps the one that it was made in.
	Zone pulumi.StringInput
	// SizeGiB is the volume's size. It may grow; EBS rejects a smaller one.
	SizeGiB int
	// Protect keeps the volume from being deleted, see RegistryArgs.
	Protect bool
}

func (a *DataArgs) validate() error {
	if a.Zone == nil {
		return errors.New("a Zone is required")
	}
	if problem := checkRange(a.SizeGiB, 1, maxVolumeGiB); problem != "" {
		return fmt.Errorf("SizeGiB is %d: %s", a.SizeGiB, problem)
	}
	return nil
}

// Data is what outlives releases, reboots and hosts: an encrypted volume, and a snapshot of it a day.
type Data struct {
	pulumi.ResourceState

	// VolumeID is the volume's, and Zone where it is.
	VolumeID pulumi.IDOutput     `pulumi:"volumeId"`
	Zone     pulumi.StringOutput `pulumi:"zone"`
}

// NewData registers a Data and its children, whose names start with name.
func NewData(ctx *pulumi.Context, name string, args *DataArgs, opts ...pulumi.ResourceOption) (*Data, error) {
	if err := args.validate(); err != nil {
		return nil, fmt.Errorf("data %q: %w", name, err)
	}
	d := &Data{}
	inputs := pulumi.Map{"sizeGiB": pulumi.Int(args.SizeGiB), "protect": pulumi.Bool(args.Protect)}
	if err := ctx.RegisterComponentResourceV2(typeData, name, inputs, d, opts...); err != nil {
		return nil, fmt.Errorf("data %q: %w", name, err)
	}
	tags := named(name)
	tags[dataTag] = pulumi.String(args.Scope.Prefix())
	// Whatever deletes the volume, be it a destroy or an empty list of volumes, leaves a snapshot. Another zone must not
	// replace it: Target rejects one.
	volume, err := ebs.NewVolume(ctx, name+"-data", &ebs.VolumeArgs{
		AvailabilityZone: args.Zone,
		Type:             pulumi.String("gp3"),
		Size:             pulumi.Int(args.SizeGiB),
		Encrypted:        pulumi.Bool(true),
		FinalSnapshot:    pulumi.Bool(true),
		Tags:             tags,
	}, pulumi.Parent(d), pulumi.IgnoreChanges([]string{"availabilityZone"}), pulumi.Protect(args.Protect))
	if err != nil {
		return nil, fmt.Errorf("data %q: volume: %w", name, err)
	}
	if err := d.takeSnapshots(ctx, name, args.Scope, volume); err != nil {
		return nil, fmt.Errorf("data %q: snapshots: %w", name, err)
	}
	d.VolumeID, d.Zone = volume.ID(), volume.AvailabilityZone
	return d, ctx.RegisterResourceOutputs(d, pulumi.Map{"volumeId": d.VolumeID, "zone": d.Zone})
}

// takeSnapshots declares a snapshot a day. They are kept by number, not by age: were none taken any more, the last ones
// would stay.
func (d *Data) takeSnapshots(ctx *pulumi.Context, name string, scope Scope, volume *ebs.Volume) error {
	role, err := newRole(ctx, name, scope, snapshotRole(scope, volume), d)
	if err != nil {
		return err
	}
	_, err = dlm.NewLifecyclePolicy(ctx, name+"-snapshots", &dlm.LifecyclePolicyArgs{
		Description:      pulumi.String("Daily snapshots of " + scope.Prefix()),
		ExecutionRoleArn: role.Arn,
		State:            pulumi.String("ENABLED"),
		PolicyDetails: &dlm.LifecyclePolicyPolicyDetailsArgs{
			ResourceTypes: pulumi.ToStringArray([]string{"VOLUME"}),
			TargetTags:    pulumi.StringMap{dataTag: pulumi.String(scope.Prefix())},
			Schedules: dlm.LifecyclePolicyPolicyDetailsScheduleArray{
				&dlm.LifecyclePolicyPolicyDetailsScheduleArgs{
					Name:     pulumi.String("daily"),
					CopyTags: pulumi.Bool(true), // by which the role may delete them
					CreateRule: &dlm.LifecyclePolicyPolicyDetailsScheduleCreateRuleArgs{
						Interval:     pulumi.Int(24),
						IntervalUnit: pulumi.String("HOURS"),
						Times:        pulumi.String("03:00"), // UTC
					},
					RetainRule: &dlm.LifecyclePolicyPolicyDetailsScheduleRetainRuleArgs{Count: pulumi.Int(keptSnapshots)},
				},
			},
		},
		Tags: named(name),
	}, pulumi.Parent(d), after(role.policy))
	return err
}

// snapshotRole lists what Data Lifecycle Manager may do. AWS's managed policy, AWSDataLifecycleManagerServiceRole, may
// take, copy, share and delete every snapshot of the account (EBS User Guide, "AWS managed policies for Amazon Data
// Lifecycle Manager"). Volumes and snapshots are encrypted with the account's key aws/ebs, which needs no grant.
func snapshotRole(scope Scope, volume *ebs.Volume) roleArgs {
	// A snapshot's ARN has no account (Service Authorization Reference, "Resource types defined by Amazon EC2").
	snapshots := pulumi.String(fmt.Sprintf("arn:%s:ec2:%s::snapshot/*", scope.partition(), scope.Region))
	return roleArgs{
		purpose:     "snapshots",
		description: "What the snapshots of " + scope.Prefix() + " may do",
		// The policy's id is not known before the policy, which needs the role.
		trust: trust("dlm.amazonaws.com", condition{
			"StringEquals": {"aws:SourceAccount": scope.Account},
			"StringLike":   {"aws:SourceArn": scope.arn("dlm", "policy/*")},
		}),
		grants: []grant{
			// None of these supports resource-level permissions. AWS does not say which of them a policy for volumes needs.
			allow("FindVolumes", []string{"ec2:DescribeInstances", "ec2:DescribeSnapshots", "ec2:DescribeVolumes"}, on(pulumi.String("*"))),
			allow("TakeSnapshots", []string{"ec2:CreateSnapshot"}, on(volume.Arn, snapshots)),
			allow("TagSnapshots", []string{"ec2:CreateTags"}, on(snapshots)),
			allow("DeleteSnapshots", []string{"ec2:DeleteSnapshot"}, on(snapshots)).when(condition{
				"StringEquals": {"aws:ResourceTag/" + dataTag: scope.Prefix()},
			}),
		},
	}
}

// attach gives the volume to a host. It can only be at one: if the host is replaced, the attachment is deleted before
// it is made again. The old host is stopped first, because a volume does not leave a system that has it mounted (EBS
// User Guide, "Detach an Amazon EBS volume from an Amazon EC2 instance"), and what its containers still write is lost
// with it.
func (d *Data) attach(ctx *pulumi.Context, name string, host *ec2.Instance) (*ec2.VolumeAttachment, error) {
	return ec2.NewVolumeAttachment(ctx, name+"-data-host", &ec2.VolumeAttachmentArgs{
		DeviceName:                  pulumi.String(dataDevice),
		VolumeId:                    d.VolumeID,
		InstanceId:                  host.ID(),
		StopInstanceBeforeDetaching: pulumi.Bool(true),
	}, pulumi.Parent(d), pulumi.DeleteBeforeReplace(true))
}

// admit returns the instance type of a host in a zone, or an error if the volume is in another one. The host is
// replaced before its attachment is, so it must not come into a zone where the volume cannot follow.
func (d *Data) admit(instanceType, zone pulumi.StringInput) pulumi.StringOutput {
	return pulumi.All(d.Zone, zone, instanceType).ApplyT(func(v []any) (string, error) {
		if v[0] != v[1] {
			return "", fmt.Errorf("the data is on a volume in availability zone %s, which cannot leave it, and the host would be in %s: "+
				"want a subnet in %[1]s, or take the data along as docs/application.md says", v[0], v[1])
		}
		return v[2].(string), nil
	}).(pulumi.StringOutput)
}
