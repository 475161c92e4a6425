package infra

import (
	"slices"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// components are the parts of a stack, in the order in which they need one another.
type components struct {
	source      *Source
	registry    *Registry
	store       *ArtifactStore
	environment *Environment
	target      *Target
	pipeline    *Pipeline
}

func newComponents(ctx *pulumi.Context, s settings, scope Scope, network *Network, providers pulumi.ResourceOption) (*components, error) {
	c := &components{}
	if err := c.addStores(ctx, s, scope, providers); err != nil {
		return nil, err
	}
	if err := c.addTarget(ctx, s, scope, network, providers); err != nil {
		return nil, err
	}
	return c, c.addPipeline(ctx, s, scope, providers)
}

// addStores adds where commits, images and artifacts are.
func (c *components) addStores(ctx *pulumi.Context, s settings, scope Scope, providers pulumi.ResourceOption) (err error) {
	name := scope.Prefix()
	c.source, err = NewSource(ctx, name, &SourceArgs{
		Scope:            scope,
		Repository:       s.Repository,
		Branch:           s.Branch,
		ConnectionArn:    s.ConnectionArn,
		ManageRepository: s.ManageRepository,
	}, providers)
	if err != nil {
		return err
	}
	c.registry, err = NewRegistry(ctx, name, &RegistryArgs{Scope: scope, KeepImages: s.KeepImages, Protect: s.Protect}, providers)
	if err != nil {
		return err
	}
	c.store, err = NewArtifactStore(ctx, name, &ArtifactStoreArgs{Scope: scope, Protect: s.Protect}, providers)
	return err
}

// addTarget adds what the application runs in, and on.
func (c *components) addTarget(ctx *pulumi.Context, s settings, scope Scope, network *Network, providers pulumi.ResourceOption) (err error) {
	name := scope.Prefix()
	c.environment, err = NewEnvironment(ctx, name, &EnvironmentArgs{
		Scope:            scope,
		Store:            c.store,
		Application:      s.application(),
		LogRetentionDays: s.LogRetentionDays,
	}, providers)
	if err != nil {
		return err
	}
	c.target, err = NewTarget(ctx, name, &TargetArgs{
		Scope:        scope,
		Registry:     c.registry,
		Store:        c.store,
		InstanceType: s.InstanceType,
		AgentVersion: s.AgentVersion,
		OperatorCIDR: s.OperatorIP,
		Domain:       s.Domain,
		EgressPorts:  s.EgressPorts,
		Network:      network,
		Environment:  c.environment,
		Secrets:      s.Secrets,
		PolicyArns:   s.AppPolicyArns,
		VolumeGiB:    s.dataGiB(),
		SSHPublicKey: s.SSHPublicKey,
		Protect:      s.Protect,
	}, providers)
	if err != nil {
		return err
	}
	return c.environment.WriteSettings(ctx, c.target.Data)
}

// addPipeline adds the way from a push to the target.
func (c *components) addPipeline(ctx *pulumi.Context, s settings, scope Scope, providers pulumi.ResourceOption) error {
	name := scope.Prefix()
	record, err := newRecord(ctx, name, s, c.target, providers)
	if err != nil {
		return err
	}
	build, err := NewBuild(ctx, name, &BuildArgs{
		Scope:            scope,
		Architecture:     architectureOf(s.InstanceType),
		Registry:         c.registry,
		Store:            c.store,
		ContainerPort:    s.ContainerPort,
		HealthPath:       s.HealthPath,
		Application:      s.application(),
		Environment:      c.environment,
		DeployScripts:    s.DeployScripts,
		Address:          c.target.PublicIP,
		LogRetentionDays: s.LogRetentionDays,
	}, providers)
	if err != nil {
		return err
	}
	c.pipeline, err = NewPipeline(ctx, name, &PipelineArgs{
		Scope:      scope,
		Source:     c.source,
		Store:      c.store,
		Build:      build,
		Target:     c.target,
		Ready:      slices.Concat(c.environment.ready, record),
		Authorized: s.authorized(),
		WatchPaths: s.WatchPaths,
		Approval:   s.Approval,
	}, providers)
	return err
}
