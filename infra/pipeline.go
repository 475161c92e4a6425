package infra

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/codepipeline"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// Names by which one part of the pipeline's definition refers to another. The namespace must differ from the
// artifacts' names (CodePipeline User Guide, "Variables reference").
const (
	sourceAction    = "Source"
	sourceNamespace = "SourceVariables"
	sourceArtifact  = "Commit"
	bundleArtifact  = "Bundle"
	commitID        = "#{" + sourceNamespace + ".CommitId}"
)

// PipelineArgs configures a Pipeline.
type PipelineArgs struct {
	Scope Scope
	// Source, Store, Build and Target are what the stages use.
	Source *Source
	Store  *ArtifactStore
	Build  *Build
	Target *Target
	// Ready is what else must exist before the first release.
	Ready []pulumi.Resource
	// Authorized reports whether Source's connection is AVAILABLE.
	Authorized bool
	// WatchPaths are 1 to 8 sorted patterns; a push that touches none of them starts nothing.
	WatchPaths []string
	// Approval adds a stage in which a person approves or rejects the release.
	Approval bool
}

func (a *PipelineArgs) validate() error {
	if a.Source == nil || a.Store == nil || a.Build == nil || a.Target == nil {
		return errors.New("a Source, a Store, a Build and a Target are required")
	}
	if problem := checkWatchPaths(a.WatchPaths); problem != "" || len(a.WatchPaths) == 0 {
		return fmt.Errorf("WatchPaths: %s", cmp.Or(problem, "want at least one"))
	}
	return nil
}

// Pipeline takes every push to the branch through Source, Build, optionally Approval, and Deploy. It is created in AWS
// only once the connection is authorized: an earlier one never starts on a push (F2). Its role and policy exist from
// the start, because IAM takes seconds to propagate them, and the pipeline's first run starts when it is created (F12).
type Pipeline struct {
	pulumi.ResourceState

	// Name is the pipeline's name in AWS, and URL its page in the console. Both are "" while there is none.
	Name pulumi.StringOutput `pulumi:"name"`
	URL  pulumi.StringOutput `pulumi:"url"`
}

// NewPipeline registers a Pipeline and its children, whose names start with name.
func NewPipeline(ctx *pulumi.Context, name string, args *PipelineArgs, opts ...pulumi.ResourceOption) (*Pipeline, error) {
	if err := args.validate(); err != nil {
		return nil, fmt.Errorf("pipeline %q: %w", name, err)
	}
	p := &Pipeline{}
	inputs := pulumi.Map{"watchPaths": pulumi.ToStringArray(args.WatchPaths), "approval": pulumi.Bool(args.Approval)}
	if err := ctx.RegisterComponentResourceV2(typePipeline, name, inputs, p, opts...); err != nil {
		return nil, fmt.Errorf("pipeline %q: %w", name, err)
	}
	role, err := newRole(ctx, name, args.Scope, pipelineRole(args), p)
	if err != nil {
		return nil, fmt.Errorf("pipeline %q: %w", name, err)
	}
	p.Name, p.URL = pulumi.String("").ToStringOutput(), pulumi.String("").ToStringOutput()
	if args.Authorized {
		if err := p.create(ctx, name, args, role); err != nil {
			return nil, fmt.Errorf("pipeline %q: %w", name, err)
		}
	}
	return p, ctx.RegisterResourceOutputs(p, pulumi.Map{"name": p.Name, "url": p.URL})
}

// create declares the pipeline in AWS.
func (p *Pipeline) create(ctx *pulumi.Context, name string, args *PipelineArgs, role *role) error {
	definition, err := args.definition(role)
	if err != nil {
		return err
	}
	// The pipeline runs as soon as it exists, so everything its stages use must exist first.
	pipeline, err := codepipeline.NewPipeline(ctx, name+"-pipeline", definition, pulumi.Parent(p),
		after(role.policy, args.Store.ready), after(args.Target.ready...), after(args.Ready...))
	if err != nil {
		return err
	}
	p.Name = pipeline.Name
	p.URL = pulumi.Sprintf("https://%s/codesuite/codepipeline/pipelines/%s/view?region=%s", args.Scope.console(), p.Name, args.Scope.Region)
	return nil
}

