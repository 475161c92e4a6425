package codepipeline

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws/arn"

	"cicd/rehearsal/aws/account"
	"cicd/rehearsal/github"
)

// Build is a request to run a CodeBuild project.
type Build struct {
	Project string
	// Variables are added to the project's environment, in the format of the action's EnvironmentVariables.
	Variables []EnvironmentVariable
	// SourceVersion is the commit id of the source artifact.
	SourceVersion string
	// Initiator is "codepipeline/" and the pipeline's name.
	Initiator string
	// Started is told the build's ID, once it has one.
	Started func(id string)
	// Input is the source artifact, Output where the build's artifact goes (Key "" for none).
	Input, Output Location
}

// BuildResult is what a build returns to its pipeline.
type BuildResult struct {
	ID string
	// Exported are the buildspec's exported variables.
	Exported map[string]string
	// OutputVersion is the version of the object stored at Build.Output.
	OutputVersion string
}

// EnvironmentVariable is an entry of the action's EnvironmentVariables.
type EnvironmentVariable struct {
	Name  string `json:"name"`
	Value string `json:"value"`
	Type  string `json:"type"`
}

// Deployment is a request to CodeDeploy to deploy a bundle.
type Deployment struct {
	Application, Group string
	Bundle             Location
	// Started is told the deployment's ID, once it has one.
	Started func(id string)
}

// providers are the action providers that a stack may declare.
var providers = map[string]func(context.Context, *call) (summary string, err error){
	"CodeStarSourceConnection": source,
	"CodeBuild":                build,
	"CodeDeploy":               deploy,
	"Manual":                   approve,
}

// source follows the action reference "CodeStarSourceConnection for Bitbucket Cloud, GitHub, ..." of the AWS
// CodePipeline user guide.
func source(ctx context.Context, c *call) (string, error) {
	repository, err := c.connect()
	if err != nil {
		return "", err
	}
	branch := cmp.Or(c.branch, c.action.Configuration["BranchName"])
	var commit github.Commit
	if c.Commit == "" {
		commit, err = repository.Head(ctx, branch)
	} else {
		commit, err = repository.Commit(ctx, c.Commit)
	}
	if errors.Is(err, github.ErrNoCommit) {
		return "", fmt.Errorf("[GitHub] no branch %s found in %s: push a commit to it, which starts the pipeline", branch, repository.FullName)
	}
	if err != nil {
		return "", err
	}
	path, discard, err := c.service.scratchFile("source")
	if err != nil {
		return "", err
	}
	defer discard()
	if err := repository.Archive(ctx, commit.ID, path); err != nil {
		return "", err
	}
	if err := c.store(path, c.action.OutputArtifacts[0], commit.ID); err != nil {
		return "", err
	}
	if err := c.noteSubmodules(ctx, repository, commit.ID); err != nil {
		return "", err
	}
	c.setVariables(map[string]string{
		"AuthorDate": commit.AuthorDate, "BranchName": branch, "CommitId": commit.ID, "CommitMessage": commit.Message,
		"ConnectionArn": c.action.Configuration["ConnectionArn"], "FullRepositoryName": repository.FullName,
	})
	c.setRevision(repository.FullName, commit)
	subject, _, _ := strings.Cut(commit.Message, "\n")
	return commit.ID[:7] + " " + subject, nil
}

// noteSubmodules says which folders are empty in the source artifact, which the real action does not say.
func (c *call) noteSubmodules(ctx context.Context, r *github.Repository, commit string) error {
	folders, err := r.Submodules(ctx, commit)
	if len(folders) > 0 && c.service.Note != nil {
		c.service.Note(fmt.Sprintf("Git submodules are empty folders in the source that CodePipeline gives to a build: %s. The build can fetch them, or the repository can hold the files",
			strings.Join(folders, ", ")))
	}
	return err
}

