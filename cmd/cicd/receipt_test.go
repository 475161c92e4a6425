package main

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"cicd/internal/parameterstest"
	"cicd/operations"
	"cicd/rehearsal/aws/account"
)

// nothingLeft is the receipt of a stack that has left nothing.
const nothingLeft = "Nothing is left of stack dev that should not be. Looked for:\n" +
	"  instances, addresses, volumes, log groups, images, artifacts, parameters\n"

// leftover is a resource with the tags of a stack, whose name says which it is.
func leftover(token, stack, resource string) account.Resource {
	return account.Resource{Type: token, URN: resource, ID: resource[strings.IndexAny(resource, "/:")+1:], Properties: map[string]any{
		"arn": "arn:aws:ec2:eu-central-1:123456789012:" + resource, "tagsAll": map[string]any{"Project": "cicd", "Stack": stack}}}
}

// leave puts into the account what a destroy may leave, and what belongs to others.
func leave(acct *account.Account) {
	for _, r := range []account.Resource{
		leftover(account.Volume, "dev", "volume/vol-1"),
		leftover(account.EIP, "dev", "elastic-ip/eipalloc-1"),
		leftover("aws:ebs/snapshot:Snapshot", "dev", "snapshot/snap-1"),
		leftover(account.Instance, "dev", "instance/i-1"),
		leftover(account.VPC, "dev", "vpc/vpc-1"),
		leftover(account.Volume, "prod", "volume/vol-2"),
		{Type: account.LogGroup, URN: "g1", Properties: map[string]any{"name": "/cicd/dev"}},
		{Type: account.LogGroup, URN: "g2", Properties: map[string]any{"name": "/cicd/dev2"}},
		{Type: account.LogGroup, URN: "g3", Properties: map[string]any{"name": "/aws/codebuild/cicd-dev-build"}},
		{Type: account.Repository, URN: "r", Properties: map[string]any{"name": "cicd-dev", "arn": "arn:aws:ecr:eu-central-1:123456789012:repository/cicd-dev"}},
		{Type: account.Bucket, URN: "b", Properties: map[string]any{"bucket": "cicd-dev-artifacts-123456789012-eu-central-1", "arn": "arn:aws:s3:::cicd-dev-artifacts-123456789012-eu-central-1"}},
	} {
		acct.Put(r)
	}
	acct.Delete("instance/i-1", "i-1")
}

// TestReceipt: what is left is listed with the command that deletes it, and nothing of others.
func TestReceipt(t *testing.T) {
	project(t)
	store := parameterstest.Start(t)
	leave(store.Account)
	if code, stderr := runs(t.Context(), &bytes.Buffer{}, "up"); code != exitOK {
		t.Fatal(stderr)
	}
	var stdout bytes.Buffer
	if code, stderr := runs(t.Context(), &stdout, "destroy", "--yes"); code != exitOK || stderr != "" && strings.Contains(stderr, "warning") {
		t.Fatalf("exit code %d\n%s", code, stderr)
	}
	const want = `Stack dev: 1 deleted.
Left of stack dev. AWS lists some of what was deleted within an hour: look first.
  address eipalloc-1, which costs by the hour
    aws ec2 release-address --allocation-id eipalloc-1 --region eu-central-1
  instance i-1, which costs by the second while it runs, and its disk
    aws ec2 terminate-instances --instance-ids i-1 --region eu-central-1
  volume vol-1, which costs by its size
    aws ec2 delete-volume --volume-id vol-1 --region eu-central-1
  resource arn:aws:ec2:eu-central-1:123456789012:vpc/vpc-1, which costs what its service charges
  log group /cicd/dev, which costs by what it stores
    aws logs delete-log-group --log-group-name /cicd/dev --region eu-central-1
  log group /aws/codebuild/cicd-dev-build, which costs by what it stores
    aws logs delete-log-group --log-group-name /aws/codebuild/cicd-dev-build --region eu-central-1
  images in ECR cicd-dev, which costs by what they store
    aws ecr delete-repository --force --repository-name cicd-dev --region eu-central-1
  artifacts in S3 cicd-dev-artifacts-123456789012-eu-central-1, which costs by what all versions store
    aws s3 rb s3://cicd-dev-artifacts-123456789012-eu-central-1, once its objects' versions are deleted, as "Empty" does in the console of S3
Kept on purpose, of the stack's data:
  snapshot snap-1, which costs by what it stores
    aws ec2 delete-snapshot --snapshot-id snap-1 --region eu-central-1
`
	if stdout.String() != want {
		t.Errorf("it printed\n%s\nwant\n%s", &stdout, want)
	}

	stdout.Reset()
	if code, stderr := runs(t.Context(), &stdout, "destroy", "--yes", "--json"); code != exitOK {
		t.Fatal(stderr)
	}
	wantAnswer(t, []string{"destroy"}, stdout.String())
	s := decoded[struct{ Sweep operations.Sweep }](t, stdout.String()).Sweep
	ids := func(list []operations.Leftover) (ids []string) {
		for _, l := range list {
			ids = append(ids, l.ID)
		}
		return ids
	}
	if len(s.Left) != 8 || !slices.Equal(ids(s.Kept), []string{"snap-1"}) || s.Going != 0 || s.Unchecked != nil {
		t.Errorf("as JSON: %+v", s)
	}
}

