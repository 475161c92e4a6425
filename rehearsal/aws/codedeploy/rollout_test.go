package codedeploy

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"cicd/rehearsal/aws/account"
)

func TestHealth(t *testing.T) {
	tests := []struct {
		config string
		fails  []int // instances, numbered from 1
		want   string
	}{
		{allAtOnce, []int{1, 2}, "Succeeded: Failed Failed Succeeded"},
		{allAtOnce, []int{1, 2, 3}, "Failed: Failed Failed Failed"},
		{halfAtATime, []int{1}, "Succeeded: Failed Succeeded Succeeded"},
		{halfAtATime, []int{1, 2}, "Failed: Failed Failed Skipped"},
		{oneAtATime, []int{3}, "Succeeded: Succeeded Succeeded Failed"},
		{oneAtATime, []int{1}, "Failed: Failed Skipped Skipped"},
		{"", []int{2}, "Failed: Succeeded Failed Skipped"},
		{"Custom", nil, "Failed: "},
	}
	for _, tt := range tests {
		t.Run(fmt.Sprint(tt.config, tt.fails), func(t *testing.T) {
			w := newWorld(t, "i-1", "i-2", "i-3")
			w.group("hosts", properties{"deploymentConfigName": tt.config})
			w.bundles["mixed"] = "test ! -e fail\n" // the agent's directory is the host's own
			for _, n := range tt.fails {
				if err := os.WriteFile(filepath.Join(w.agents[fmt.Sprintf("i-%d", n)].Dir, "fail"), nil, 0o644); err != nil {
					t.Fatal(err)
				}
			}
			if got := statuses(w.deploy("hosts", "mixed").Info()); got != tt.want {
				t.Errorf("%s, want %s", got, tt.want)
			}
		})
	}
}

func TestRefusals(t *testing.T) {
	tests := []struct {
		name   string
		change func(*world)
		want   string
	}{
		{"no instances", func(w *world) { w.put(account.Instance, "i-1", properties{"tags": properties{"App": "db"}}) },
			"NO_INSTANCES: The deployment failed because no instances were found for your deployment group."},
		{"stopped instance", func(w *world) {
			w.put(account.Instance, "i-1", properties{"tags": properties{"App": "web"}, "instanceState": "stopped"})
		}, "NO_INSTANCES"},
		{"no agent", func(w *world) { delete(w.agents, "i-1") }, "CodeDeploy agent was not able to receive the lifecycle event."},
		{"role not trusting", func(w *world) {
			w.put(account.Role, "deploy", properties{"name": "deploy", "arn": roleARN, "assumeRolePolicy": strings.Replace(trust, ":app/*", ":other/*", 1)})
		}, "IAM_ROLE_MISSING"},
		{"role without rights", func(w *world) {
			w.put(account.RolePolicy, "policy", properties{"role": "deploy", "policy": strings.Replace(grants, "tag:GetResources", "tag:GetTagKeys", 1)})
		}, "tag:GetResources"},
		{"no application", func(w *world) { w.put(account.Application, "app", properties{"name": "x"}) },
			"ApplicationDoesNotExistException: No application found for name: app"},
		{"no group", func(w *world) { w.group("hosts", properties{"deploymentGroupName": "x"}) },
			"DeploymentGroupDoesNotExistException: No Deployment Group found for name: hosts"},
		{"blue/green", func(w *world) {
			w.group("hosts", properties{"deploymentStyle": properties{"deploymentType": "BLUE_GREEN"}})
		}, "only in-place deployments"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t, "i-1")
			agents := w.agents["i-1"]
			t.Cleanup(func() { w.agents["i-1"] = agents }) // newWorld closes it
			w.bundles["good"] = "true\n"
			tt.change(w)
			d, err := w.CreateDeployment(t.Context(), "app", "hosts", Revision{Bucket: "b", Key: "good", BundleType: "zip"})
			if err == nil {
				<-d.Done()
				err = d.Err()
			}
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error = %v, want one containing %q", err, tt.want)
			}
		})
	}
}

func TestIncludes(t *testing.T) {
	web, prod := tagFilter{"App", "web", "KEY_AND_VALUE"}, tagFilter{"Env", "prod", "KEY_AND_VALUE"}
	tests := []struct {
		name string
		g    group
		tags map[string]string
		want bool
	}{
		{"sets are and-ed", group{TagSets: []tagSet{{[]tagFilter{web}}, {[]tagFilter{prod}}}}, map[string]string{"App": "web"}, false},
		{"every set", group{TagSets: []tagSet{{[]tagFilter{web}}, {[]tagFilter{prod}}}}, map[string]string{"App": "web", "Env": "prod"}, true},
		{"filters in a set are or-ed", group{TagSets: []tagSet{{[]tagFilter{web, prod}}}}, map[string]string{"Env": "prod"}, true},
		{"plain filters are or-ed", group{TagFilters: []tagFilter{web, prod}}, map[string]string{"Env": "prod"}, true},
		{"key only", group{TagFilters: []tagFilter{{Key: "App", Type: "KEY_ONLY"}}}, map[string]string{"App": "x"}, true},
		{"value only", group{TagFilters: []tagFilter{{Value: "web", Type: "VALUE_ONLY"}}}, map[string]string{"Role": "web"}, true},
		{"no filters", group{}, map[string]string{"App": "web"}, false},
	}
	for _, tt := range tests {
		if got := tt.g.includes(tt.tags); got != tt.want {
			t.Errorf("%s: %v, want %v", tt.name, got, tt.want)
		}
	}
}
