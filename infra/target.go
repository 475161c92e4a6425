package infra

import (
	"errors"
	"fmt"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// TargetArgs configures a Target.
type TargetArgs struct {
	Scope Scope
	// Registry holds the images, Store the bundles.
	Registry *Registry
	Store    *ArtifactStore
	// InstanceType is the host's EC2 type. Plain, because it determines the architecture.
	InstanceType string
	// AgentVersion is the major version of CodeDeploy's agent, 1 or 2.
	AgentVersion int
	// OperatorCIDR is the IPv4 network that may use SSH; "" leaves port 22 closed.
	OperatorCIDR string
	// Domain is the name that visitors use; "" for the host's address.
	Domain string
	// EgressPorts are the outbound TCP ports that are open beside 443.
	EgressPorts []int
	// Network is where the host goes; nil makes a network of the stack's own.
	Network *Network
	// Environment has the log that containers write to.
	Environment *Environment
	// Secrets say where the values of the containers' secrets are from, see Application.
	Secrets map[string]string
	// PolicyArns are managed policies for the application. With any, containers reach the credentials of the host's role.
	PolicyArns []string
	// VolumeGiB is the size of the volume for data, 0 for none.
	VolumeGiB int
	// SSHPublicKey is ec2-user's OpenSSH public key; "" leaves SSH to EC2 Instance Connect.
	SSHPublicKey string
	// Protect prevents termination of the host, including through the EC2 API, see RegistryArgs.
	Protect bool
}

func (a *TargetArgs) validate() error {
	if a.Registry == nil || a.Store == nil || a.Environment == nil {
		return errors.New("a Registry, a Store and an Environment are required")
	}
	if problem := checkAgentVersion(a.AgentVersion); problem != "" {
		return fmt.Errorf("AgentVersion is %d: %s", a.AgentVersion, problem)
	}
	if problem := checkInstanceType(a.InstanceType); problem != "" {
		return fmt.Errorf("InstanceType is %q: %s", a.InstanceType, problem)
	}
	if problem := checkDomain(a.Domain); problem != "" {
		return fmt.Errorf("Domain is %q: %s", a.Domain, problem)
	}
	if problem := checkEgressPorts(a.EgressPorts); problem != "" {
		return fmt.Errorf("EgressPorts: %s", problem)
	}
	if problem := checkPolicyArns(a.Scope.Region, a.PolicyArns); problem != "" {
		return fmt.Errorf("PolicyArns: %s", problem)
	}
	return nil
}

// Target is where releases run: one host with an Elastic IP that outlives it, in a network of its own or an
// existing one, and the host's CodeDeploy deployment group.
type Target struct {
	pulumi.ResourceState

	// PublicIP is the Elastic IP, and URL the application's address.
	PublicIP pulumi.StringOutput `pulumi:"publicIp"`
	URL      pulumi.StringOutput `pulumi:"url"`
	// InstanceID is the host's.
	InstanceID pulumi.IDOutput `pulumi:"instanceId"`
	// ApplicationName and GroupName are what the pipeline deploys to; its role is granted the ARNs.
	ApplicationName pulumi.StringOutput `pulumi:"applicationName"`
	ApplicationArn  pulumi.StringOutput `pulumi:"applicationArn"`
	GroupName       pulumi.StringOutput `pulumi:"groupName"`
	GroupArn        pulumi.StringOutput `pulumi:"groupArn"`
	// Data is what outlives hosts, nil for nothing.
	Data *Data

	// ready must exist before the first release. Depending on the component itself is not enough: the SDK adds a
	// child to its parent in the child's own goroutine, and a component stands for the children it has by then
	// (sdk/go/pulumi/context.go prepareResourceInputs, rpc.go addDependency).
	ready []pulumi.Resource
}

// NewTarget registers a Target and its children, whose names start with name.
func NewTarget(ctx *pulumi.Context, name string, args *TargetArgs, opts ...pulumi.ResourceOption) (*Target, error) {
	if err := args.validate(); err != nil {
		return nil, fmt.Errorf("target %q: %w", name, err)
	}
	t := &Target{}
	inputs := pulumi.Map{
		"instanceType": pulumi.String(args.InstanceType),
		"operatorCidr": pulumi.String(args.OperatorCIDR),
		"protect":      pulumi.Bool(args.Protect),
	}
	if err := ctx.RegisterComponentResourceV2(typeTarget, name, inputs, t, opts...); err != nil {
		return nil, fmt.Errorf("target %q: %w", name, err)
	}
	network, err := t.placeHost(ctx, name, args)
	if err != nil {
		return nil, fmt.Errorf("target %q: network: %w", name, err)
	}
	if err := t.newData(ctx, name, args, network); err != nil {
		return nil, fmt.Errorf("target %q: %w", name, err)
	}
	firewall, err := t.newFirewall(ctx, name, args, network)
	if err != nil {
		return nil, fmt.Errorf("target %q: security group: %w", name, err)
	}
	if err := t.newHost(ctx, name, args, network, firewall); err != nil {
		return nil, fmt.Errorf("target %q: host: %w", name, err)
	}
	if err := t.newDeployment(ctx, name, args); err != nil {
		return nil, fmt.Errorf("target %q: deployment: %w", name, err)
	}
	t.URL = pulumi.Sprintf("http://%s", t.PublicIP)
	if args.Domain != "" {
		t.URL = pulumi.Sprintf("https://%s", args.Domain)
	}
	return t, ctx.RegisterResourceOutputs(t, pulumi.Map{
		"publicIp":        t.PublicIP,
		"url":             t.URL,
		"instanceId":      t.InstanceID,
		"applicationName": t.ApplicationName,
		"applicationArn":  t.ApplicationArn,
		"groupName":       t.GroupName,
		"groupArn":        t.GroupArn,
	})
}

// newData makes the volume for data, if there is to be one, where the host is.
func (t *Target) newData(ctx *pulumi.Context, name string, args *TargetArgs, n *network) (err error) {
	if args.VolumeGiB == 0 {
		return nil
	}
	t.Data, err = NewData(ctx, name, &DataArgs{Scope: args.Scope, Zone: n.zone, SizeGiB: args.VolumeGiB, Protect: args.Protect}, pulumi.Parent(t))
	if err == nil {
		n.instanceType = t.Data.admit(n.instanceType, n.zone)
	}
	return err
}

// named is the tag by which the EC2 console shows a resource.
func named(name string) pulumi.StringMap { return pulumi.StringMap{"Name": pulumi.String(name)} }
