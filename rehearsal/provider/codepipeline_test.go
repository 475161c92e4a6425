package provider

import (
	"strings"
	"testing"

	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
)

// Each case changes one thing in the pipeline of the complete stack.
func TestPipelineRefuses(t *testing.T) {
	approval := map[string]any{"name": "Approve", "category": "Approval", "owner": "AWS", "provider": "Manual", "version": "1"}
	source := map[string]any{"name": "Second", "category": "Source", "owner": "AWS", "provider": "CodeStarSourceConnection", "version": "1", "outputArtifacts": []any{"second"},
		"configuration": map[string]any{"ConnectionArn": "arn:aws:codeconnections:us-east-1:123456789012:connection/1", "FullRepositoryId": "example/web", "BranchName": "main"}}
	tests := []struct {
		name, path string
		value      any
		want       string
	}{
		{"one stage", "stages", []any{}, "has 0 items, want 2 to 50"},
		{"two stores", "artifactStores", []any{map[string]any{"type": "S3", "location": "a"}, map[string]any{"type": "S3", "location": "b"}}, "has 2 items, want 1 to 1"},
		{"store with region", "artifactStores.0.region", "us-east-1", "unknown property"},
		{"V1 with triggers", "pipelineType", "V1", "triggers are for pipelines of type V2"},
		{"V1 in mode QUEUED", "pipelineType", "V1", "mode QUEUED is for pipelines of type V2"},
		{"stage named twice", "stages.1.name", "Source", "Source is used twice"},
		{"build in the first stage", "stages.0.actions.0", approval, "the first stage has source actions only"},
		{"source in a later stage", "stages.1.actions.0", source, "no other stage has any"},
		{"action named twice", "stages.0.actions", []any{source, source}, "Second is used twice"},
		{"unknown input artifact", "stages.1.actions.0.inputArtifacts.0", "sauce", "no earlier action produces artifact sauce"},
		{"artifact produced twice", "stages.1.actions.0.outputArtifacts.0", "source", "artifact source is produced by more than one action"},
		{"no input artifact", "stages.2.actions.0.inputArtifacts", nil, "has 1 to 1 of them, got 0"},
		{"output of a deployment", "stages.2.actions.0.outputArtifacts", []any{"x"}, "has 0 to 0 of them, got 1"},
		{"artifact name", "stages.0.actions.0.outputArtifacts.0", "my source", "does not match"},
		{"namespace of an artifact's name", "stages.0.actions.0.namespace", "source", "namespace source has the name of an artifact"},
		{"namespace used twice", "stages.1.actions.0.namespace", "SourceVariables", "namespace SourceVariables is used twice"},
		{"unknown namespace", "stages.0.actions.0.namespace", "Src", "no earlier action has the namespace SourceVariables"},
		{"own namespace", "stages.1.actions.0.configuration.EnvironmentVariables", `[{"name":"A","value":"#{BuildVariables.A}"}]`, "no earlier action has the namespace BuildVariables"},
		{"unknown variable", "stages.1.actions.0.configuration.EnvironmentVariables", `[{"name":"A","value":"#{SourceVariables.Commit}"}]`, "action produces AuthorDate"},
		{"undeclared pipeline variable", "stages.1.actions.0.configuration.EnvironmentVariables", `[{"name":"A","value":"#{variables.A}"}]`, "declares no such variable"},
		{"environment that is no JSON", "stages.1.actions.0.configuration.EnvironmentVariables", `COMMIT=1`, "want a JSON list"},
		{"environment of an unknown type", "stages.1.actions.0.configuration.EnvironmentVariables", `[{"name":"A","value":"1","type":"TEXT"}]`, "type PLAINTEXT"},
		{"value too long", "stages.1.actions.0.configuration.EnvironmentVariables", `[{"name":"A","value":"` + strings.Repeat("x", 1000) + `"}]`, "want 1 to 1000"},
		{"empty value", "stages.1.actions.0.configuration.ProjectName", "", "want 1 to 1000"},
		{"unknown configuration", "stages.2.actions.0.configuration.IgnoreApplicationStopFailures", "true", "has no such configuration"},
		{"missing configuration", "stages.2.actions.0.configuration.DeploymentGroupName", nil, "missing required configuration DeploymentGroupName"},
		{"unknown provider", "stages.1.actions.0.provider", "Jenkins", "the rehearsal knows"},
		{"version", "stages.1.actions.0.version", "2", "the rehearsal knows"},
		{"another region", "stages.1.actions.0.region", "eu-west-1", "pipelines of one region"},
		{"timeout of a build", "stages.1.actions.0.timeoutInMinutes", 30.0, "only manual approvals"},
		{"repository", "stages.0.actions.0.configuration.FullRepositoryId", "web", "does not match"},
		{"connection of no region", "stages.0.actions.0.configuration.ConnectionArn", "arn:aws:codeconnections::123456789012:connection/1", "does not match"},
		{"paths of pull requests without branches", "triggers.0.gitConfiguration.pullRequests", []any{map[string]any{"filePaths": map[string]any{"includes": []any{"a"}}}}, "needs branches too"},
		{"trigger of no source", "triggers.0.gitConfiguration.sourceActionName", "Build", "must reference a CodeStarSourceConnection action"},
		{"tags and branches", "triggers.0.gitConfiguration.pushes.0.tags", map[string]any{"includes": []any{"v*"}}, "a push filter is"},
		{"nine patterns", "triggers.0.gitConfiguration.pushes.0.filePaths.includes", []any{"1", "2", "3", "4", "5", "6", "7", "8", "9"}, "want 1 to 8"},
		{"rollback of the source stage", "stages.0.onFailure", map[string]any{"result": "ROLLBACK"}, "source stage cannot be rolled back"},
		{"retry without retrying", "stages.1.onFailure", map[string]any{"result": "FAIL", "retryConfiguration": map[string]any{"retryMode": "ALL_ACTIONS"}}, "goes with result RETRY"},
		{"stage condition", "stages.1.onSuccess", map[string]any{}, "unknown property"},
	}
	e := exampleNamed(t, "pipeline")
	w := newWorld(t)
	w.declareUntil(e.name)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := w.check(e.token, e.name, with(t, w.inputs(e), tt.path, tt.value))
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error = %v, want one containing %q", err, tt.want)
			}
		})
	}
}

