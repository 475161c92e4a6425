package world

import (
	"context"
	"errors"
	"io"
	"os"
	"strings"

	"cicd/rehearsal/workspace"

	"cicd/rehearsal/aws/codebuild"
	"cicd/rehearsal/aws/codepipeline"
	"cicd/rehearsal/aws/iam"
)

// askBucket are the bucket actions that a build performs beside reading and writing. Like s3:GetObject beside
// s3:GetObjectVersion, they are in the minimum of the AWS CodeBuild User Guide, "Allow CodeBuild to interact with other
// AWS services".
var askBucket = []string{"s3:GetBucketAcl", "s3:GetBucketLocation"}

// buildNotes is the variable in which a build exports what a person should know of it, separated by "; ": see
// deploy-scripts/buildspec.yml.
const buildNotes = "BUILD_NOTES"

// build runs a CodeBuild project for a pipeline: its source comes from the artifact store and its artifact goes
// there, both with the build's own session.
func (c *cloud) build(ctx context.Context, b codepipeline.Build) (result codepipeline.BuildResult, err error) {
	source, err := os.CreateTemp(c.pipelines.Dir, "build-source-*.zip")
	if err != nil {
		return result, err
	}
	defer os.Remove(source.Name())
	defer source.Close()
	in := codebuild.Input{
		ProjectName: b.Project, Initiator: b.Initiator, ResolvedSourceVersion: b.SourceVersion,
		SourceVersion: "arn:aws:s3:::" + b.Input.Bucket + "/" + b.Input.Key, Started: b.Started,
		Fetch: func(s iam.Session) (string, error) {
			return source.Name(), errors.Join(c.store.Inspect(s, b.Input.Bucket, b.Input.Key, "s3:GetObject"), c.fetch(s, b.Input, source))
		},
		Store: func(s iam.Session, path string) error {
			artifact, err := os.Open(path)
			if err != nil {
				return err
			}
			defer artifact.Close()
			version, err := c.store.Put(s, b.Output.Bucket, b.Output.Key, artifact)
			result.OutputVersion = version.ID
			return errors.Join(c.store.Inspect(s, b.Output.Bucket, "", askBucket...), err)
		},
	}
	for _, v := range b.Variables {
		in.EnvironmentVariables = append(in.EnvironmentVariables, codebuild.EnvironmentVariable(v))
	}
	done, err := c.builds.StartBuild(ctx, in)
	if done == nil {
		return result, err
	}
	c.report.phases(done.Phases)
	for _, warning := range done.Warnings {
		c.report.remark("warning: " + warning)
	}
	for note := range strings.SplitSeq(done.ExportedVariables[buildNotes], "; ") {
		c.report.remark(note)
	}
	result.ID, result.Exported = done.ID, done.ExportedVariables
	return result, c.logs.explain(err, buildLog(done.ID))
}

// fetch writes an artifact to a file.
func (c *cloud) fetch(s iam.Session, from codepipeline.Location, to io.Writer) error {
	body, _, err := c.store.Get(s, from.Bucket, from.Key, from.Version)
	if err != nil {
		return err
	}
	defer body.Close()
	_, err = io.Copy(to, body)
	return err
}

// buildEnvironment is the environment of a build's commands, without the variables that CodeBuild sets: this machine's
// tools, and credentials where CodeBuild puts them. Package codebuild holds their go command to the declared image's.
func (c *cloud) buildEnvironment(s iam.Session) []string {
	return append(c.machine.environment(c.work),
		"AWS_CONTAINER_CREDENTIALS_FULL_URI="+c.credentialsURL+c.credentials.Add(s), "AWS_ENDPOINT_URL="+c.api.URL)
}

// machine is what the stand-ins use of this machine.
type machine struct {
	// path is PATH for builds and hooks: a folder with an aws command in it, then the user's own.
	path string
	// dockerHost is where the Docker daemon listens.
	dockerHost string
}

// inherited are the user's variables that builds, hooks and the engine get too: how to reach the internet.
var inherited = []string{"HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy", "GOPROXY", "SSL_CERT_FILE"}

// locale is English in UTF-8, as CodeBuild's images have it (aws/aws-codebuild-docker-images,
// al/x86_64/standard/5.0/Dockerfile, "Set locale"). Unlike en_US, every system has this one.
const locale = "LC_ALL=C.UTF-8"

// environment is the part of the environment that builds, hooks and the engine share. It is all that they get of the
// user's: neither settings of AWS, Pulumi, Git or Go, nor a language.
func (m machine) environment(work *workspace.Workspace) []string {
	environment := []string{
		"PATH=" + m.path, "DOCKER_HOST=" + m.dockerHost, workspace.ProcessMark + "=" + work.Name, locale,
		"AWS_CONFIG_FILE=" + os.DevNull, "AWS_SHARED_CREDENTIALS_FILE=" + os.DevNull,
	}
	for _, name := range inherited {
		if value := os.Getenv(name); value != "" {
			environment = append(environment, name+"="+value)
		}
	}
	// The stand-ins are on this machine, where no proxy may look for them. Clients differ in which name they read.
	for _, name := range []string{"NO_PROXY", "no_proxy"} {
		environment = append(environment, name+"="+strings.TrimPrefix(os.Getenv(name)+",127.0.0.1,localhost", ","))
	}
	return environment
}
