package infra

import (
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws/arn"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/codeconnections"
	"github.com/pulumi/pulumi-github/sdk/v6/go/github"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// SourceArgs configures a Source.
type SourceArgs struct {
	Scope Scope
	// Repository is the GitHub repository, owner/name.
	Repository string
	// Branch is the branch whose pushes are released.
	Branch string
	// ConnectionArn names an existing connection; "" creates one, which a person must then authorize.
	ConnectionArn string
	// ManageRepository adds the GitHub side. It needs a github provider.
	ManageRepository bool
}

func (a *SourceArgs) validate() error {
	if problem := checkRepository(a.Repository); problem != "" {
		return fmt.Errorf("repository %q: %s", a.Repository, problem)
	}
	if problem := checkBranch(a.Branch); problem != "" {
		return fmt.Errorf("branch %q: %s", a.Branch, problem)
	}
	return nil
}

// Source is where commits come from: a GitHub repository, the released branch, and the connection through which AWS
// reads it.
type Source struct {
	pulumi.ResourceState

	// ConnectionArn is set even before a newly created connection is authorized.
	ConnectionArn pulumi.StringOutput `pulumi:"connectionArn"`
	// Repository is owner/name, and Branch the released branch. Plain, because they come from the arguments.
	Repository, Branch string
	// UseConnection is the IAM action that the pipeline needs on the connection. The service was renamed, and the
	// action's prefix must match the ARN's (Developer Tools console User Guide, "Connections rename"; F4).
	UseConnection string
}

// NewSource registers a Source and its children, whose names start with name.
func NewSource(ctx *pulumi.Context, name string, args *SourceArgs, opts ...pulumi.ResourceOption) (*Source, error) {
	if err := args.validate(); err != nil {
		return nil, fmt.Errorf("source %q: %w", name, err)
	}
	s := &Source{Repository: args.Repository, Branch: args.Branch}
	inputs := pulumi.Map{"repository": pulumi.String(args.Repository), "branch": pulumi.String(args.Branch)}
	if err := ctx.RegisterComponentResourceV2(typeSource, name, inputs, s, opts...); err != nil {
		return nil, fmt.Errorf("source %q: %w", name, err)
	}
	if args.ConnectionArn != "" {
		connection, err := arn.Parse(args.ConnectionArn)
		if err != nil {
			return nil, fmt.Errorf("source %q: connection %q: %w", name, args.ConnectionArn, err)
		}
		s.ConnectionArn = pulumi.String(args.ConnectionArn).ToStringOutput()
		s.UseConnection = connection.Service + ":UseConnection"
	} else {
		connection, err := codeconnections.NewConnection(ctx, name+"-connection", &codeconnections.ConnectionArgs{
			Name:         pulumi.String(args.Scope.connectionName()),
			ProviderType: pulumi.String("GitHub"),
		}, pulumi.Parent(s))
		if err != nil {
			return nil, fmt.Errorf("source %q: connection: %w", name, err)
		}
		s.ConnectionArn, s.UseConnection = connection.Arn, "codeconnections:UseConnection"
	}
	if args.ManageRepository {
		if err := s.manageRepository(ctx, name, args); err != nil {
			return nil, fmt.Errorf("source %q: %w", name, err)
		}
	}
	return s, ctx.RegisterResourceOutputs(s, pulumi.Map{"connectionArn": s.ConnectionArn})
}

// manageRepository declares the GitHub side. Stacks may share the repository, so every name includes the stack's.
func (s *Source) manageRepository(ctx *pulumi.Context, name string, args *SourceArgs) error {
	_, repository, _ := strings.Cut(args.Repository, "/") // the provider has the owner
	// Rewritten history would leave AWS with a released commit that no longer exists on GitHub.
	_, err := github.NewRepositoryRuleset(ctx, name+"-ruleset", &github.RepositoryRulesetArgs{
		Repository:  pulumi.String(repository),
		Name:        pulumi.String(args.Scope.Prefix()),
		Target:      pulumi.String("branch"),
		Enforcement: pulumi.String("active"),
		Conditions: &github.RepositoryRulesetConditionsArgs{
			RefName: &github.RepositoryRulesetConditionsRefNameArgs{
				Includes: pulumi.ToStringArray([]string{"refs/heads/" + args.Branch}),
				Excludes: pulumi.StringArray{},
			},
		},
		Rules: &github.RepositoryRulesetRulesArgs{
			Deletion:       pulumi.Bool(true),
			NonFastForward: pulumi.Bool(true),
		},
	}, pulumi.Parent(s))
	if err != nil {
		return fmt.Errorf("ruleset: %w", err)
	}
	_, err = github.NewRepositoryEnvironment(ctx, name+"-environment", &github.RepositoryEnvironmentArgs{
		Repository:  pulumi.String(repository),
		Environment: pulumi.String(args.Scope.Prefix()),
	}, pulumi.Parent(s))
	if err != nil {
		return fmt.Errorf("environment: %w", err)
	}
	// What a workflow needs to find this stack's pipeline, for instance to wait for a release.
	for _, variable := range []struct{ child, noun, value string }{
		{"-region", "AWS_REGION", args.Scope.Region},
		{"-pipeline-name", "PIPELINE_NAME", args.Scope.pipelineName()},
	} {
		_, err = github.NewActionsVariable(ctx, name+variable.child, &github.ActionsVariableArgs{
			Repository:   pulumi.String(repository),
			VariableName: pulumi.String(args.Scope.variableName(variable.noun)),
			Value:        pulumi.String(variable.value),
		}, pulumi.Parent(s))
		if err != nil {
			return fmt.Errorf("variable %s: %w", variable.noun, err)
		}
	}
	return nil
}
