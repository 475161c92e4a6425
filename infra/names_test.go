package infra

import (
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"

	"cicd/internal/regions"
)

// nameRules are the services' rules for names.
var nameRules = map[string]*regexp.Regexp{
	"role":        regexp.MustCompile(`^[\w+=,.@-]{1,64}$`),
	"bucket":      regexp.MustCompile(`^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$`),
	"connection":  regexp.MustCompile(`^.{1,32}$`),
	"repository":  regexp.MustCompile(`^[a-z0-9]+(?:[._-][a-z0-9]+)*$`),
	"project":     regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_-]{1,149}$`),
	"logs":        regexp.MustCompile(`^[0-9A-Za-z_./#-]{1,512}$`),
	"application": regexp.MustCompile(`^[A-Za-z0-9._+=,@-]{1,100}$`),
	"pipeline":    regexp.MustCompile(`^[A-Za-z0-9.@_-]{1,100}$`),
	"variable":    regexp.MustCompile(`^[A-Z_][A-Z0-9_]{0,254}$`),
	// Systems Manager API Reference, PutParameter: fully-qualified, at most 15 levels and 1011 characters with its ARN.
	"parameter": regexp.MustCompile(`^(/[a-zA-Z0-9_.-]+){1,15}$`),
	"group":     regexp.MustCompile(`^[A-Za-z0-9 ._:/()#,@\[\]+=&;{}!$*-]{1,255}$`),
}

// everyName returns each physical name of a stack, prefixed by the kind of thing it names.
func everyName(s Scope) []string {
	return []string{
		"role:" + s.roleName("pipeline"),
		"role:" + s.roleName("build"),
		"role:" + s.roleName("deploy"),
		"role:" + s.roleName("host"),
		"bucket:" + s.bucketName(),
		"connection:" + s.connectionName(),
		"repository:" + s.repositoryName(),
		"repository:" + s.cacheName(),
		"project:" + s.projectName(),
		"logs:" + s.logGroupName(),
		"logs:" + s.appLogGroupName(),
		"parameter:" + s.SecretsPath() + "/" + strings.Repeat("N", 100),
		"application:" + s.applicationName(),
		"pipeline:" + s.pipelineName(),
		"variable:" + s.variableName("PIPELINE_NAME"),
		"group:Hosts of " + s.Prefix(),
	}
}

// TestNamesFit tries names of every length in the regions with the shortest and longest names.
func TestNamesFit(t *testing.T) {
	const alphabet = "abcdefghijklmnopqrstuvwxyz0123456789-"
	word := func(n int) string {
		var b strings.Builder
		for range n {
			b.WriteByte(alphabet[rand.IntN(len(alphabet))])
		}
		return b.String()
	}
	legal := 0
	for range 5_000 {
		project, stack := word(1+rand.IntN(22)), word(1+rand.IntN(22))
		if checkPrefix(project, stack) != "" {
			continue
		}
		legal++
		for _, region := range []string{"eu-west-1", "us-isof-south-1"} {
			scope := Scope{Project: project, Stack: stack, Region: region, Account: testAccount}
			for _, kinded := range everyName(scope) {
				kind, name, _ := strings.Cut(kinded, ":")
				if rule := nameRules[kind]; !rule.MatchString(name) {
					t.Fatalf("project %q, stack %q, %s: %s %q (%d characters) breaks %s", project, stack, region, kind, name, len(name), rule)
				}
			}
		}
	}
	if legal < 500 {
		t.Fatalf("only %d legal pairs tried", legal)
	}
}

// TestNamesDiffer: two stacks of a project share no name. Where names are unique across regions, neither does a stack
// in two regions.
func TestNamesDiffer(t *testing.T) {
	owner := map[string]string{}
	for _, stack := range []string{"dev", "prod", "dev-build", "build", "artifacts", "a-rather-long-stack"} {
		scope := Scope{Project: "cicd", Stack: stack, Region: "eu-central-1", Account: testAccount}
		for _, name := range everyName(scope) {
			if other, taken := owner[name]; taken {
				t.Errorf("stacks %s and %s both have %s", other, stack, name)
			}
			owner[name] = stack
		}
	}
	for _, stack := range []string{"dev", "a-rather-long-stack"} {
		here := Scope{Project: "cicd", Stack: stack, Region: "ap-northeast-1", Account: testAccount}
		there := here
		there.Region = "ap-southeast-1"
		for _, name := range []func(Scope) string{Scope.bucketName, Scope.connectionName, func(s Scope) string { return s.roleName("host") }} {
			if name(here) == name(there) {
				t.Errorf("stack %s has %s in two regions", stack, name(here))
			}
		}
	}
}

// TestArtifactPrefix: it starts every artifact's key, which has the pipeline's name cut to 20 characters at most, and
// never the key of the settings.
func TestArtifactPrefix(t *testing.T) {
	for stack, want := range map[string]string{"d": "cicd-d", "dev": "cicd-dev", "a-rather-long-stack": "cicd-a-rat"} {
		scope := Scope{Project: "cicd", Stack: stack}
		if got := scope.artifactPrefix(); got != want || !strings.HasPrefix(scope.pipelineName(), got) || strings.HasPrefix(settingsKey, got) {
			t.Errorf("artifacts of pipeline %s are those that begin with %q, want %q, and not %s", scope.pipelineName(), got, want, settingsKey)
		}
	}
}

func TestCheckPrefix(t *testing.T) {
	tests := []struct{ project, stack, want string }{
		{"cicd", "dev", ""},
		{"c", "d", ""},
		{"cicd", strings.Repeat("s", 19), ""},
		{"cicd", strings.Repeat("s", 20), `want at most 19 in the stack's name`},
		{strings.Repeat("p", 23), "dev", "project name"},
		{"cicd", "Dev", "lower-case"},
		{"cicd", "dev.1", "lower-case"},
		{"cicd", "dev_1", "lower-case"},
		{"cicd", "-dev", "single hyphens"},
		{"cicd", "dev-", "single hyphens"},
		{"cicd", "a--b", "single hyphens"},
		{"1cicd", "dev", "a letter first"},
	}
	for _, tt := range tests {
		got := checkPrefix(tt.project, tt.stack)
		if (got == "") != (tt.want == "") || !strings.Contains(got, tt.want) {
			t.Errorf("checkPrefix(%q, %q) = %q, want %q in it", tt.project, tt.stack, got, tt.want)
		}
	}
}

// TestPartition: what a region's partition decides.
func TestPartition(t *testing.T) {
	for region, want := range map[string][2]string{
		"eu-central-1":  {"arn:aws:s:eu-central-1:" + testAccount + ":r", "eu-central-1.console.aws.amazon.com"},
		"us-gov-west-1": {"arn:aws-us-gov:s:us-gov-west-1:" + testAccount + ":r", "us-gov-west-1.console.amazonaws-us-gov.com"},
	} {
		scope := Scope{Region: region, Account: testAccount}
		if got := [2]string{scope.arn("s", "r"), scope.console()}; got != want {
			t.Errorf("ARN and console in %s are %v, want %v", region, got, want)
		}
	}
}

// TestPartitionsWithPipelines: partition and console know no others, and both have the domain amazonaws.com.
func TestPartitionsWithPipelines(t *testing.T) {
	for _, region := range regions.All() {
		known := region.Partition == "aws" || region.Partition == "aws-us-gov"
		if known && region.DNSSuffix != "amazonaws.com" || !known && checkRegion(region.Name) == "" {
			t.Errorf("a stack can be in %s, of partition %s and domain %s", region.Name, region.Partition, region.DNSSuffix)
		}
	}
}
