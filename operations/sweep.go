package operations

import (
	"context"
	"errors"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/arn"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/resourcegroupstaggingapi"
	tagtypes "github.com/aws/aws-sdk-go-v2/service/resourcegroupstaggingapi/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"
)

// Sweep is what is left in AWS of a stack that was destroyed.
type Sweep struct {
	// Checked are the kinds of things that were looked for.
	Checked []string `json:"checked"`
	// Left is what should not be there any more.
	Left []Leftover `json:"left"`
	// Kept is what a destroy leaves on purpose.
	Kept []Leftover `json:"kept"`
	// Going is how many resources AWS still lists that the destroy has deleted.
	Going int `json:"going"`
	// Unchecked says which kinds could not be looked for, and why.
	Unchecked []string `json:"unchecked,omitempty"`
}

// Leftover is a resource that is left.
type Leftover struct {
	Kind string `json:"kind"`
	ID   string `json:"id"`
	// Costs says in words what it costs.
	Costs string `json:"costs"`
	// Remove is the command that deletes it; "" if there is none for any such resource.
	Remove string `json:"remove,omitempty"`
}

// remedies for what a sweep may not do (S3 API reference, HeadBucket: its errors have no body, and so no other code).
var sweepRemedies = remedies{
	"Forbidden": "To do: allow s3:ListBucket on the bucket to this user or role. If the bucket is in another account, its name was taken.",
}

// sweeper looks for what is left.
type sweeper struct {
	Sweep
	stack    Stack
	settings aws.Config
}

// Sweep looks for what is left of a stack that was destroyed: by the stack's tags, and by the names of what can have none, or
// appears again when something still writes to it. deleted reports whether the destroy has deleted what has an ARN. What
// cannot be looked for is no error, but is said.
func (s Stack) Sweep(ctx context.Context, deleted func(arn string) bool) (Sweep, error) {
	w := &sweeper{Sweep: Sweep{Checked: []string{}, Left: []Leftover{}, Kept: []Leftover{}}, stack: s}
	var err error
	if w.settings, err = s.connect(ctx); err != nil {
		return w.Sweep, err
	}
	w.check(ctx, "instances, addresses, volumes", "resources with the tags of "+s.Name, func() error { return w.tagged(ctx, deleted) })
	for _, name := range []string{s.path(), "/aws/codebuild/" + s.Project + "-" + s.Name + "-build"} {
		w.check(ctx, "log groups", "log group "+name, func() error { return w.logGroup(ctx, name) })
	}
	w.check(ctx, "images", "repository "+s.repository(), func() error { return w.repository(ctx, s.repository(), "images in ECR") })
	cache := s.repository() + "-cache"
	w.check(ctx, "images", "repository "+cache, func() error { return w.repository(ctx, cache, "cached layers in ECR") })
	w.check(ctx, "artifacts", "artifact bucket of "+s.Name, func() error { return w.bucket(ctx) })
	w.check(ctx, "parameters", "parameters of "+s.path(), func() error { return w.parameters(ctx) })
	return w.Sweep, ctx.Err()
}

// check makes one check, and notes whether it could be made.
func (w *sweeper) check(ctx context.Context, kinds, thing string, find func() error) {
	err := find()
	switch listed := len(w.Checked) > 0 && w.Checked[len(w.Checked)-1] == kinds; {
	case err != nil:
		w.Unchecked = append(w.Unchecked, w.stack.explain(ctx, thing, err, sweepRemedies).Error())
	case !listed:
		w.Checked = append(w.Checked, kinds)
	}
}

// left notes something that is left.
func (w *sweeper) left(kind, id, costs, remove string) {
	w.Left = append(w.Left, Leftover{kind, id, costs, remove})
}

// byName are the services whose resources are looked for by name, which says what is there now.
var byName = map[string]bool{"logs": true, "ecr": true, "s3": true, "ssm": true}

