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
	ctx.Export("connectionArn", c.source.ConnectionArn)
	ctx.Export("pipelineName", c.pipeline.Name)
	ctx.Export("pipelineUrl", c.pipeline.URL)
	if !s.authorized() {
		ctx.Export("nextStep", pulumi.String(authorizeStep(scope)))
		return
	}
	ctx.Export("nextStep", pulumi.Sprintf("Push to branch %s of %s to release it, and watch the release at %s. The first release, of the branch's current commit, has started by itself.",
		s.Branch, s.Repository, c.pipeline.URL))
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

// authorizeStep says how to get a pipeline for a stack without one. Only a person can authorize a connection, and
// only in the console (F1).
func authorizeStep(scope Scope) string {
	return fmt.Sprintf("Open https://%s/codesuite/settings/connections?region=%s as somebody who may install GitHub Apps for the repository's owner, "+
		"choose the connection %s and \"Update pending connection\". When it is \"Available\", run "+
		"`pulumi config set connectionAuthorized true --stack %s` and `pulumi up --stack %s`: that creates the pipeline.",
		scope.console(), scope.Region, scope.connectionName(), scope.Stack, scope.Stack)
}