// pipelineRole lists what the pipeline itself may do in AWS. The work of each action has its own service's role.
func pipelineRole(args *PipelineArgs) roleArgs {
	scope := args.Scope
	return roleArgs{
		purpose:     "pipeline",
		description: "What the pipeline " + scope.pipelineName() + " may do",
		// IfExists, because CodePipeline does not send these keys with every call.
		trust: trust("codepipeline.amazonaws.com", condition{
			"StringEqualsIfExists": {"aws:SourceAccount": scope.Account},
			"ArnEqualsIfExists":    {"aws:SourceArn": scope.arn("codepipeline", scope.pipelineName())},
		}),
		grants: []grant{
			// The two S3 statements are the minimum in the CodePipeline User Guide, "Manage the CodePipeline service role".
			allow("FindArtifactStore", []string{"s3:GetBucketAcl", "s3:GetBucketLocation", "s3:GetBucketVersioning"}, on(args.Store.BucketArn)),
			// Without PutObjectAcl the source action fails with "Upload to S3 failed" (aws/aws-cdk issue 13557).
			allow("HandOnArtifacts", []string{"s3:GetObject", "s3:GetObjectVersion", "s3:PutObject", "s3:PutObjectAcl"}, on(within(args.Store.BucketArn, "/*"))),
			allow("ReadRepository", []string{args.Source.UseConnection}, on(args.Source.ConnectionArn)),
			allow("RunBuild", []string{"codebuild:BatchGetBuilds", "codebuild:StartBuild"}, on(args.Build.ProjectArn)),
			allow("Deploy", []string{"codedeploy:CreateDeployment", "codedeploy:GetDeployment"}, on(args.Target.GroupArn)),
			allow("RegisterBundle", []string{
				"codedeploy:GetApplication",
				"codedeploy:GetApplicationRevision",
				"codedeploy:RegisterApplicationRevision",
			}, on(args.Target.ApplicationArn)),
			allow("ReadDeploymentConfig", []string{"codedeploy:GetDeploymentConfig"},
				on(pulumi.String(scope.arn("codedeploy", "deploymentconfig:"+deploymentConfig)))),
		},
	}
}

// definition returns the pipeline's arguments.
func (a *PipelineArgs) definition(role *role) (*codepipeline.PipelineArgs, error) {
	build, err := a.buildStage()
	if err != nil {
		return nil, err
	}
	stages := codepipeline.PipelineStageArray{a.sourceStage(), build}
	if a.Approval {
		stages = append(stages, a.approvalStage())
	}
	return &codepipeline.PipelineArgs{
		Name:          pulumi.String(a.Scope.pipelineName()),
		PipelineType:  pulumi.String("V2"),
		ExecutionMode: pulumi.String("SUPERSEDED"), // a newer push replaces a waiting one
		RoleArn:       role.Arn,
		// A pipeline in one region has exactly one store, without a region.
		ArtifactStores: codepipeline.PipelineArtifactStoreArray{
			&codepipeline.PipelineArtifactStoreArgs{Type: pulumi.String("S3"), Location: a.Store.BucketName},
		},
		Stages:   append(stages, a.deployStage()),
		Triggers: codepipeline.PipelineTriggerArray{a.trigger()},
	}, nil
}

func (a *PipelineArgs) sourceStage() *codepipeline.PipelineStageArgs {
	source := stage("Source", &codepipeline.PipelineStageActionArgs{
		Name:     pulumi.String(sourceAction),
		Category: pulumi.String("Source"),
		Owner:    pulumi.String("AWS"),
		Provider: pulumi.String("CodeStarSourceConnection"),
		Version:  pulumi.String("1"),
		Configuration: pulumi.StringMap{
			"ConnectionArn":        a.Source.ConnectionArn,
			"FullRepositoryId":     pulumi.String(a.Source.Repository),
			"BranchName":           pulumi.String(a.Source.Branch),
			"OutputArtifactFormat": pulumi.String("CODE_ZIP"),
			"DetectChanges":        pulumi.String("false"), // the trigger does; both would start two runs
		},
		Namespace:       pulumi.String(sourceNamespace),
		OutputArtifacts: pulumi.ToStringArray([]string{sourceArtifact}),
	})
	// Nothing has happened yet, and what fails is often over soon: GitHub is away, or the role's policy has not spread
	// (F12).
	source.OnFailure = &codepipeline.PipelineStageOnFailureArgs{
		Result:             pulumi.String("RETRY"),
		RetryConfiguration: &codepipeline.PipelineStageOnFailureRetryConfigurationArgs{RetryMode: pulumi.String("FAILED_ACTIONS")},
	}
	return source
}

