package codedeploy

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"

	"cicd/rehearsal/aws/account"
	"cicd/rehearsal/aws/codedeploy/agent"
	"cicd/rehearsal/aws/iam"
)

const (
	roleARN = "arn:aws:iam::123456789012:role/deploy"
	trust   = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"codedeploy.amazonaws.com"},"Action":"sts:AssumeRole",
		"Condition":{"StringLike":{"aws:SourceArn":"arn:aws:codedeploy:eu-west-1:123456789012:deploymentgroup:app/*"}}}]}`
	grants = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["tag:GetResources","ec2:DescribeInstances","ec2:DescribeInstanceStatus"],"Resource":"*"}]}`
)

type properties = map[string]any

// world is an account with one application, a group "hosts", and bundles by key.
type world struct {
	*Service
	t       *testing.T
	acct    *account.Account
	bundles map[string]string // start.sh by key
	agents  map[string]*agent.Agent
	notify  func(Event)

	mu     sync.Mutex
	events []Event
}

func newWorld(t *testing.T, instances ...string) *world {
	t.Helper()
	w := &world{t: t, acct: account.New("123456789012"), bundles: map[string]string{}, agents: map[string]*agent.Agent{}, notify: func(Event) {}}
	w.acct.SetRegion("eu-west-1")
	w.put(account.Role, "deploy", properties{"name": "deploy", "arn": roleARN, "assumeRolePolicy": trust})
	w.put(account.RolePolicy, "policy", properties{"role": "deploy", "policy": grants})
	w.put(account.Application, "app", properties{"name": "app"})
	w.group("hosts", nil)
	for _, id := range instances {
		w.put(account.Instance, id, properties{"tags": properties{"App": "web"}})
		w.agents[id] = &agent.Agent{DeploymentRoot: t.TempDir(), Root: t.TempDir(), Dir: t.TempDir()}
		t.Cleanup(func() {
			if err := w.agents[id].Close(); err != nil {
				t.Error(err)
			}
		})
	}
	w.Service = New(Config{Account: w.acct, Authority: iam.NewAuthority(w.acct), Hosts: w.host, Fetch: w.fetch, Notify: func(e Event) {
		w.mu.Lock()
		w.events = append(w.events, e)
		w.mu.Unlock()
		w.notify(e)
	}})
	t.Cleanup(w.Wait)
	return w
}

func (w *world) put(token, id string, p properties) {
	w.acct.Put(account.Resource{Type: token, Name: id, URN: "urn:pulumi:dev::cicd::" + token + "::" + id, ID: id, Properties: p})
}

// group declares a group of the instances tagged App=web, with changes to its properties.
func (w *world) group(name string, changes properties) {
	p := properties{"appName": "app", "deploymentGroupName": name, "deploymentGroupId": "g-" + name, "serviceRoleArn": roleARN,
		"ec2TagSets": []any{properties{"ec2TagFilters": []any{properties{"key": "App", "value": "web", "type": "KEY_AND_VALUE"}}}}}
	for k, v := range changes {
		p[k] = v
	}
	w.put(account.DeploymentGroup, "g-"+name, p)
}

func (w *world) host(id string) (*agent.Agent, error) {
	if a := w.agents[id]; a != nil {
		return a, nil
	}
	return nil, fmt.Errorf("%s has no route to the internet", id)
}

func (w *world) fetch(_ context.Context, _ string, r Revision) (io.ReadCloser, string, error) {
	script, ok := w.bundles[r.Key]
	if !ok {
		return nil, "", errors.New("AccessDenied: no " + r.Key)
	}
	var out bytes.Buffer
	archive := zip.NewWriter(&out)
	content := map[string]string{
		"appspec.yml":    "version: 0.0\nos: linux\nhooks: {ApplicationStart: [{location: hooks/start.sh}]}\n",
		"hooks/start.sh": "#!/bin/bash\n" + script,
	}
	for name, text := range content {
		f, err := archive.Create(name)
		if err == nil {
			_, err = io.WriteString(f, text)
		}
		if err != nil {
			return nil, "", err
		}
	}
	return io.NopCloser(&out), "etag", archive.Close()
}

