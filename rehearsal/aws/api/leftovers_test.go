package api

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdklogs "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	sdkecr "github.com/aws/aws-sdk-go-v2/service/ecr"
	sdktags "github.com/aws/aws-sdk-go-v2/service/resourcegroupstaggingapi"
	tagtypes "github.com/aws/aws-sdk-go-v2/service/resourcegroupstaggingapi/types"
	sdks3 "github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"cicd/rehearsal/aws/account"
)

// What a sweep asks about what is left of a stack, with real clients.

func TestGetResources(t *testing.T) {
	f := newFixture(t)
	f.grant(everything)
	declare := func(token, service, resource string, tags map[string]any) {
		put(f.account, token, resource, map[string]any{"arn": f.account.ARN(service, resource), "tagsAll": tags})
	}
	dev, prod := map[string]any{"Project": "cicd", "Stack": "dev"}, map[string]any{"Project": "cicd", "Stack": "prod"}
	declare(account.Volume, "ec2", "volume/vol-1", dev)
	declare(account.VPC, "ec2", "vpc/vpc-1", dev)
	declare(account.Volume, "ec2", "volume/vol-2", prod)
	declare(account.Subnet, "ec2", "subnet/subnet-1", nil)
	declare(account.InternetGateway, "ec2", "internet-gateway/igw-1", dev)
	f.account.Delete(account.InternetGateway+"::internet-gateway/igw-1", "internet-gateway/igw-1")
	declare(account.Instance, "ec2", "instance/i-1", dev)
	f.account.Delete(account.Instance+"::instance/i-1", "instance/i-1")
	list := func(filters ...tagtypes.TagFilter) (found []string) {
		t.Helper()
		pages := sdktags.NewGetResourcesPaginator(sdktags.NewFromConfig(f.config(nil)), &sdktags.GetResourcesInput{TagFilters: filters, ResourcesPerPage: aws.Int32(1)})
		for pages.HasMorePages() {
			page, err := pages.NextPage(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			for _, r := range page.ResourceTagMappingList {
				found = append(found, strings.TrimPrefix(aws.ToString(r.ResourceARN), "arn:aws:ec2:eu-central-1:123456789012:"))
			}
		}
		return found
	}
	project, stack := tagtypes.TagFilter{Key: aws.String("Project"), Values: []string{"cicd"}}, tagtypes.TagFilter{Key: aws.String("Stack"), Values: []string{"dev"}}
	if got, want := list(project, stack), []string{"instance/i-1", "volume/vol-1", "vpc/vpc-1"}; !slices.Equal(got, want) {
		t.Errorf("of the stack %q, want %q, the instance that was just deleted among them", got, want)
	}
	if got := list(tagtypes.TagFilter{Key: aws.String("Stack")}); len(got) != 4 {
		t.Errorf("of all stacks %q, want four", got)
	}
	f.account.Elapse(2 * time.Hour)
	if got := list(project, stack); slices.Contains(got, "instance/i-1") {
		t.Errorf("two hours later %q, want no instance", got)
	}
	f.grant(`{"Effect":"Deny","Action":"*","Resource":"*"}`)
	_, err := sdktags.NewFromConfig(f.config(nil)).GetResources(t.Context(), nil)
	wantRefusal(t, err, "AccessDeniedException", "tag:GetResources on resource: *")
}

func TestDescribeLogGroups(t *testing.T) {
	f := newFixture(t)
	f.grant(everything)
	for _, name := range []string{"/cicd/prod", "/cicd/dev2", "/cicd/dev"} {
		put(f.account, account.LogGroup, name, map[string]any{"name": name})
	}
	client := sdklogs.NewFromConfig(f.config(nil))
	var found []string
	for pages := sdklogs.NewDescribeLogGroupsPaginator(client, &sdklogs.DescribeLogGroupsInput{LogGroupNamePrefix: aws.String("/cicd/dev"), Limit: aws.Int32(1)}); pages.HasMorePages(); {
		page, err := pages.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, group := range page.LogGroups {
			found = append(found, aws.ToString(group.LogGroupName))
		}
	}
	if want := []string{"/cicd/dev", "/cicd/dev2"}; !slices.Equal(found, want) {
		t.Errorf("found %q, want %q", found, want)
	}
	f.grant(`{"Effect":"Allow","Action":"logs:DescribeLogGroups","Resource":"arn:aws:logs:eu-central-1:123456789012:log-group:/cicd/dev:*"}`)
	_, err := client.DescribeLogGroups(t.Context(), nil)
	wantRefusal(t, err, "AccessDeniedException", "logs:DescribeLogGroups on resource: arn:aws:logs:eu-central-1:123456789012:log-group::log-stream:")
}

func TestDescribeRepositories(t *testing.T) {
	f := newFixture(t)
	client := sdkecr.NewFromConfig(f.config(nil))
	for _, names := range [][]string{{"web"}, nil} {
		found, err := client.DescribeRepositories(t.Context(), &sdkecr.DescribeRepositoriesInput{RepositoryNames: names})
		if err != nil || len(found.Repositories) != 1 || aws.ToString(found.Repositories[0].RepositoryName) != "web" {
			t.Errorf("%q: %+v, %v, want web", names, found, err)
		}
	}
	_, err := client.DescribeRepositories(t.Context(), &sdkecr.DescribeRepositoriesInput{RepositoryNames: []string{"none"}})
	wantRefusal(t, err, "RepositoryNotFoundException", "'none'")
	f.allow = func(action string) error { return errors.New("denied: " + action) }
	_, err = client.DescribeRepositories(t.Context(), &sdkecr.DescribeRepositoriesInput{RepositoryNames: []string{"web"}})
	wantRefusal(t, err, "AccessDeniedException", "denied: ecr:DescribeRepositories")
}

func TestHeadBucket(t *testing.T) {
	b := newBucket(t, `{"Effect":"Allow","Action":"s3:ListBucket","Resource":"arn:aws:s3:::`+bucketName+`"}`)
	head := func(name string) (code string, status int) {
		_, err := b.client.HeadBucket(t.Context(), &sdks3.HeadBucketInput{Bucket: aws.String(name)})
		if err == nil {
			return "", http.StatusOK
		}
		var refused smithy.APIError
		var response *smithyhttp.ResponseError
		if !errors.As(err, &refused) || !errors.As(err, &response) {
			t.Fatal(err)
		}
		return refused.ErrorCode(), response.HTTPStatusCode()
	}
	for name, want := range map[string]int{bucketName: http.StatusOK, "nowhere": http.StatusNotFound} {
		if code, status := head(name); status != want || status == http.StatusNotFound && code != "NotFound" {
			t.Errorf("%s: %d %s, want %d", name, status, code, want)
		}
	}
	b.grant(`{"Effect":"Allow","Action":"s3:GetObject","Resource":"*"}`)
	if code, status := head(bucketName); code != "Forbidden" || status != http.StatusForbidden {
		t.Errorf("without permission: %d %s, want 403", status, code)
	}
}
