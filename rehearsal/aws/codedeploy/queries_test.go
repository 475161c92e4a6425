package codedeploy

import (
	"slices"
	"strings"
	"testing"

	"cicd/rehearsal/aws/account"
	"cicd/rehearsal/aws/awstest"
)

// TestQueries: a deployment that failed, and the rollback that followed.
func TestQueries(t *testing.T) {
	w := newWorld(t, "i-1")
	w.group("hosts", properties{"autoRollbackConfiguration": properties{"enabled": true, "events": []any{"DEPLOYMENT_FAILURE"}}})
	w.bundles["good"], w.bundles["bad"] = "echo good\n", "echo no database >&2\nexit 3\n"
	good := w.deploy("hosts", "good")
	bad := w.deploy("hosts", "bad")
	rollback := bad.Rollback()
	w.Wait()
	person := w.config.Authority.Administrator("jane")

	all, err := w.ListDeployments(person, ListDeploymentsInput{ApplicationName: "app", DeploymentGroupName: "hosts"})
	if err != nil || !slices.Equal(all.Deployments, []string{rollback.ID, bad.ID, good.ID}) {
		t.Errorf("%+v, %v, want all three, the newest first", all, err)
	}
	failed, err := w.ListDeployments(person, ListDeploymentsInput{ApplicationName: "app", DeploymentGroupName: "hosts", IncludeOnlyStatuses: []Status{Failed}})
	if err != nil || !slices.Equal(failed.Deployments, []string{bad.ID}) {
		t.Errorf("%+v, %v, want the failed one", failed, err)
	}
	got, err := w.GetDeployment(person, GetDeploymentInput{bad.ID})
	info := got.DeploymentInfo
	if err != nil || info.Status != Failed || info.ErrorInformation == nil || info.ErrorInformation.Code != "HEALTH_CONSTRAINTS" || info.DeploymentOverview.Failed != 1 ||
		info.RollbackInfo == nil || info.RollbackInfo.RollbackDeploymentID != rollback.ID || info.CompleteTime < info.CreateTime || info.Revision.S3Location.Key != "bad" {
		t.Errorf("%+v, %v", info, err)
	}
	targets, err := w.ListDeploymentTargets(person, ListDeploymentTargetsInput{bad.ID})
	if err != nil || !slices.Equal(targets.TargetIDs, []string{"i-1"}) {
		t.Fatalf("%+v, %v, want i-1", targets, err)
	}
	described, err := w.BatchGetDeploymentTargets(person, BatchGetDeploymentTargetsInput{bad.ID, targets.TargetIDs})
	if err != nil || len(described.DeploymentTargets) != 1 {
		t.Fatalf("%+v, %v, want one", described, err)
	}
	events := described.DeploymentTargets[0].InstanceTarget.LifecycleEvents
	i := slices.IndexFunc(events, func(e lifecycleEvent) bool { return e.Status == Failed })
	if i < 0 || events[i].LifecycleEventName != "ApplicationStart" || events[i].Diagnostics.ErrorCode != "ScriptFailed" || events[i].Diagnostics.ScriptName != "hooks/start.sh" ||
		!strings.Contains(events[i].Diagnostics.LogTail, "[stderr]no database") || events[i].EndTime < events[i].StartTime {
		t.Errorf("events %+v, want why ApplicationStart failed", events)
	}
}

func TestQueriesAreRefused(t *testing.T) {
	w := newWorld(t, "i-1")
	w.bundles["good"] = "true\n"
	d := w.deploy("hosts", "good")
	person := w.config.Authority.Administrator("jane")
	_, err := w.GetDeployment(person, GetDeploymentInput{"d-NONE"})
	awstest.WantError(t, err, "DeploymentDoesNotExistException: ")
	_, err = w.BatchGetDeploymentTargets(person, BatchGetDeploymentTargetsInput{d.ID, []string{"i-2"}})
	awstest.WantError(t, err, "DeploymentTargetDoesNotExistException: ")
	_, err = w.ListDeployments(person, ListDeploymentsInput{ApplicationName: "app", DeploymentGroupName: "none"})
	awstest.WantError(t, err, "DeploymentGroupDoesNotExistException: ")
	w.put(account.RolePolicy, "policy", properties{"role": "deploy", "policy": `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"codedeploy:GetDeployment",
		"Resource":"arn:aws:codedeploy:eu-west-1:123456789012:deploymentgroup:app/hosts"}]}`})
	session, err := w.config.Authority.AssumeRole(roleARN, "codedeploy.amazonaws.com", "test", "arn:aws:codedeploy:eu-west-1:123456789012:deploymentgroup:app/hosts")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.GetDeployment(session, GetDeploymentInput{d.ID}); err != nil {
		t.Error(err)
	}
	_, err = w.ListDeploymentTargets(session, ListDeploymentTargetsInput{d.ID})
	awstest.WantError(t, err, "AccessDeniedException: ")
}