func (a *PipelineArgs) buildStage() (*codepipeline.PipelineStageArgs, error) {
	// The commit's message is a variable too, but must stay away from a shell. AWS takes up to 1000 characters.
	variables, err := json.Marshal([]map[string]string{{"name": "COMMIT_ID", "value": commitID, "type": "PLAINTEXT"}})
	if err != nil {
		return nil, fmt.Errorf("build action's environment variables: %w", err)
	}
	return stage("Build", &codepipeline.PipelineStageActionArgs{
		Name:     pulumi.String("Build"),
		Category: pulumi.String("Build"),
		Owner:    pulumi.String("AWS"),
		Provider: pulumi.String("CodeBuild"),
		Version:  pulumi.String("1"),
		Configuration: pulumi.StringMap{
			"ProjectName":          a.Build.ProjectName,
			"EnvironmentVariables": pulumi.String(variables),
		},
		InputArtifacts:  pulumi.ToStringArray([]string{sourceArtifact}),
		OutputArtifacts: pulumi.ToStringArray([]string{bundleArtifact}),
	}), nil
}

func (a *PipelineArgs) approvalStage() *codepipeline.PipelineStageArgs {
	return stage("Approval", &codepipeline.PipelineStageActionArgs{
		Name:     pulumi.String("Approval"),
		Category: pulumi.String("Approval"),
		Owner:    pulumi.String("AWS"),
		Provider: pulumi.String("Manual"),
		Version:  pulumi.String("1"),
		Configuration: pulumi.StringMap{
			"CustomData":         pulumi.String("Release " + commitID + " to " + a.Scope.Stack + "?"),
			"ExternalEntityLink": pulumi.String("https://github.com/" + a.Source.Repository + "/commit/" + commitID),
		},
	})
}

func (a *PipelineArgs) deployStage() *codepipeline.PipelineStageArgs {
	return stage("Deploy", &codepipeline.PipelineStageActionArgs{
		Name:     pulumi.String("Deploy"),
		Category: pulumi.String("Deploy"),
		Owner:    pulumi.String("AWS"),
		Provider: pulumi.String("CodeDeploy"),
		Version:  pulumi.String("1"),
		Configuration: pulumi.StringMap{
			"ApplicationName":     a.Target.ApplicationName,
			"DeploymentGroupName": a.Target.GroupName,
		},
		InputArtifacts: pulumi.ToStringArray([]string{bundleArtifact}),
	})
}

// trigger starts the pipeline for pushes to the branch that touch a watched path.
func (a *PipelineArgs) trigger() *codepipeline.PipelineTriggerArgs {
	return &codepipeline.PipelineTriggerArgs{
		ProviderType: pulumi.String("CodeStarSourceConnection"),
		GitConfiguration: &codepipeline.PipelineTriggerGitConfigurationArgs{
			SourceActionName: pulumi.String(sourceAction),
			Pushes: codepipeline.PipelineTriggerGitConfigurationPushArray{
				&codepipeline.PipelineTriggerGitConfigurationPushArgs{
					Branches: &codepipeline.PipelineTriggerGitConfigurationPushBranchesArgs{
						Includes: pulumi.ToStringArray([]string{a.Source.Branch}),
					},
					FilePaths: &codepipeline.PipelineTriggerGitConfigurationPushFilePathsArgs{
						Includes: pulumi.ToStringArray(a.WatchPaths),
					},
				},
			},
		},
	}
}

// stage returns a stage of one action.
func stage(name string, action *codepipeline.PipelineStageActionArgs) *codepipeline.PipelineStageArgs {
	return &codepipeline.PipelineStageArgs{
		Name:    pulumi.String(name),
		Actions: codepipeline.PipelineStageActionArray{action},
	}
}
