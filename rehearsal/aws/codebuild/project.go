package codebuild

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"runtime"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws/arn"

	"cicd/rehearsal/aws/account"
)

// project is a declared aws:codebuild/project:Project, by Pulumi's property names.
type project struct {
	Name          string `json:"name"`
	ARN           string `json:"arn"`
	ServiceRole   string `json:"serviceRole"`
	BuildTimeout  int    `json:"buildTimeout"` // minutes
	EncryptionKey string `json:"encryptionKey"`
	Source        struct {
		Type      string `json:"type"`
		Buildspec string `json:"buildspec"`
	} `json:"source"`
	Artifacts struct {
		Type string `json:"type"`
	} `json:"artifacts"`
	Environment struct {
		Type                 string                `json:"type"`
		Image                string                `json:"image"`
		PrivilegedMode       bool                  `json:"privilegedMode"`
		EnvironmentVariables []EnvironmentVariable `json:"environmentVariables"`
	} `json:"environment"`
	Cache struct {
		Type  string   `json:"type"`
		Modes []string `json:"modes"`
	} `json:"cache"`
	LogsConfig struct {
		CloudwatchLogs struct {
			Status     string `json:"status"`
			GroupName  string `json:"groupName"`
			StreamName string `json:"streamName"`
		} `json:"cloudwatchLogs"`
		S3Logs struct {
			Status string `json:"status"`
		} `json:"s3Logs"`
	} `json:"logsConfig"`
	VpcConfig struct {
		VpcID string `json:"vpcId"`
	} `json:"vpcConfig"`
	SecondarySources    []any `json:"secondarySources"`
	SecondaryArtifacts  []any `json:"secondaryArtifacts"`
	FileSystemLocations []any `json:"fileSystemLocations"`

	notes []string // what differs here, one sentence each
}

// EnvironmentVariable is a variable of a project, or of a pipeline's CodeBuild action that overrides the project's.
type EnvironmentVariable struct {
	Name  string `json:"name"`
	Value string `json:"value"`
	// Type is PLAINTEXT (the default), PARAMETER_STORE or SECRETS_MANAGER.
	Type string `json:"type"`
}

// findProject returns the declared project if it can be rehearsed; the error joins everything that cannot.
func findProject(acct *account.Account, name string) (project, error) {
	r, ok := acct.Find(account.Project, "name", name)
	if !ok {
		return project{}, fmt.Errorf("CodeBuild project %q: ResourceNotFoundException: project cannot be found: it is not declared in the stack", name)
	}
	p, err := account.Decode[project](r)
	if err != nil {
		return project{}, fmt.Errorf("CodeBuild project %q: %w", name, err)
	}
	p.BuildTimeout = cmp.Or(p.BuildTimeout, 60)
	if err := p.checkRehearsable(); err != nil {
		return project{}, fmt.Errorf("CodeBuild project %q: %w", name, err)
	}
	p.addNotes()
	return p, nil
}

func (p *project) checkRehearsable() error {
	var errs []error
	want := func(property, value string, allowed ...string) {
		if !slices.Contains(allowed, value) {
			errs = append(errs, fmt.Errorf("%s is %q: only %s can be rehearsed", property, value, strings.Join(allowed, " and ")))
		}
	}
	want("source.type", p.Source.Type, "CODEPIPELINE")
	want("artifacts.type", p.Artifacts.Type, "CODEPIPELINE")
	want("environment.type", p.Environment.Type, slices.Sorted(maps.Keys(architectures))...)
	want("cache.type", cmp.Or(p.Cache.Type, "NO_CACHE"), "NO_CACHE", "LOCAL")
	for property, there := range map[string]bool{
		"vpcConfig": p.VpcConfig.VpcID != "", "secondarySources": len(p.SecondarySources) > 0,
		"secondaryArtifacts": len(p.SecondaryArtifacts) > 0, "fileSystemLocations": len(p.FileSystemLocations) > 0,
	} {
		if there {
			errs = append(errs, fmt.Errorf("%s cannot be rehearsed", property))
		}
	}
	for _, v := range p.Environment.EnvironmentVariables {
		if err := checkVariableName(v.Name); err != nil {
			errs = append(errs, fmt.Errorf("environment.environmentVariables: %w", err))
		}
	}
	slices.SortFunc(errs, func(a, b error) int { return strings.Compare(a.Error(), b.Error()) })
	return errors.Join(errs...)
}

// addNotes notes where this machine differs from the declared environment without stopping a build.
func (p *project) addNotes() {
	if architecture := Architecture(p.Environment.Type); architecture != runtime.GOARCH {
		p.note("environment.type %s is %s; this machine is %s", p.Environment.Type, architecture, runtime.GOARCH)
	}
	if !strings.Contains(p.Environment.Image, "amazonlinux") {
		p.note("environment.image %s: the rehearsal's sh is bash in POSIX mode, as on Amazon Linux; another image may have another sh", p.Environment.Image)
	}
	if !p.Environment.PrivilegedMode {
		p.note("environment.privilegedMode is off: AWS may give the build no Docker daemon; here it has this machine's (F17)")
	}
	if p.LogsConfig.S3Logs.Status == "ENABLED" {
		p.note("logsConfig.s3Logs: a rehearsal writes no logs to S3")
	}
}

// architectures are those of the types of build environments that can be rehearsed, as in GOARCH.
var architectures = map[string]string{"LINUX_CONTAINER": "amd64", "ARM_CONTAINER": "arm64"}

// Architecture returns the architecture of a type of build environment, as in GOARCH; "" for one that cannot be
// rehearsed.
func Architecture(environmentType string) string { return architectures[environmentType] }

func (p *project) note(format string, args ...any) {
	p.notes = append(p.notes, fmt.Sprintf(format, args...))
}

// customCache reports whether the project keeps the buildspec's cache paths on the build host.
func (p *project) customCache() bool {
	return p.Cache.Type == "LOCAL" && slices.Contains(p.Cache.Modes, "LOCAL_CUSTOM_CACHE")
}

// resourceARN returns the ARN of something in the project's partition, region and account.
func (p *project) resourceARN(acct *account.Account, service, resource string) string {
	own, _ := arn.Parse(p.ARN)
	return arn.ARN{Partition: cmp.Or(own.Partition, "aws"), Service: service, Region: acct.Region(), AccountID: acct.ID(), Resource: resource}.String()
}

// kmsKey returns the key that encrypts the output: S3's own unless the project names one.
func (p *project) kmsKey(acct *account.Account) string {
	return cmp.Or(p.EncryptionKey, p.resourceARN(acct, "kms", "alias/aws/s3"))
}

// checkVariableName rejects names that no environment allows and those reserved by CodeBuild ("Do not set any
// environment variable with a name that starts with CODEBUILD_").
func checkVariableName(name string) error {
	switch {
	case name == "" || strings.ContainsAny(name, "=\x00"):
		return fmt.Errorf("%q is not the name of an environment variable", name)
	case strings.HasPrefix(name, "CODEBUILD_"):
		return fmt.Errorf("%s: names that start with CODEBUILD_ are reserved", name)
	}
	return nil
}
