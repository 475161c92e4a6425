package infra

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/cloudwatch"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/codebuild"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// buildMinutes is the build timeout. CodeBuild's default is an hour.
const buildMinutes = 30

// BuildArgs configures a Build.
type BuildArgs struct {
	Scope Scope
	// Architecture is the host's: builds run on the same architecture, so nothing is cross-compiled.
	Architecture Architecture
	// Registry receives the images, Store the sources and bundles.
	Registry *Registry
	Store    *ArtifactStore
	// ContainerPort and HealthPath are the contract with the application; they travel with the bundle.
	ContainerPort int
	HealthPath    string
	// Application says how the image is built, and Environment has the settings that travel with the bundle.
	Application Application
	Environment *Environment
	// DeployScripts is where the scripts of builds and hosts come from: scriptsInRepository or scriptsInStack.
	DeployScripts string
	// Address is where visitors reach the application.
	Address pulumi.StringInput
	// LogRetentionDays must be a period that CloudWatch Logs offers.
	LogRetentionDays int
}

func (a *BuildArgs) validate() error {
	if a.Registry == nil || a.Store == nil || a.Environment == nil || a.Address == nil {
		return errors.New("a Registry, a Store, an Environment and an Address are required")
	}
	return nil
}

// Build is the CodeBuild project that tests a commit, pushes its image and creates the bundle to deploy.
type Build struct {
	pulumi.ResourceState

	// ProjectName is what the pipeline starts, and ProjectArn what its role may start.
	ProjectName pulumi.StringOutput `pulumi:"projectName"`
	ProjectArn  pulumi.StringOutput `pulumi:"projectArn"`
}

// NewBuild registers a Build and its children, whose names start with name.
func NewBuild(ctx *pulumi.Context, name string, args *BuildArgs, opts ...pulumi.ResourceOption) (*Build, error) {
	if err := args.validate(); err != nil {
		return nil, fmt.Errorf("build %q: %w", name, err)
	}
	b := &Build{}
	inputs := pulumi.Map{
		"architecture":     pulumi.String(args.Architecture),
		"containerPort":    pulumi.Int(args.ContainerPort),
		"healthPath":       pulumi.String(args.HealthPath),
		"logRetentionDays": pulumi.Int(args.LogRetentionDays),
	}
	if err := ctx.RegisterComponentResourceV2(typeBuild, name, inputs, b, opts...); err != nil {
		return nil, fmt.Errorf("build %q: %w", name, err)
	}
	// Declared here because the group CodeBuild would create has no retention and survives the stack.
	logs, err := cloudwatch.NewLogGroup(ctx, name+"-build-logs", &cloudwatch.LogGroupArgs{
		Name:            pulumi.String(args.Scope.logGroupName()),
		RetentionInDays: pulumi.Int(args.LogRetentionDays),
	}, pulumi.Parent(b))
	if err != nil {
		return nil, fmt.Errorf("build %q: log group: %w", name, err)
	}
	role, err := newRole(ctx, name, args.Scope, buildRole(args, logs.Arn), b)
	if err != nil {
		return nil, fmt.Errorf("build %q: %w", name, err)
	}
	scripts, err := newScripts(ctx, name, args, b)
	if err != nil {
		return nil, fmt.Errorf("build %q: %w", name, err)
	}
	definition, err := args.project(role, logs, scripts)
	if err != nil {
		return nil, fmt.Errorf("build %q: %w", name, err)
	}
	project, err := codebuild.NewProject(ctx, name+"-build", definition, pulumi.Parent(b), after(role.policy))
	if err != nil {
		return nil, fmt.Errorf("build %q: project: %w", name, err)
	}
	b.ProjectName, b.ProjectArn = project.Name, project.Arn
	return b, ctx.RegisterResourceOutputs(b, pulumi.Map{
		"projectName": b.ProjectName,
		"projectArn":  b.ProjectArn,
	})
}

// buildRole lists what a build may do in AWS.
func buildRole(args *BuildArgs, logGroup pulumi.StringInput) roleArgs {
	return roleArgs{
		purpose:     "build",
		description: "What the builds of " + args.Scope.Prefix() + " may do",
		// The project's ARN is built from names: the project depends on the role, so the role cannot depend on the project.
		trust: trust("codebuild.amazonaws.com", condition{
			"ArnEquals": {"aws:SourceArn": args.Scope.arn("codebuild", "project/"+args.Scope.projectName())},
		}),
		grants: append([]grant{
			allow("WriteBuildLogs", []string{"logs:CreateLogStream", "logs:PutLogEvents"}, on(within(logGroup, ":*"))),
			allow("FindArtifactStore", []string{"s3:GetBucketAcl", "s3:GetBucketLocation"}, on(args.Store.BucketArn)),
			allow("ReadSourceWriteBundle", []string{"s3:GetObject", "s3:GetObjectVersion", "s3:PutObject"}, on(within(args.Store.BucketArn, "/*"))),
			allow("LogInToRegistry", []string{"ecr:GetAuthorizationToken"}, on(pulumi.String("*"))), // supports no resource-level permissions
			// ECR User Guide, "IAM permissions for pushing an image".
			allow("PushImage", []string{
				"ecr:BatchCheckLayerAvailability",
				"ecr:BatchGetImage",
				"ecr:CompleteLayerUpload",
				"ecr:InitiateLayerUpload",
				"ecr:PutImage",
				"ecr:UploadLayerPart",
			}, on(args.Registry.RepositoryArn)),
			allow("CacheLayers", []string{ // the same, and to read them
				"ecr:BatchCheckLayerAvailability",
				"ecr:BatchGetImage",
				"ecr:CompleteLayerUpload",
				"ecr:GetDownloadUrlForLayer",
				"ecr:InitiateLayerUpload",
				"ecr:PutImage",
				"ecr:UploadLayerPart",
			}, on(args.Registry.CacheArn)),
			allow("FindPushedImage", []string{"ecr:DescribeImages"}, on(args.Registry.RepositoryArn)), // its tag is immutable (F19)
		}, secretGrants(args.Scope, args.Application.BuildSecrets, args.Scope.ownParameters(args.Application.BuildSecrets))...),
	}
}

