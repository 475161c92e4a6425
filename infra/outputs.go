package infra

import (
	"fmt"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// export sets the stack's outputs. All of them always exist, and are "" where they do not apply.
func export(ctx *pulumi.Context, s settings, scope Scope, c *components) {
	ctx.Export("appUrl", c.target.URL)
	ctx.Export("publicIp", c.target.PublicIP)
	ctx.Export("instanceIds", pulumi.StringArray{c.target.InstanceID})
	ctx.Export("sshCommand", sshCommand(s, c.target))
	ctx.Export("sessionCommand", pulumi.Sprintf("aws ssm start-session --target %s --region %s", c.target.InstanceID, s.Region))
	ctx.Export("repositoryUrl", c.registry.RepositoryURL)
	ctx.Export("logGroup", c.environment.LogGroup)
	ctx.Export("connectionArn", c.source.ConnectionArn)
	ctx.Export("pipelineName", c.pipeline.Name)
	ctx.Export("pipelineUrl", c.pipeline.URL)
	ctx.Export("nextStep", nextStep(s, scope, c))
}

// nextStep says what a person has to do now.
func nextStep(s settings, scope Scope, c *components) pulumi.StringOutput {
	step := pulumi.Sprintf("%s", authorizeStep(scope))
	if s.authorized() {
		change := "environment, secrets, releaseCommand, processes, volumes or domain"
		if s.DeployScripts == scriptsInStack {
			change += ", or of the deployment scripts, which come with this program,"
		}
		step = pulumi.Sprintf("Push to branch %s of %s to release it, and watch the release at %s. The first release, of the branch's current commit, has started by itself. "+
			"A change of %s takes effect with the next release: "+
			"`aws codepipeline start-pipeline-execution --name %s --region %s` releases the current commit again, without a push, and builds no image anew.",
			s.Branch, s.Repository, c.pipeline.URL, change, c.pipeline.Name, s.Region)
	}
	if s.Domain == "" || s.HostedZoneID != "" {
		return step
	}
	return pulumi.Sprintf("Make this DNS record, unless it is there: `%s. %d IN A %s`. Then the host gets the certificate for %s by itself, with the next release. %s",
		s.Domain, recordTTL, c.target.PublicIP, s.Domain, step)
}

// sshCommand returns "" while port 22 is closed.
func sshCommand(s settings, t *Target) pulumi.StringInput {
	switch {
	case s.OperatorIP == "":
		return pulumi.String("")
	case s.SSHPublicKey == "":
		return pulumi.Sprintf("aws ec2-instance-connect ssh --os-user ec2-user --instance-id %s --region %s", t.InstanceID, s.Region)
	default:
		return pulumi.Sprintf("ssh ec2-user@%s", t.PublicIP)
	}
}

// authorizeStep says how to get a pipeline for a stack without one.
func authorizeStep(scope Scope) string {
	return fmt.Sprintf("%s When it is \"Available\", run `pulumi config set connectionAuthorized true --stack %s` and `pulumi up --stack %[2]s`: that creates the pipeline.",
		scope.AuthorizeConnection(), scope.Stack)
}

// AuthorizeConnection says how to authorize the stack's own connection. Only a person can, and only in the console (F1).
func (s Scope) AuthorizeConnection() string {
	return fmt.Sprintf("Open https://%s/codesuite/settings/connections?region=%s as somebody who may install GitHub Apps for the repository's owner, "+
		"choose the connection %s and \"Update pending connection\".", s.console(), s.Region, s.connectionName())
}
