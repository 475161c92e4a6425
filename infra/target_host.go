package infra

import (
	_ "embed"
	"fmt"
	"path"
	"strings"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ec2"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/iam"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ssm"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

const (
	// diskGiB has room for the system (about 2 GiB) and for the images and bundles that the hooks and the agent keep.
	diskGiB = 20
	// deploymentTag marks the instances of a deployment group; its value is the stack's prefix.
	deploymentTag = "DeploymentTarget"
)

//go:embed userdata.sh
var userDataScript string

// newHost declares the instance, its role and its address.
func (t *Target) newHost(ctx *pulumi.Context, name string, args *TargetArgs, n *network, f *firewall) error {
	role, err := newRole(ctx, name, args.Scope, hostRole(args), t)
	if err != nil {
		return err
	}
	if err := t.attachPolicies(ctx, name, args, role); err != nil {
		return err
	}
	profile, err := iam.NewInstanceProfile(ctx, name+"-host-profile", &iam.InstanceProfileArgs{
		Name: pulumi.String(args.Scope.roleName("host")),
		Role: role.Name,
	}, pulumi.Parent(t), after(role.policy))
	if err != nil {
		return fmt.Errorf("instance profile: %w", err)
	}
	instance, err := t.newInstance(ctx, name, args, profile, n, f)
	if err != nil {
		return err
	}
	// The address belongs to the stack, not the instance: the URL survives a stop and a replacement.
	address, err := ec2.NewEip(ctx, name+"-address", &ec2.EipArgs{
		Domain: pulumi.String("vpc"),
		Tags:   named(name),
	}, pulumi.Parent(t), after(n.routing...))
	if err != nil {
		return fmt.Errorf("address: %w", err)
	}
	association, err := ec2.NewEipAssociation(ctx, name+"-address-host", &ec2.EipAssociationArgs{
		AllocationId: address.AllocationId,
		InstanceId:   instance.ID(),
	}, pulumi.Parent(t))
	if err != nil {
		return fmt.Errorf("address association: %w", err)
	}
	t.PublicIP, t.InstanceID = address.PublicIp, instance.ID()
	t.ready = append(t.ready, association)
	if t.Data == nil {
		return nil
	}
	attachment, err := t.Data.attach(ctx, name, instance)
	if err != nil {
		return fmt.Errorf("volume attachment: %w", err)
	}
	t.ready = append(t.ready, attachment)
	return nil
}

// attachPolicies lets the application do what its policies say: containers use the host's role.
func (t *Target) attachPolicies(ctx *pulumi.Context, name string, args *TargetArgs, role *role) error {
	for _, policy := range args.PolicyArns {
		// "aws" or the account, and the policy's name, which is unique there.
		child := fmt.Sprintf("%s-app-%s-%s", name, policyPattern.FindStringSubmatch(policy)[2], path.Base(policy))
		attachment, err := iam.NewRolePolicyAttachment(ctx, child, &iam.RolePolicyAttachmentArgs{
			Role:      role.Name,
			PolicyArn: pulumi.String(policy),
		}, pulumi.Parent(t))
		if err != nil {
			return fmt.Errorf("policy %s: %w", policy, err)
		}
		t.ready = append(t.ready, attachment)
	}
	return nil
}

// hopLimit is how many network hops an answer of the instance's metadata may make. One keeps containers from the host's
// credentials; Docker's bridge is the second (EC2 User Guide, "Configure the Instance Metadata Service options").
func (a *TargetArgs) hopLimit() int {
	if len(a.PolicyArns) > 0 {
		return 2
	}
	return 1
}

// newInstance declares the instance. Its AMI and user data stay as they were at creation: a newer AMI would replace
// it (F40), and new user data, which only runs at the first boot, would restart it for nothing (F41). To renew a
// host, run `pulumi up --replace URN`.
//
// The name includes the architecture, so a change of architecture replaces the host. EC2 would change the type in
// place, and the existing AMI could not boot on it.
//
// EBS optimization is left to EC2, which enables it by default for all types but a few from before 2015. The provider
// replaces an instance if it changes (hashicorp/terraform-provider-aws, internal/service/ec2/ec2_instance.go,
// ebs_optimized: ForceNew), so setting it could make a change of type replace the host.
func (t *Target) newInstance(ctx *pulumi.Context, name string, args *TargetArgs, profile *iam.InstanceProfile, n *network, f *firewall) (*ec2.Instance, error) {
	architecture := architectureOf(args.InstanceType)
	image := ssm.LookupParameterOutput(ctx, ssm.LookupParameterOutputArgs{
		Name: pulumi.String(architecture.machineImage()),
	}, pulumi.Parent(t))
	tags := named(name)
	tags[deploymentTag] = pulumi.String(args.Scope.Prefix())
	instance := &ec2.InstanceArgs{
		Ami:                   pulumi.Unsecret(image.Value()).(pulumi.StringOutput), // the provider takes every parameter for a secret
		InstanceType:          n.instanceType,
		SubnetId:              n.subnetID,
		VpcSecurityGroupIds:   pulumi.StringArray{f.group.ID()},
		IamInstanceProfile:    profile.Name,
		UserData:              pulumi.String(userData(args.Scope, args.AgentVersion)),
		DisableApiTermination: pulumi.Bool(args.Protect),
		MetadataOptions: &ec2.InstanceMetadataOptionsArgs{
			HttpEndpoint:            pulumi.String("enabled"),
			HttpTokens:              pulumi.String("required"), // IMDSv2
			HttpPutResponseHopLimit: pulumi.Int(args.hopLimit()),
		},
		RootBlockDevice: &ec2.InstanceRootBlockDeviceArgs{
			VolumeType: pulumi.String("gp3"),
			VolumeSize: pulumi.Int(diskGiB),
			Encrypted:  pulumi.Bool(true),
		},
		Tags: tags,
	}
	if args.SSHPublicKey != "" {
		key, err := ec2.NewKeyPair(ctx, name+"-key", &ec2.KeyPairArgs{PublicKey: pulumi.String(args.SSHPublicKey)}, pulumi.Parent(t))
		if err != nil {
			return nil, fmt.Errorf("key pair: %w", err)
		}
		instance.KeyName = key.KeyName
	}
	// The first boot needs the internet.
	host, err := ec2.NewInstance(ctx, fmt.Sprintf("%s-host-%s", name, architecture), instance, pulumi.Parent(t),
		after(n.routing...), after(f.egress), pulumi.IgnoreChanges([]string{"ami", "userData"}), pulumi.Protect(args.Protect))
	if err != nil {
		return nil, fmt.Errorf("instance: %w", err)
	}
	return host, nil
}

// hostRole lists what a host may do in AWS. The CodeDeploy agent needs only the bundle: it authenticates as the
// instance.
func hostRole(args *TargetArgs) roleArgs {
	return roleArgs{
		purpose:     "host",
		description: "What the hosts of " + args.Scope.Prefix() + " may do",
		// EC2 sends neither aws:SourceArn nor aws:SourceAccount.
		trust: trust("ec2.amazonaws.com", nil),
		grants: append([]grant{
			allow("ReadBundle", []string{"s3:GetObject", "s3:GetObjectVersion"}, on(within(args.Store.BucketArn, "/*"))),
			allow("LogInToRegistry", []string{"ecr:GetAuthorizationToken"}, on(pulumi.String("*"))), // supports no resource-level permissions
			allow("PullImage", []string{"ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"}, on(args.Registry.RepositoryArn)),
			// Systems Manager User Guide, "Verify or add instance permissions for Session Manager". These actions support
			// no resource-level permissions; AWS's managed policy can also read every parameter of the account.
			allow("OpenSessions", []string{
				"ssm:UpdateInstanceInformation",
				"ssmmessages:CreateControlChannel",
				"ssmmessages:CreateDataChannel",
				"ssmmessages:OpenControlChannel",
				"ssmmessages:OpenDataChannel",
			}, on(pulumi.String("*"))),
			allow("WriteAppLogs", []string{"logs:CreateLogStream", "logs:PutLogEvents"}, on(within(args.Environment.LogGroupArn, ":*"))),
		}, args.secretGrants()...),
	}
}

// secretGrants allows a host to read the containers' secrets, and to record which versions of the stack's own a release
// has. These are allowed by their path: a hundred ARNs exceed what IAM takes in a role's policy.
func (a *TargetArgs) secretGrants() []grant {
	if !hasOwn(a.Secrets) {
		return secretGrants(a.Scope, a.Secrets, nil)
	}
	record := allow("RecordSecrets", []string{"ssm:PutParameter"}, on(pulumi.String(a.Scope.parameterArn("running-release"))))
	return append(secretGrants(a.Scope, a.Secrets, []string{a.Scope.parameterArn("*")}), record)
}

// userData returns the first-boot script, with its variables exported after the first line. The agent's bucket has
// version 1 below latest/ and version 2 below latestv2/ (CodeDeploy User Guide, "Install the CodeDeploy agent for
// Amazon Linux or RHEL").
func userData(scope Scope, agentVersion int) string {
	first, rest, _ := strings.Cut(userDataScript, "\n")
	prefix := "latest"
	if agentVersion == 2 {
		prefix = "latestv2"
	}
	installer := fmt.Sprintf("https://aws-codedeploy-%s.s3.%s.amazonaws.com/%s/install", scope.Region, scope.Region, prefix)
	return fmt.Sprintf("%s\nexport AWS_REGION=%s AGENT_VERSION=%d AGENT_INSTALLER=%s\n%s", first, scope.Region, agentVersion, installer, rest)
}