// deploy creates a deployment of a bundle and waits for it.
func (w *world) deploy(group, key string) *Deployment {
	w.t.Helper()
	d, err := w.CreateDeployment(w.t.Context(), "app", group, Revision{Bucket: "b", Key: key, BundleType: "zip"})
	if err != nil {
		w.t.Fatal(err)
	}
	<-d.Done()
	return d
}

func statuses(info Info) string {
	var s []string
	for _, i := range info.Instances {
		s = append(s, string(i.Status))
	}
	return string(info.Status) + ": " + strings.Join(s, " ")
}

func TestDeploymentSucceeds(t *testing.T) {
	w := newWorld(t, "i-1")
	w.bundles["good"] = "echo $APPLICATION_NAME $DEPLOYMENT_GROUP_NAME $BUNDLE_KEY\n"
	d := w.deploy("hosts", "good")
	if got, want := statuses(d.Info()), "Succeeded: Succeeded"; got != want || d.Err() != nil {
		t.Errorf("%s, %v, want %s", got, d.Err(), want)
	}
	var told []string
	for _, e := range w.events {
		switch {
		case e.Line != nil:
			told = append(told, e.Line.Text)
		case e.Lifecycle == "ApplicationStart" || e.Lifecycle == "":
			told = append(told, e.Lifecycle+" "+string(e.Status))
		}
	}
	want := []string{" InProgress", "ApplicationStart InProgress",
		"LifecycleEvent - ApplicationStart", "Script at specified location: hooks/start.sh is not executable.  Trying to make it executable.",
		"Script - hooks/start.sh", "[stdout]app hosts good", "ApplicationStart Succeeded", " Succeeded"}
	if !slices.Equal(told, want) {
		t.Errorf("events = %q, want %q", told, want)
	}
}

func TestFailureNamesItsCause(t *testing.T) {
	w := newWorld(t, "i-1")
	w.bundles["bad"] = "echo no database >&2\nexit 3\n"
	d := w.deploy("hosts", "bad")
	info := d.Info()
	if info.Error.Code != "HEALTH_CONSTRAINTS" {
		t.Errorf("error = %+v", info.Error)
	}
	for _, want := range []string{"too many individual instances failed deployment", "i-1: ApplicationStart: hooks/start.sh: ScriptFailed", "failed with exit code 3", "| [stderr]no database"} {
		if !strings.Contains(d.Err().Error(), want) {
			t.Errorf("error lacks %q:\n%v", want, d.Err())
		}
	}
	var events []string
	for _, e := range info.Instances[0].Events {
		events = append(events, string(e.Status))
	}
	if got, want := strings.Join(events, " "), "Succeeded Succeeded Succeeded Succeeded Succeeded Failed Skipped"; got != want {
		t.Errorf("lifecycle events = %s, want %s", got, want)
	}
}

func TestRollback(t *testing.T) {
	rolling := properties{"autoRollbackConfiguration": properties{"enabled": true, "events": []any{"DEPLOYMENT_FAILURE"}}}
	tests := []struct {
		name     string
		group    properties
		previous bool
		rollback bool
		message  string
	}{
		{"to the last good revision", rolling, true, true, "rolling back to the revision of deployment d-"},
		{"nothing to roll back to", rolling, false, false, "nothing to roll back to"},
		{"not asked for", nil, true, false, ""},
		{"other event", properties{"autoRollbackConfiguration": properties{"enabled": true, "events": []any{"DEPLOYMENT_STOP_ON_REQUEST"}}}, true, false, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t, "i-1")
			w.group("hosts", tt.group)
			w.bundles["good"], w.bundles["bad"] = "echo good\n", "exit 1\n"
			if tt.previous {
				w.deploy("hosts", "good")
			}
			d := w.deploy("hosts", "bad")
			rollback := d.Rollback()
			if (rollback != nil) != tt.rollback || !strings.Contains(d.Info().Rollback.Message, tt.message) {
				t.Fatalf("rollback = %v, info = %+v", rollback, d.Info().Rollback)
			}
			if rollback == nil {
				return
			}
			<-rollback.Done()
			if rollback.Err() != nil || rollback.Revision.Key != "good" || rollback.Creator != "codeDeployRollback" ||
				rollback.Info().Rollback.TriggeringDeploymentID != d.ID || d.Info().Rollback.DeploymentID != rollback.ID {
				t.Errorf("rollback = %+v, %v", rollback.Info(), rollback.Err())
			}
		})
	}
}

