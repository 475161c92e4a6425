// Package infra declares everything one stack has in AWS and GitHub, between a `git push` and a live URL.
//
// Program declares it all. Each component has a file: Source, Registry, ArtifactStore, Environment, Target, Data, Domain,
// Build and Pipeline. Only program.go reads configuration and environment and makes providers. F-numbers are the
// failures in docs/failures.md.
package infra

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws"
	"github.com/pulumi/pulumi-github/sdk/v6/go/github"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi/config"
)

// Program returns the program that declares a stack: settings, providers, components, outputs. If the configuration
// is invalid, it returns a *ConfigError and declares nothing. configured lists the keys that are set.
func Program(configured []string) pulumi.RunFunc {
	return func(ctx *pulumi.Context) error { return declare(ctx, configured) }
}

func declare(ctx *pulumi.Context, configured []string) error {
	s, err := parseSettings(ctx.Project(), ctx.Stack(), stackConfig(ctx, configured), encryptedPlain(ctx))
	if err != nil {
		return err
	}
	cloud, providers, err := newProviders(ctx, s)
	if err != nil {
		return err
	}
	scope, err := newScope(ctx, s, cloud)
	if err != nil {
		return err
	}
	network, err := checkCloud(ctx, s, scope, cloud)
	if err != nil {
		return err
	}
	c, err := newComponents(ctx, s, scope, network, providers)
	if err != nil {
		return err
	}
	export(ctx, s, scope, c)
	return nil
}

// newProviders creates one provider per cloud, which every resource uses. It creates GitHub's only if the stack
// manages its repository.
func newProviders(ctx *pulumi.Context, s settings) (*aws.Provider, pulumi.ResourceOption, error) {
	var token pulumi.StringPtrInput
	if s.ManageRepository {
		value, err := config.New(ctx, "github").TrySecret("token")
		switch {
		case err == nil:
			token = value.ToStringPtrOutput()
		case !errors.Is(err, config.ErrMissingVar):
			return nil, nil, err
		case os.Getenv("GITHUB_TOKEN") == "": // the provider reads it by itself
			return nil, nil, errors.New("manageRepository is true, but there is no token for GitHub: " +
				"export GITHUB_TOKEN, or run `pulumi config set --secret github:token`")
		}
	}
	cloud, err := aws.NewProvider(ctx, "aws", &aws.ProviderArgs{
		Region: pulumi.String(s.Region),
		DefaultTags: &aws.ProviderDefaultTagsArgs{Tags: pulumi.StringMap{
			"Project":   pulumi.String(ctx.Project()),
			"Stack":     pulumi.String(ctx.Stack()),
			"ManagedBy": pulumi.String("Pulumi"),
		}},
	})
	if err != nil {
		return nil, nil, fmt.Errorf("AWS provider: %w", err)
	}
	if !s.ManageRepository {
		return cloud, pulumi.Providers(cloud), nil
	}
	owner, _, _ := strings.Cut(s.Repository, "/")
	forge, err := github.NewProvider(ctx, "github", &github.ProviderArgs{Owner: pulumi.String(owner), Token: token})
	if err != nil {
		return nil, nil, fmt.Errorf("GitHub provider: %w", err)
	}
	return cloud, pulumi.Providers(cloud, forge), nil
}

// newScope asks AWS for the account of the credentials.
func newScope(ctx *pulumi.Context, s settings, cloud *aws.Provider) (Scope, error) {
	identity, err := aws.GetCallerIdentity(ctx, nil, pulumi.Provider(cloud))
	if err != nil {
		return Scope{}, fmt.Errorf("AWS account: %w", err)
	}
	return Scope{Project: ctx.Project(), Stack: ctx.Stack(), Region: s.Region, Account: identity.AccountId}, nil
}

// checkCloud returns a *ConfigError that lists what AWS knows to be wrong with the settings, before anything is
// declared; and the host's place in an existing network, if the settings name one.
func checkCloud(ctx *pulumi.Context, s settings, scope Scope, cloud *aws.Provider) (*Network, error) {
	violations := s.checkAccount(scope.Account)
	network, unfit, err := lookUpNetwork(ctx, s, pulumi.Provider(cloud))
	if err != nil {
		return nil, err
	}
	violations = append(violations, unfit...)
	if problem := lookUpZone(ctx, s, pulumi.Provider(cloud)); problem != "" {
		violations = append(violations, "hostedZoneId: "+problem)
	}
	if len(violations) > 0 {
		return nil, &ConfigError{Stack: scope.Stack, Violations: violations}
	}
	return network, nil
}