// tagged looks for what has the stack's tags. The list has "tagged or previously tagged resources" (Resource Groups Tagging
// API reference, GetResources), and EC2 shows an instance for about an hour after its end (EC2 API reference,
// TerminateInstances), so what the destroy has deleted does not count.
func (w *sweeper) tagged(ctx context.Context, deleted func(arn string) bool) error {
	filter := func(key, value string) tagtypes.TagFilter {
		return tagtypes.TagFilter{Key: aws.String(key), Values: []string{value}}
	}
	pages := resourcegroupstaggingapi.NewGetResourcesPaginator(resourcegroupstaggingapi.NewFromConfig(w.settings),
		&resourcegroupstaggingapi.GetResourcesInput{TagFilters: []tagtypes.TagFilter{filter("Project", w.stack.Project), filter("Stack", w.stack.Name)}})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return err
		}
		for _, found := range page.ResourceTagMappingList {
			name := aws.ToString(found.ResourceARN)
			parsed, err := arn.Parse(name)
			switch {
			case err != nil || byName[parsed.Service]:
			case deleted(name):
				w.Going++
			case strings.HasPrefix(parsed.Resource, "snapshot/"):
				w.Kept = append(w.Kept, w.leftover(parsed))
			default:
				w.Left = append(w.Left, w.leftover(parsed))
			}
		}
	}
	return nil
}

// billed are the types of resources of EC2 that cost something, by how their ARNs call them.
var billed = map[string]struct{ kind, costs, remove string }{
	"instance":   {"instance", "by the second while it runs, and its disk", "terminate-instances --instance-ids"},
	"elastic-ip": {"address", "by the hour", "release-address --allocation-id"},
	"volume":     {"volume", "by its size", "delete-volume --volume-id"},
	"snapshot":   {"snapshot", "by what it stores", "delete-snapshot --snapshot-id"},
}

// leftover describes a resource.
func (w *sweeper) leftover(of arn.ARN) Leftover {
	kind, id, _ := strings.Cut(of.Resource, "/")
	if known, ok := billed[kind]; ok && of.Service == "ec2" {
		return Leftover{known.kind, id, known.costs, "aws ec2 " + known.remove + " " + id + " --region " + w.stack.Region}
	}
	return Leftover{"resource", of.String(), "what its service charges", ""}
}

func (w *sweeper) logGroup(ctx context.Context, name string) error {
	pages := cloudwatchlogs.NewDescribeLogGroupsPaginator(cloudwatchlogs.NewFromConfig(w.settings),
		&cloudwatchlogs.DescribeLogGroupsInput{LogGroupNamePrefix: aws.String(name)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return err
		}
		for _, group := range page.LogGroups {
			if aws.ToString(group.LogGroupName) == name { // and not one of a stack whose name begins so
				w.left("log group", name, "by what it stores", "aws logs delete-log-group --log-group-name "+name+" --region "+w.stack.Region)
			}
		}
	}
	return nil
}

func (w *sweeper) repository(ctx context.Context, name, kind string) error {
	_, err := ecr.NewFromConfig(w.settings).DescribeRepositories(ctx, &ecr.DescribeRepositoriesInput{RepositoryNames: []string{name}})
	return w.unless(err, "RepositoryNotFoundException", Leftover{kind, name, "by what they store",
		"aws ecr delete-repository --force --repository-name " + name + " --region " + w.stack.Region})
}

func (w *sweeper) bucket(ctx context.Context) error {
	who, err := sts.NewFromConfig(w.settings).GetCallerIdentity(ctx, nil)
	if err != nil {
		return err
	}
	name := w.stack.Project + "-" + w.stack.Name + "-artifacts-" + aws.ToString(who.Account) + "-" + w.stack.Region
	_, err = s3.NewFromConfig(w.settings).HeadBucket(ctx, &s3.HeadBucketInput{Bucket: aws.String(name)})
	return w.unless(err, "NotFound", Leftover{"artifacts in S3", name, "by what all versions store",
		"aws s3 rb s3://" + name + ", once its objects' versions are deleted, as \"Empty\" does in the console of S3"})
}

// unless notes what is left, unless the error says that it is not there.
func (w *sweeper) unless(err error, absent string, left Leftover) error {
	var refused smithy.APIError
	switch {
	case err == nil:
		w.Left = append(w.Left, left)
		return nil
	case errors.As(err, &refused) && refused.ErrorCode() == absent:
		return nil
	}
	return err
}

func (w *sweeper) parameters(ctx context.Context) error {
	pages := ssm.NewGetParametersByPathPaginator(ssm.NewFromConfig(w.settings), &ssm.GetParametersByPathInput{Path: aws.String(w.stack.path())})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return err
		}
		for _, p := range page.Parameters {
			w.left("parameter", aws.ToString(p.Name), "nothing, but it is a secret", "aws ssm delete-parameter --name "+aws.ToString(p.Name)+" --region "+w.stack.Region)
		}
	}
	return nil
}