func TestFailedRollbackEnds(t *testing.T) {
	w := newWorld(t, "i-1")
	w.group("hosts", properties{"autoRollbackConfiguration": properties{"enabled": true, "events": []any{"DEPLOYMENT_FAILURE"}}})
	w.bundles["good"], w.bundles["bad"] = "true\n", "exit 1\n"
	w.deploy("hosts", "good")
	delete(w.bundles, "good")
	rollback := w.deploy("hosts", "bad").Rollback()
	if again := rollback.Rollback(); again != nil || rollback.Err() == nil || !strings.Contains(rollback.Err().Error(), "AccessDenied: no good") {
		t.Errorf("rollback of the rollback = %v, error = %v", again, rollback.Err())
	}
}

// One active deployment per group: a second is rejected, other groups are unaffected; when its context ends, so does it.
func TestActiveDeployment(t *testing.T) {
	w := newWorld(t, "i-1")
	w.group("others", nil)
	w.bundles["slow"], w.bundles["good"] = "echo started\nsleep 60\n", "true\n"
	started := make(chan struct{})
	w.notify = func(e Event) {
		if e.Line != nil && e.Line.Text == "[stdout]started" {
			close(started)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	slow, err := w.CreateDeployment(ctx, "app", "hosts", Revision{Bucket: "b", Key: "slow", BundleType: "zip"})
	if err != nil {
		t.Fatal(err)
	}
	<-started
	_, err = w.CreateDeployment(t.Context(), "app", "hosts", Revision{Bucket: "b", Key: "good", BundleType: "zip"})
	want := "DeploymentLimitExceededException: The Deployment Group 'hosts' already has an active Deployment '" + slow.ID + "'"
	if err == nil || err.Error() != want {
		t.Errorf("error = %v, want %s", err, want)
	}
	if d := w.deploy("others", "good"); d.Err() != nil {
		t.Error(d.Err())
	}
	cancel()
	<-slow.Done()
	if info := slow.Info(); info.Status != Stopped || info.Error.Code != "MANUAL_STOP" {
		t.Errorf("info = %+v", info)
	}
	if d := w.deploy("hosts", "good"); d.Err() != nil {
		t.Error(d.Err())
	}
}

func TestInterruptedDeploymentIsNotRolledBack(t *testing.T) {
	w := newWorld(t, "i-1")
	w.group("hosts", properties{"autoRollbackConfiguration": properties{"enabled": true, "events": []any{"DEPLOYMENT_FAILURE", "DEPLOYMENT_STOP_ON_REQUEST"}}})
	w.bundles["slow"], w.bundles["good"] = "echo started\nsleep 60\n", "true\n"
	w.deploy("hosts", "good")
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	w.notify = func(e Event) {
		if e.Line != nil && e.Line.Text == "[stdout]started" {
			cancel()
		}
	}
	d, err := w.CreateDeployment(ctx, "app", "hosts", Revision{Bucket: "b", Key: "slow", BundleType: "zip"})
	if err != nil {
		t.Fatal(err)
	}
	if rollback := d.Rollback(); rollback != nil || d.Info().Status != Stopped {
		t.Errorf("rollback = %v, status = %s", rollback, d.Info().Status)
	}
}
