package infra

import (
	"errors"
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/cloudwatch"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/s3"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// settingsKey begins like no artifact's key: a pipeline's name begins with a letter. So the settings never expire.
const settingsKey = "_stack/settings.env"

// EnvironmentArgs configures an Environment.
type EnvironmentArgs struct {
	Scope Scope
	// Store keeps the settings.
	Store *ArtifactStore
	// Application is what the settings say.
	Application Application
	// LogRetentionDays must be a period that CloudWatch Logs offers.
	LogRetentionDays int
}

func (a *EnvironmentArgs) validate() error {
	if a.Store == nil {
		return errors.New("a Store is required")
	}
	return nil
}

// Environment is what the application's containers live in, apart from the host: their settings and their log. A
// release takes the settings as they are when it is built. They name secrets, and have none of their values.
type Environment struct {
	pulumi.ResourceState

	// Settings is where builds find the settings: the bucket, a slash and the object's key.
	Settings pulumi.StringOutput `pulumi:"settings"`
	// LogGroup has what the containers print, a stream per release and process. LogGroupArn is the ARN that the host's role is granted
	// access to.
	LogGroup    pulumi.StringOutput `pulumi:"logGroup"`
	LogGroupArn pulumi.StringOutput `pulumi:"logGroupArn"`

	// ready must exist before the first release, see Target.
	ready []pulumi.Resource

	name string
	args *EnvironmentArgs
}

// NewEnvironment registers an Environment and its log group, whose names start with name. It is complete after
// WriteSettings: hosts write to the log, and the settings name what hosts have.
func NewEnvironment(ctx *pulumi.Context, name string, args *EnvironmentArgs, opts ...pulumi.ResourceOption) (*Environment, error) {
	if err := args.validate(); err != nil {
		return nil, fmt.Errorf("environment %q: %w", name, err)
	}
	e := &Environment{name: name, args: args}
	inputs := pulumi.Map{
		"healthSeconds":    pulumi.Int(args.Application.HealthSeconds),
		"logRetentionDays": pulumi.Int(args.LogRetentionDays),
		"stopSeconds":      pulumi.Int(args.Application.StopSeconds),
	}
	if err := ctx.RegisterComponentResourceV2(typeEnvironment, name, inputs, e, opts...); err != nil {
		return nil, fmt.Errorf("environment %q: %w", name, err)
	}
	logs, err := cloudwatch.NewLogGroup(ctx, name+"-logs", &cloudwatch.LogGroupArgs{
		Name:            pulumi.String(args.Scope.appLogGroupName()),
		RetentionInDays: pulumi.Int(args.LogRetentionDays),
	}, pulumi.Parent(e))
	if err != nil {
		return nil, fmt.Errorf("environment %q: log group: %w", name, err)
	}
	e.LogGroup, e.LogGroupArn = logs.Name, logs.Arn
	e.ready = []pulumi.Resource{logs}
	return e, nil
}

// WriteSettings writes the settings. data is what the hosts have beside their disks, nil for nothing.
func (e *Environment) WriteSettings(ctx *pulumi.Context, data *Data) error {
	var content pulumi.StringInput = pulumi.String(e.args.Application.settingsFile(e.args.Scope, ""))
	if data != nil {
		content = data.VolumeID.ToStringOutput().ApplyT(func(id string) string {
			return e.args.Application.settingsFile(e.args.Scope, id)
		}).(pulumi.StringOutput)
	}
	store := e.args.Store
	object, err := s3.NewBucketObjectv2(ctx, e.name+"-settings", &s3.BucketObjectv2Args{
		Bucket:      store.BucketName,
		Key:         pulumi.String(settingsKey),
		Content:     content,
		ContentType: pulumi.String("text/plain; charset=utf-8"),
	}, pulumi.Parent(e), after(store.ready))
	if err != nil {
		return fmt.Errorf("environment %q: settings: %w", e.name, err)
	}
	e.Settings = pulumi.Sprintf("%s/%s", store.BucketName, object.Key)
	e.ready = append(e.ready, object)
	return ctx.RegisterResourceOutputs(e, pulumi.Map{
		"settings":    e.Settings,
		"logGroup":    e.LogGroup,
		"logGroupArn": e.LogGroupArn,
	})
}
