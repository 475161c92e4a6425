package infra

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/codebuild"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/s3"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	deployscripts "cicd/deploy-scripts"
)

// The values of deployScripts: where what runs in builds and on hosts comes from.
const (
	scriptsInRepository = "repository"
	scriptsInStack      = "stack"
)

// scriptsKey begins like no artifact's key, see settingsKey.
const scriptsKey = "_stack/deploy-scripts.tar"

// scripts say how a build gets at the scripts that it runs.
type scripts struct {
	// buildspec is the path of the buildspec in the repository, or its text (CodeBuild API Reference, ProjectSource).
	buildspec string
	variables codebuild.ProjectEnvironmentEnvironmentVariableArray
}

// newScripts declares the scripts below parent, if they come from the stack. A build reads the version that the project
// names, and not the newest, which a `pulumi up` may replace after the build has started. It checks their sum, because a
// refresh would adopt the version that somebody else has put in its place.
func newScripts(ctx *pulumi.Context, name string, args *BuildArgs, parent pulumi.Resource) (*scripts, error) {
	if args.DeployScripts != scriptsInStack {
		return &scripts{buildspec: "deploy-scripts/buildspec.yml"}, nil
	}
	archive, err := deployscripts.Archive()
	if err != nil {
		return nil, err
	}
	object, err := s3.NewBucketObjectv2(ctx, name+"-deploy-scripts", &s3.BucketObjectv2Args{
		Bucket:        args.Store.BucketName,
		Key:           pulumi.String(scriptsKey),
		ContentBase64: pulumi.String(base64.StdEncoding.EncodeToString(archive)),
		ContentType:   pulumi.String("application/x-tar"),
	}, pulumi.Parent(parent), after(args.Store.ready))
	if err != nil {
		return nil, fmt.Errorf("deployment scripts: %w", err)
	}
	sum := sha256.Sum256(archive)
	return &scripts{
		buildspec: deployscripts.Buildspec,
		variables: codebuild.ProjectEnvironmentEnvironmentVariableArray{
			plaintext("DEPLOY_SCRIPTS", pulumi.Sprintf("%s/%s", args.Store.BucketName, object.Key)),
			plaintext("DEPLOY_SCRIPTS_VERSION", object.VersionId),
			plaintext("DEPLOY_SCRIPTS_SHA256", pulumi.String(hex.EncodeToString(sum[:]))),
		},
	}, nil
}
