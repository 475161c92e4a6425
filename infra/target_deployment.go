package infra

import (
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/codedeploy"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

const (
	// deploymentConfig fails when the only host fails. AllAtOnce, with several hosts, succeeds if a single one does
	// (F37).
	deploymentConfig = "CodeDeployDefault.OneAtATime"
	groupName        = "hosts"
)

// newDeployment declares the CodeDeploy application and the deployment group, which finds its hosts by tag.
func (t *Target) newDeployment(ctx *pulumi.Context, name string, args *TargetArgs) error {
	role, err := newRole(ctx, name, args.Scope, deployRole(args.Scope), t)
	if err != nil {
		return err
	}
	application, err := codedeploy.NewApplication(ctx, name+"-application", &codedeploy.ApplicationArgs{
		Name:            pulumi.String(args.Scope.applicationName()),
		ComputePlatform: pulumi.String("Server"),
	}, pulumi.Parent(t))
	if err != nil {
		return fmt.Errorf("application: %w", err)
	}
	group, err := codedeploy.NewDeploymentGroup(ctx, name+"-hosts", &codedeploy.DeploymentGroupArgs{
		AppName:              application.Name,
		DeploymentGroupName:  pulumi.String(groupName),
		ServiceRoleArn:       role.Arn,
		DeploymentConfigName: pulumi.String(deploymentConfig),
		// The hooks switch traffic between containers: there is no load balancer for CodeDeploy to switch.
		DeploymentStyle: &codedeploy.DeploymentGroupDeploymentStyleArgs{
			DeploymentType:   pulumi.String("IN_PLACE"),
			DeploymentOption: pulumi.String("WITHOUT_TRAFFIC_CONTROL"),
		},
		Ec2TagSets: codedeploy.DeploymentGroupEc2TagSetArray{
			&codedeploy.DeploymentGroupEc2TagSetArgs{
				Ec2TagFilters: codedeploy.DeploymentGroupEc2TagSetEc2TagFilterArray{
					&codedeploy.DeploymentGroupEc2TagSetEc2TagFilterArgs{
						Type:  pulumi.String("KEY_AND_VALUE"),
						Key:   pulumi.String(deploymentTag),
						Value: pulumi.String(args.Scope.Prefix()),
					},
				},
			},
		},
		// Only here: a rollback of the pipeline's stage would deploy the last good revision a second time.
		AutoRollbackConfiguration: &codedeploy.DeploymentGroupAutoRollbackConfigurationArgs{
			Enabled: pulumi.Bool(true),
			Events:  pulumi.ToStringArray([]string{"DEPLOYMENT_FAILURE"}),
		},
	}, pulumi.Parent(t), after(role.policy))
	if err != nil {
		return fmt.Errorf("deployment group: %w", err)
	}
	t.ApplicationName, t.ApplicationArn = application.Name, application.Arn
	t.GroupName, t.GroupArn = group.DeploymentGroupName, group.Arn
	t.ready = append(t.ready, group)
	return nil
}

// deployRole lists what CodeDeploy may do with hosts it finds by tag. AWS's managed policy for this role may also
// terminate instances.
func deployRole(scope Scope) roleArgs {
	return roleArgs{
		purpose:     "deploy",
		description: "What the deployments of " + scope.Prefix() + " may do",
		// The group is a wildcard: CodeDeploy checks the role before the group exists (CodeDeploy User Guide,
		// "Cross-service confused deputy prevention").
		trust: trust("codedeploy.amazonaws.com", condition{
			"StringEquals": {"aws:SourceAccount": scope.Account},
			"StringLike":   {"aws:SourceArn": scope.arn("codedeploy", "deploymentgroup:"+scope.applicationName()+"/*")},
		}),
		grants: []grant{
			// None of these supports resource-level permissions.
			allow("FindHosts", []string{"ec2:DescribeInstanceStatus", "ec2:DescribeInstances", "tag:GetResources"}, on(pulumi.String("*"))),
		},
	}
}
