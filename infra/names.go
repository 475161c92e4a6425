package infra

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"regexp"
	"strings"

	"cicd/internal/regions"
)

const (
	// maxPrefix keeps every derived name within its service's limit; the tightest is a connection's 32 characters.
	maxPrefix = 24
	// maxConnectionName is from the CodeConnections API, CreateConnection.
	maxConnectionName = 32
)

var prefixPattern = regexp.MustCompile(`^[a-z][a-z0-9-]{1,22}[a-z0-9]$`)

// Scope says where a stack lives. All physical names and ARNs derive from it. Names are explicit wherever a policy
// must spell out an ARN, and differ between any two stacks of an account and region. Names that are unique across
// regions (roles, buckets, connections) include the region.
type Scope struct {
	Project, Stack string
	// Region is the AWS region, such as eu-central-1.
	Region string
	// Account is the 12-digit account id.
	Account string
}

// Prefix starts every name of the stack. It has at most 24 lower-case letters, digits and single hyphens.
func (s Scope) Prefix() string { return s.Project + "-" + s.Stack }

// partition is the region's: aws or aws-us-gov, because checkRegion rejects all others. Both have the domain
// amazonaws.com.
func (s Scope) partition() string {
	region, _ := regions.Find(s.Region)
	return region.Partition
}

// arn returns the ARN of a resource of this account and region.
func (s Scope) arn(service, resource string) string {
	return fmt.Sprintf("arn:%s:%s:%s:%s:%s", s.partition(), service, s.Region, s.Account, resource)
}

// roleName names an IAM role: unique in the account, across regions.
func (s Scope) roleName(purpose string) string {
	return s.Prefix() + "-" + s.Region + "-" + purpose
}

// bucketName names the artifact bucket: unique across all accounts.
func (s Scope) bucketName() string {
	return s.Prefix() + "-artifacts-" + s.Account + "-" + s.Region
}

// connectionName names the connection to GitHub: unique in the account, across regions. If prefix and region together
// exceed 32 characters, a digest replaces the region (F5).
func (s Scope) connectionName() string {
	if name := s.Prefix() + "-" + s.Region; len(name) <= maxConnectionName {
		return name
	}
	digest := sha256.Sum256([]byte(s.Region))
	return s.Prefix() + "-" + hex.EncodeToString(digest[:])[:maxConnectionName-maxPrefix-1]
}

func (s Scope) repositoryName() string  { return s.Prefix() }
func (s Scope) cacheName() string       { return s.Prefix() + "-cache" }
func (s Scope) projectName() string     { return s.Prefix() + "-build" }
func (s Scope) logGroupName() string    { return "/aws/codebuild/" + s.projectName() }
func (s Scope) applicationName() string { return s.Prefix() }

// appLogGroupName names the group of what the application's containers print.
func (s Scope) appLogGroupName() string { return "/" + s.Project + "/" + s.Stack }

// SecretsPath starts the names of the stack's own parameters: a slash is to follow.
func (s Scope) SecretsPath() string { return "/" + s.Project + "/" + s.Stack }

// parameterArn returns the ARN of one of the stack's own parameters, or of all of them for "*".
func (s Scope) parameterArn(name string) string {
	return s.arn("ssm", "parameter"+s.SecretsPath()+"/"+name)
}

// artifactPrefix starts the key of every artifact: the pipeline's name comes first, shortened (CodePipeline User Guide,
// "Troubleshooting"), to 20 characters as others saw. No manual gives a number, hence the margin.
func (s Scope) artifactPrefix() string {
	const short = 10
	return s.pipelineName()[:min(short, len(s.pipelineName()))]
}

func (s Scope) pipelineName() string { return s.Prefix() }

// variableName names an Actions variable, which is unique in its repository.
func (s Scope) variableName(noun string) string {
	return noun + "_" + strings.ToUpper(strings.ReplaceAll(s.Prefix(), "-", "_"))
}

// console returns the host name of the AWS console for the region.
func (s Scope) console() string {
	if s.partition() == "aws-us-gov" {
		return s.Region + ".console.amazonaws-us-gov.com"
	}
	return s.Region + ".console.aws.amazon.com"
}

// checkPrefix returns what is wrong with a project's and a stack's name as the start of every physical name, or "" if
// they are valid.
func checkPrefix(project, stack string) string {
	prefix := project + "-" + stack
	switch room := maxPrefix - len(project) - 1; {
	case room < 1:
		return fmt.Sprintf("project name %q: leaves no room for a stack's name: want at most %d characters", project, maxPrefix-2)
	case len(stack) > room:
		return fmt.Sprintf("stack name %q: %q starts every resource's name and has room for %d characters: want at most %d in the stack's name",
			stack, prefix, maxPrefix, room)
	case !prefixPattern.MatchString(prefix) || strings.Contains(prefix, "--"):
		return fmt.Sprintf("stack name %q in project %q: %q starts every resource's name: want lower-case letters, digits and single hyphens, a letter first",
			stack, project, prefix)
	}
	return ""
}