// connect returns the repository behind the action's connection.
func (c *call) connect() (*github.Repository, error) {
	connection, name := c.action.Configuration["ConnectionArn"], c.action.Configuration["FullRepositoryId"]
	// The action's prefix must match the connection's own ARN, see "AWS CodeConnections rename" in the Developer
	// Tools console user guide (F4).
	a, err := arn.Parse(connection)
	if err != nil {
		return nil, fmt.Errorf("connection %q: %w", connection, err)
	}
	if err := c.service.Authority.Authorize(c.Session, a.Service+":UseConnection", connection); err != nil {
		return nil, err
	}
	if r, ok := c.service.Account.Find(account.Connection, "arn", connection); ok && r.String("connectionStatus") != "AVAILABLE" {
		return nil, fmt.Errorf("connection %s is not available: its status is %s", connection, r.String("connectionStatus"))
	}
	if c.service.Repository.FullName != name {
		return nil, fmt.Errorf("[GitHub] repository %s was not found through the connection", name)
	}
	return c.service.Repository, nil
}

// build follows the action reference "AWS CodeBuild build and test actions".
func build(ctx context.Context, c *call) (string, error) {
	var variables []EnvironmentVariable
	if list := c.action.Configuration["EnvironmentVariables"]; list != "" {
		if err := json.Unmarshal([]byte(list), &variables); err != nil {
			return "", fmt.Errorf("EnvironmentVariables: %w", err)
		}
	}
	project := c.action.Configuration["ProjectName"]
	for _, action := range []string{"codebuild:StartBuild", "codebuild:BatchGetBuilds"} {
		if err := c.service.Authority.Authorize(c.Session, action, c.arn("codebuild", "project/"+project)); err != nil {
			return "", err
		}
	}
	input, err := c.take(c.action.InputArtifacts[0])
	if err != nil {
		return "", err
	}
	b := Build{
		Project: project, Variables: variables, SourceVersion: input.revision, Initiator: "codepipeline/" + c.Pipeline,
		Input: input.Location,
	}
	if len(c.action.OutputArtifacts) > 0 {
		b.Output = c.newLocation(c.action.OutputArtifacts[0])
	}
	b.Started = func(id string) { c.setExternal(id, "codebuild/home?region=%s#/builds/%s/view/new") }
	result, err := c.service.Build(ctx, b)
	if err != nil {
		return result.ID, err
	}
	if b.Output.Key != "" {
		b.Output.Version = result.OutputVersion
		c.setArtifact(c.action.OutputArtifacts[0], artifact{b.Output, input.revision})
	}
	c.setVariables(result.Exported)
	return result.ID, nil
}

// deploy follows the action reference "AWS CodeDeploy deploy action".
func deploy(ctx context.Context, c *call) (string, error) {
	application, group := c.action.Configuration["ApplicationName"], c.action.Configuration["DeploymentGroupName"]
	bundle, err := c.take(c.action.InputArtifacts[0])
	if err != nil {
		return "", err
	}
	for _, needed := range [][2]string{
		{"codedeploy:GetApplication", "application:" + application},
		{"codedeploy:RegisterApplicationRevision", "application:" + application},
		{"codedeploy:GetApplicationRevision", "application:" + application},
		{"codedeploy:GetDeploymentConfig", "deploymentconfig:" + c.service.deploymentConfig(application, group)},
		{"codedeploy:CreateDeployment", "deploymentgroup:" + application + "/" + group},
		{"codedeploy:GetDeployment", "deploymentgroup:" + application + "/" + group},
	} {
		if err := c.service.Authority.Authorize(c.Session, needed[0], c.arn("codedeploy", needed[1])); err != nil {
			return "", err
		}
	}
	return c.service.Deploy(ctx, Deployment{Application: application, Group: group, Bundle: bundle.Location,
		Started: func(id string) { c.setExternal(id, "codedeploy/home?region=%s#/deployments/%s") }})
}

// deploymentConfig names the deployment configuration of a declared group, or AWS's default if it names none.
func (s *Service) deploymentConfig(application, group string) string {
	for _, r := range s.Account.ByType(account.DeploymentGroup) {
		if r.String("appName") == application && r.String("deploymentGroupName") == group {
			return cmp.Or(r.String("deploymentConfigName"), "CodeDeployDefault.OneAtATime")
		}
	}
	return "CodeDeployDefault.OneAtATime"
}

// arn names a resource in the pipeline's partition, region and account.
func (c *call) arn(service, resource string) string {
	a, _ := arn.Parse(c.def.ARN) // the provider generated it
	a.Service, a.Resource = service, resource
	return a.String()
}