// project returns the CodeBuild project's arguments.
func (a *BuildArgs) project(role *role, logs *cloudwatch.LogGroup, scripts *scripts) (*codebuild.ProjectArgs, error) {
	variables, err := a.variables()
	if err != nil {
		return nil, err
	}
	variables = append(variables, scripts.variables...)
	return &codebuild.ProjectArgs{
		Name:         pulumi.String(a.Scope.projectName()),
		Description:  pulumi.String("Tests and builds " + a.Scope.Prefix()),
		ServiceRole:  role.Arn,
		BuildTimeout: pulumi.Int(buildMinutes),
		Source: &codebuild.ProjectSourceArgs{
			Type:      pulumi.String("CODEPIPELINE"),
			Buildspec: pulumi.String(scripts.buildspec),
		},
		Artifacts: &codebuild.ProjectArtifactsArgs{Type: pulumi.String("CODEPIPELINE"), EncryptionDisabled: pulumi.Bool(false)},
		// A local cache on the build machine is free, short-lived, and helps when builds follow one another.
		Cache: &codebuild.ProjectCacheArgs{
			Type:  pulumi.String("LOCAL"),
			Modes: pulumi.ToStringArray([]string{"LOCAL_CUSTOM_CACHE", "LOCAL_DOCKER_LAYER_CACHE"}),
		},
		Environment: &codebuild.ProjectEnvironmentArgs{
			ComputeType:              pulumi.String("BUILD_GENERAL1_SMALL"),
			Type:                     pulumi.String(a.Architecture.buildType()),
			Image:                    pulumi.String(a.Architecture.buildImage()),
			ImagePullCredentialsType: pulumi.String("CODEBUILD"),
			PrivilegedMode:           pulumi.Bool(true), // Docker needs it (F17)
			EnvironmentVariables:     variables,
		},
		LogsConfig: &codebuild.ProjectLogsConfigArgs{
			CloudwatchLogs: &codebuild.ProjectLogsConfigCloudwatchLogsArgs{
				Status:    pulumi.String("ENABLED"),
				GroupName: logs.Name,
			},
		},
	}, nil
}

// variables are what the build scripts get. A build has no part in a container's secrets, and gets those of its own by
// name.
func (a *BuildArgs) variables() (codebuild.ProjectEnvironmentEnvironmentVariableArray, error) {
	image := a.Application.Image
	variant, err := image.variant()
	if err != nil {
		return nil, err
	}
	variables := codebuild.ProjectEnvironmentEnvironmentVariableArray{
		plaintext("REPOSITORY_URL", a.Registry.RepositoryURL),
		plaintext("CACHE_URL", a.Registry.CacheURL),
		plaintext("CONTAINER_PORT", pulumi.String(strconv.Itoa(a.ContainerPort))),
		plaintext("HEALTH_PATH", pulumi.String(a.HealthPath)),
		plaintext("HEALTH_HOST", a.Address), // applications check the header Host
		plaintext("GOARCH", pulumi.String(a.Architecture.goarch())),
		plaintext("SETTINGS", a.Environment.Settings),
		plaintext("APP_PATH", pulumi.String(image.AppPath)),
		plaintext("DOCKERFILE", pulumi.String(image.Dockerfile)),
		plaintext("BUILD_TARGET", pulumi.String(image.Target)),
		plaintext("IMAGE_VARIANT", pulumi.String(variant)),
	}
	for _, name := range slices.Sorted(maps.Keys(a.Application.BuildSecrets)) {
		variables = append(variables, buildSecret(a.Scope, name, a.Application.BuildSecrets[name]))
	}
	return variables, nil
}

// buildSecret is a variable whose value CodeBuild fetches: a parameter by its name, or "secret-id:json-key" of Secrets
// Manager (CodeBuild User Guide, "Build specification reference", env/parameter-store and env/secrets-manager).
func buildSecret(scope Scope, name, text string) *codebuild.ProjectEnvironmentEnvironmentVariableArgs {
	source, _ := parseSource(text)
	kind, value := "PARAMETER_STORE", source.String()
	switch {
	case source.own():
		value = scope.SecretsPath() + "/" + name
	case source.Service == "ssm":
		value = source.parameter()
	case source.Service == "secretsmanager":
		kind = "SECRETS_MANAGER"
		if source.key != "" {
			value += ":" + source.key
		}
	}
	return variable("BUILD_SECRET_"+name, kind, pulumi.String(value))
}

func plaintext(name string, value pulumi.StringInput) *codebuild.ProjectEnvironmentEnvironmentVariableArgs {
	return variable(name, "PLAINTEXT", value)
}

func variable(name, kind string, value pulumi.StringInput) *codebuild.ProjectEnvironmentEnvironmentVariableArgs {
	return &codebuild.ProjectEnvironmentEnvironmentVariableArgs{
		Name:  pulumi.String(name),
		Value: value,
		Type:  pulumi.String(kind),
	}
}