// TestSweepAfterDestroy: what the destroy itself has deleted is not left, although AWS lists it for an hour.
func TestSweepAfterDestroy(t *testing.T) {
	secretProject(t)
	store := parameterstest.Start(t)
	store.Account.Put(leftover(account.Instance, "dev", "instance/i-1"))
	store.Account.Delete("instance/i-1", "i-1")
	var stdout, stderr bytes.Buffer
	c := cli{stdout: &stdout, stderr: &stderr}
	c.printReceipt("dev", c.sweep(t.Context(), operations.Stack{Project: "cicd", Name: "dev", Region: "eu-central-1"}, map[string]bool{"i-1": true}))
	if want := nothingLeft + "For about an hour, AWS still lists resources that are deleted: 1.\n"; stdout.String() != want || stderr.Len() > 0 {
		t.Errorf("it printed\n%s%s\nwant\n%s", &stdout, &stderr, want)
	}
}

// TestSweepNeedsPermissions: what may not be looked for is said, and is not said to be gone.
func TestSweepNeedsPermissions(t *testing.T) {
	secretProject(t)
	store := parameterstest.Start(t)
	leave(store.Account)
	const role = "arn:aws:iam::123456789012:role/ci"
	store.Account.Put(account.Resource{Type: account.Role, URN: "ci", ID: "ci", Name: "ci", Properties: map[string]any{"name": "ci", "arn": role,
		"assumeRolePolicy": `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"}}`}})
	store.Account.Put(account.Resource{Type: account.RolePolicy, URN: "ci", ID: "policy", Properties: map[string]any{"role": "ci",
		"policy": `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"ssm:GetParametersByPath","Resource":"*"}}`}})
	session, err := store.Authority.AssumeRole(role, "ec2.amazonaws.com", "me", "")
	if err != nil {
		t.Fatal(err)
	}
	store.Become(session)
	var stdout, stderr bytes.Buffer
	c := cli{stdout: &stdout, stderr: &stderr}
	c.printReceipt("dev", c.sweep(t.Context(), operations.Stack{Project: "cicd", Name: "dev", Region: "eu-central-1"}, nil))
	if want := "Nothing is left of stack dev that should not be. Looked for:\n  parameters\n"; stdout.String() != want {
		t.Errorf("it printed\n%s\nwant\n%s", &stdout, want)
	}
	for _, want := range []string{"tag:GetResources", "logs:DescribeLogGroups", "ecr:DescribeRepositories", "allow s3:ListBucket on the bucket"} {
		if !strings.Contains(stderr.String(), want) {
			t.Errorf("%q is missing in\n%s", want, &stderr)
		}
	}
}

// receipt destroys a stack of the same name, whose resources are others, and then those as well.
func (d day) receipt() {
	d.t.Helper()
	found := func() (kinds []string) {
		out, _ := d.cicd(exitOK, "destroy", "--yes", "--json")
		for _, l := range decoded[struct{ Sweep operations.Sweep }](d.t, out).Sweep.Left {
			kinds = append(kinds, l.Kind)
		}
		return kinds
	}
	before := found()
	for _, kind := range []string{"instance", "address", "log group", "images in ECR", "cached layers in ECR", "artifacts in S3"} {
		if !slices.Contains(before, kind) {
			d.t.Errorf("of a whole stack, %q is left, want %s, too", before, kind)
		}
	}
	if err := d.TearDown(d.t.Context()); err != nil {
		d.t.Fatal(err)
	}
	if after := found(); !slices.Equal(after, []string{"instance"}) { // which AWS lists for an hour
		d.t.Errorf("of a stack that is gone, %q is left, want nothing but the instance", after)
	}
}