func TestPipelineAccepts(t *testing.T) {
	action := func(name, category, provider string, order float64, more map[string]any) map[string]any {
		a := map[string]any{"name": name, "category": category, "owner": "AWS", "provider": provider, "version": "1", "runOrder": order}
		for key, value := range more {
			a[key] = value
		}
		return a
	}
	project := map[string]any{"ProjectName": "web"}
	const elsewhere = "arn:aws:codeconnections:eu-west-1:123456789012:connection/1"
	tests := []struct {
		name, path string
		value      any
	}{
		{"approval before the deployment, by run order", "stages.2.actions", []any{
			action("Deploy", "Deploy", "CodeDeploy", 2, map[string]any{"inputArtifacts": []any{"bundle"}, "configuration": map[string]any{"ApplicationName": "web", "DeploymentGroupName": "hosts"}}),
			action("Approve", "Approval", "Manual", 1, map[string]any{"timeoutInMinutes": 60.0, "configuration": map[string]any{"CustomData": "release #{SourceVariables.CommitId}?"}}),
		}},
		{"artifact of an earlier run order", "stages.1.actions", []any{
			action("Build", "Build", "CodeBuild", 1, map[string]any{"inputArtifacts": []any{"source"}, "outputArtifacts": []any{"bundle"}, "configuration": project}),
			action("Test", "Test", "CodeBuild", 2, map[string]any{"inputArtifacts": []any{"bundle"}, "configuration": project}),
		}},
		{"exported variables of a build", "stages.1.actions", []any{
			action("Build", "Build", "CodeBuild", 1, map[string]any{"namespace": "Build", "inputArtifacts": []any{"source"}, "outputArtifacts": []any{"bundle"}, "configuration": project}),
			action("Approve", "Approval", "Manual", 2, map[string]any{"configuration": map[string]any{"CustomData": "#{Build.DIGEST} #{codepipeline.PipelineExecutionId}"}}),
		}},
		{"retry of the build", "stages.1.onFailure", map[string]any{"result": "RETRY", "retryConfiguration": map[string]any{"retryMode": "FAILED_ACTIONS"}}},
		{"no trigger", "triggers", nil},
		{"connection of another region", "stages.0.actions.0.configuration.ConnectionArn", elsewhere},
		{"detection beside a trigger", "stages.0.actions.0.configuration.DetectChanges", "true"},
		{"detection by default", "stages.0.actions.0.configuration.DetectChanges", nil},
		{"actions side by side, one by default", "stages.1.actions", []any{
			map[string]any(with(t, action("Build", "Build", "CodeBuild", 1, map[string]any{"inputArtifacts": []any{"source"}, "outputArtifacts": []any{"bundle"}, "configuration": project}), "runOrder", nil)),
			action("Test", "Test", "CodeBuild", 1, map[string]any{"inputArtifacts": []any{"source"}, "configuration": project}),
		}},
		{"paths of pull requests", "triggers.0.gitConfiguration.pullRequests", []any{map[string]any{
			"branches": map[string]any{"includes": []any{"main"}}, "filePaths": map[string]any{"includes": []any{"a"}}}}},
	}
	e := exampleNamed(t, "pipeline")
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t)
			w.declareUntil(e.name)
			w.options.ExistingConnections = []string{elsewhere}
			if _, err := w.declare(e.token, e.name, with(t, w.inputs(e), tt.path, tt.value)); err != nil {
				t.Error(err)
			}
		})
	}
}

// F2: a pipeline created before the connection is authorized gets no webhook until it is updated afterwards.
func TestWebhookNeedsHandshake(t *testing.T) {
	w := newWorld(t)
	w.declareUntil("pipeline")
	e := exampleNamed(t, "pipeline")
	out, err := w.declare(e.token, e.name, w.inputs(e))
	if err != nil {
		t.Fatal(err)
	}
	if out[WebhookRegistered] != false {
		t.Error("a pipeline of a PENDING connection has a webhook")
	}
	if err := w.AuthorizeConnection(w.ids["connection"]); err != nil {
		t.Fatal(err)
	}
	checked, err := w.check(e.token, e.name, w.inputs(e))
	if err != nil {
		t.Fatal(err)
	}
	news, _ := toWire(checked)
	olds, _ := toWire(out)
	response, err := w.Update(w.ctx, &pulumirpc.UpdateRequest{Id: w.ids[e.name], Urn: urnOf(e.token, e.name), Olds: olds, News: news})
	if err != nil {
		t.Fatal(err)
	}
	if fromWire(response.Properties)[WebhookRegistered] != true {
		t.Error("updating the pipeline after the authorization registered no webhook")
	}
	if err := w.AuthorizeConnection("arn:aws:codeconnections:us-east-1:123456789012:connection/other"); err == nil {
		t.Error("authorized a connection that does not exist")
	}
}
