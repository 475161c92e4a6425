package world

import (
	"slices"
	"strings"
	"testing"

	"cicd/rehearsal/workspace"
)

// TestEnvironmentHasNothingOfTheUsers: builds, hooks and the engine get how to reach the internet, and nothing else of the
// user's. A proxy is not asked for the stand-ins, which are on this machine.
func TestEnvironmentHasNothingOfTheUsers(t *testing.T) {
	for _, variable := range []string{"HOME", "LANG=de_DE.UTF-8", "LC_ALL=de_DE.UTF-8", "GOFLAGS=-mod=vendor", "MAKEFLAGS=-n", "AWS_PROFILE=x",
		"AWS_ACCESS_KEY_ID=x", "PULUMI_ACCESS_TOKEN=x", "PULUMI_OPTION_PARALLEL=abc", "GITHUB_TOKEN=x", "BASH_ENV=/x", "TAR_OPTIONS=-v",
		"DOCKER_DEFAULT_PLATFORM=linux/s390x", "http_proxy=http://proxy:3128", "NO_PROXY=", "no_proxy=example.com"} {
		name, value, _ := strings.Cut(variable, "=")
		t.Setenv(name, value)
	}
	work := &workspace.Workspace{}
	got := map[string]string{}
	for _, variable := range (machine{path: "/bin", dockerHost: "unix:///docker"}).environment(work) {
		name, value, _ := strings.Cut(variable, "=")
		got[name] = value
	}
	for _, name := range inherited { // those that this test did not set are this machine's
		if name != "http_proxy" {
			delete(got, name)
		}
	}
	want := map[string]string{
		"PATH": "/bin", "DOCKER_HOST": "unix:///docker", workspace.ProcessMark: "", "LC_ALL": "C.UTF-8",
		"AWS_CONFIG_FILE": "/dev/null", "AWS_SHARED_CREDENTIALS_FILE": "/dev/null", "http_proxy": "http://proxy:3128",
		"NO_PROXY": "127.0.0.1,localhost", "no_proxy": "example.com,127.0.0.1,localhost",
	}
	for name, value := range want {
		if got[name] != value {
			t.Errorf("%s is %q, want %q", name, got[name], value)
		}
		delete(got, name)
	}
	var more []string
	for name := range got {
		more = append(more, name)
	}
	if slices.Sort(more); len(more) > 0 {
		t.Errorf("there are also %q", more)
	}
}
