package infra

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"testing"

	deployscripts "cicd/deploy-scripts"
)

// TestDeployScripts: with deployScripts: stack, a build takes nothing that it runs from the repository, and exactly the
// scripts that this program has.
func TestDeployScripts(t *testing.T) {
	rec := run(t, with("deployScripts", "stack"))
	object := rec.named(t, "s3/bucketObjectv2:BucketObjectv2", "cicd-dev-deploy-scripts")
	archive, err := base64.StdEncoding.DecodeString(object.Inputs["contentBase64"].StringValue())
	if want, _ := deployscripts.Archive(); err != nil || string(archive) != string(want) {
		t.Errorf("the object is not the archive of the scripts: %v", err)
	}
	delete(object.Inputs, "contentBase64")
	wantInputs(t, object, `{
		"bucket": "cicd-dev-artifacts-123456789012-eu-central-1", "key": "_stack/deploy-scripts.tar", "contentType": "application/x-tar"
	}`)
	wantDependencies(t, object, "::cicd-dev-artifacts-policy")

	project := rec.one(t, "codebuild/project:Project")
	if got := project.Inputs["source"].ObjectValue()["buildspec"].StringValue(); got != deployscripts.Buildspec {
		t.Errorf("the buildspec is %q, want the text of stack-buildspec.yml", got)
	}
	got := map[string]string{}
	for _, one := range project.Inputs["environment"].ObjectValue()["environmentVariables"].ArrayValue() {
		got[one.ObjectValue()["name"].StringValue()] = one.ObjectValue()["value"].StringValue()
	}
	sum := sha256.Sum256(archive)
	for name, want := range map[string]string{
		"DEPLOY_SCRIPTS":         "cicd-dev-artifacts-123456789012-eu-central-1/_stack/deploy-scripts.tar",
		"DEPLOY_SCRIPTS_VERSION": "version-of-cicd-dev-deploy-scripts",
		"DEPLOY_SCRIPTS_SHA256":  hex.EncodeToString(sum[:]),
	} {
		if got[name] != want {
			t.Errorf("%s is %q, want %q", name, got[name], want)
		}
	}
}
