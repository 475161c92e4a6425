package provider

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"slices"
	"strings"
	"testing"

	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"

	"cicd/rehearsal/aws/account"
	"cicd/rehearsal/aws/iam"
)

// contents is the number of images or objects in the test's one repository or bucket.
type contents int

func (c *contents) ImageCount(string) int         { return int(*c) }
func (c *contents) DeleteRepository(string) error { *c = 0; return nil }
func (c *contents) ObjectCount(string) int        { return int(*c) }
func (c *contents) EmptyBucket(string) error      { *c = 0; return nil }
func (c *contents) RemoveObject(_, _ string) error {
	return nil
}
func (c *contents) PlaceObject(_, _, _ string, _ io.Reader) (string, string, error) {
	return "version", "etag", nil
}

// world is an account with a complete stack: one resource of every kind, as short as AWS accepts.
type world struct {
	*endpoint
	t        *testing.T
	ctx      context.Context
	contents *contents
	ids      map[string]string // by logical name
}

// example is a resource of the complete stack. Texts that begin with @ stand for an earlier one's id.
type example struct {
	token, name string
	inputs      string // JSON
}

const (
	trustOf = `{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\",\"Principal\":{\"Service\":\"SERVICE.amazonaws.com\"},\"Action\":\"sts:AssumeRole\"}]}`
	keep20  = `{\"rules\":[{\"rulePriority\":1,\"description\":\"keep 20\",\"selection\":{\"tagStatus\":\"any\",\"countType\":\"imageCountMoreThan\",\"countNumber\":20},\"action\":{\"type\":\"expire\"}}]}`
)

// keyPolicyOf and topicPolicyOf return policies that allow a principal an action, for use within JSON.
func keyPolicyOf(principal, action string) string {
	return `{\"Version\":\"2012-10-17\",\"Statement\":[{\"Sid\":\"Enable IAM policies\",\"Effect\":\"Allow\",\"Principal\":{\"AWS\":\"` +
		principal + `\"},\"Action\":\"` + action + `\",\"Resource\":\"*\"}]}`
}

func topicPolicyOf(principal, action string) string {
	return strings.Replace(keyPolicyOf(principal, action), `\"*\"`, `\"arn:aws:sns:us-east-1:123456789012:approvals\"`, 1)
}

func trust(service string) string { return strings.ReplaceAll(trustOf, "SERVICE", service) }

var examples = []example{
	{account.Connection, "connection", `{"name": "github", "providerType": "GitHub"}`},
	{account.Repository, "repository", `{"name": "web", "imageTagMutability": "IMMUTABLE", "encryptionConfigurations": [{"encryptionType": "AES256"}]}`},
	{account.LifecyclePolicy, "expiry", `{"repository": "web", "policy": "` + keep20 + `"}`},
	{account.Role, "build-role", `{"name": "build", "assumeRolePolicy": "` + trust("codebuild") + `"}`},
	{account.Role, "deploy-role", `{"name": "deploy", "assumeRolePolicy": "` + trust("codedeploy") + `"}`},
	{account.Role, "pipeline-role", `{"name": "pipeline", "assumeRolePolicy": "` + trust("codepipeline") + `"}`},
	{account.Role, "host-role", `{"name": "host", "assumeRolePolicy": "` + trust("ec2") + `"}`},
	{account.RolePolicy, "build-policy", `{"name": "build", "role": "build", "policy": "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\",\"Action\":\"ecr:GetAuthorizationToken\",\"Resource\":\"*\"}]}"}`},
	{account.RolePolicyAttachment, "attachment", `{"role": "host", "policyArn": "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess"}`},
	{account.InstanceProfile, "profile", `{"name": "host", "role": "host"}`},
	{account.RepositoryPolicy, "repository-policy", `{"repository": "web", "policy": "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Sid\":\"new statement\",\"Effect\":\"Deny\",\"Principal\":\"*\",\"Action\":\"ecr:DeleteRepository\"}]}"}`},
	{account.KMSKey, "cmk", `{"enableKeyRotation": true, "rotationPeriodInDays": 365}`},
	{account.KMSKeyPolicy, "cmk-policy", `{"keyId": "@cmk", "policy": "` + keyPolicyOf("arn:aws:iam::123456789012:root", "kms:*") + `"}`},
	{account.Topic, "topic", `{"name": "approvals", "displayName": "Approvals"}`},
	{account.TopicPolicy, "topic-policy", `{"arn": "@topic", "policy": "` + topicPolicyOf("123456789012", "SNS:Publish") + `"}`},
	{account.LogGroup, "logs", `{"name": "/codebuild/web", "retentionInDays": 30}`},
	{account.Project, "project", `{"name": "web", "serviceRole": "arn:aws:iam::123456789012:role/build", "artifacts": {"type": "CODEPIPELINE"}, "source": {"type": "CODEPIPELINE"},
		"environment": {"computeType": "BUILD_GENERAL1_SMALL", "type": "LINUX_CONTAINER", "image": "aws/codebuild/amazonlinux-x86_64-standard:5.0", "privilegedMode": true,
			"environmentVariables": [{"name": "PORT", "value": "8080"}]},
		"cache": {"type": "LOCAL", "modes": ["LOCAL_DOCKER_LAYER_CACHE"]},
		"logsConfig": {"cloudwatchLogs": {"groupName": "/codebuild/web"}}}`},
	{account.VPC, "vpc", `{"cidrBlock": "10.0.0.0/16"}`},
	{account.Subnet, "subnet", `{"vpcId": "@vpc", "cidrBlock": "10.0.1.0/24", "availabilityZone": "us-east-1b", "mapPublicIpOnLaunch": true}`},
	{account.InternetGateway, "gateway", `{"vpcId": "@vpc"}`},
	{account.RouteTable, "table", `{"vpcId": "@vpc"}`},
	{account.Route, "route", `{"routeTableId": "@table", "gatewayId": "@gateway", "destinationCidrBlock": "0.0.0.0/0"}`},
	{account.RouteTableAssociation, "association", `{"routeTableId": "@table", "subnetId": "@subnet"}`},
	{account.DefaultSecurityGroup, "default", `{"vpcId": "@vpc"}`},
	{account.SecurityGroup, "group", `{"name": "web", "vpcId": "@vpc", "description": "HTTP in"}`},
	{account.IngressRule, "http", `{"securityGroupId": "@group", "ipProtocol": "tcp", "fromPort": 80, "toPort": 80, "cidrIpv4": "0.0.0.0/0"}`},
	{account.EgressRule, "out", `{"securityGroupId": "@group", "ipProtocol": "-1", "cidrIpv4": "0.0.0.0/0"}`},
	{account.KeyPair, "key", `{"keyName": "operator", "publicKey": "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKHEChAFsW0a1cJLIMxQX7OFIVTX2tSPJN8CGhxrTtIF operator"}`},
	{account.Instance, "host", `{"ami": "` + exampleImage + `", "instanceType": "t3.micro", "subnetId": "@subnet", "vpcSecurityGroupIds": ["@group"], "iamInstanceProfile": "host", "keyName": "operator",
		"userData": "#!/bin/bash", "metadataOptions": {"httpTokens": "required", "httpPutResponseHopLimit": 1}, "rootBlockDevice": {"volumeType": "gp3", "volumeSize": 20, "encrypted": true}}`},
	{account.EIP, "address", `{"domain": "vpc"}`},
	{account.EIPAssociation, "address-association", `{"allocationId": "@address", "instanceId": "@host"}`},
	{account.Volume, "volume", `{"availabilityZone": "us-east-1b", "type": "gp3", "size": 10, "encrypted": true, "finalSnapshot": true}`},
	{account.VolumeAttachment, "volume-attachment", `{"deviceName": "/dev/sdf", "volumeId": "@volume", "instanceId": "@host", "stopInstanceBeforeDetaching": true}`},
	{account.Role, "snapshot-role", `{"name": "snapshots", "assumeRolePolicy": "` + trust("dlm") + `"}`},
	{account.SnapshotPolicy, "snapshots", `{"description": "Daily", "executionRoleArn": "arn:aws:iam::123456789012:role/snapshots",
		"policyDetails": {"resourceTypes": ["VOLUME"], "targetTags": {"Data": "web"},
			"schedules": [{"name": "daily", "createRule": {"interval": 24, "times": "03:00"}, "retainRule": {"count": 7}}]}}`},
	{account.Record, "record", `{"zoneId": "Z0EXAMPLE", "name": "shop.example.com", "type": "A", "ttl": 60, "records": ["203.0.113.7"]}`},
	{account.Application, "application", `{"name": "web", "computePlatform": "Server"}`},
	{account.DeploymentGroup, "deployment-group", `{"appName": "web", "deploymentGroupName": "hosts", "serviceRoleArn": "arn:aws:iam::123456789012:role/deploy",
		"ec2TagSets": [{"ec2TagFilters": [{"key": "Name", "value": "web", "type": "KEY_AND_VALUE"}]}],
		"autoRollbackConfiguration": {"enabled": true, "events": ["DEPLOYMENT_FAILURE"]}}`},
	{account.Bucket, "bucket", `{"bucket": "web-artifacts"}`},
	{account.BucketPublicAccessBlock, "block", `{"bucket": "web-artifacts", "blockPublicPolicy": true}`},
	{account.BucketPolicy, "tls", `{"bucket": "web-artifacts", "policy": "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Deny\",\"Principal\":\"*\",\"Action\":\"s3:*\",\"Resource\":[\"arn:aws:s3:::web-artifacts\",\"arn:aws:s3:::web-artifacts/*\"],\"Condition\":{\"Bool\":{\"aws:SecureTransport\":\"false\"}}}]}"}`},
	{account.BucketVersioning, "versioning", `{"bucket": "web-artifacts", "versioningConfiguration": {"status": "Enabled"}}`},
	{account.BucketOwnershipControls, "ownership", `{"bucket": "web-artifacts", "rule": {"objectOwnership": "BucketOwnerEnforced"}}`},
	{account.BucketEncryption, "encryption", `{"bucket": "web-artifacts", "rules": [{"applyServerSideEncryptionByDefault": {"sseAlgorithm": "aws:kms", "kmsMasterKeyId": "@cmk"}}]}`},
	{account.BucketObject, "object", `{"bucket": "web-artifacts", "key": "_stack/settings.env", "content": "STACK=dev\n", "contentType": "text/plain; charset=utf-8"}`},
	{account.BucketLifecycle, "lifecycle", `{"bucket": "web-artifacts", "rules": [{"id": "expire", "status": "Enabled", "filter": {"prefix": ""}, "expiration": {"days": 30}}]}`},
	{account.Pipeline, "pipeline", `{"name": "web", "pipelineType": "V2", "executionMode": "QUEUED", "roleArn": "arn:aws:iam::123456789012:role/pipeline",
		"artifactStores": [{"type": "S3", "location": "web-artifacts", "encryptionKey": {"id": "@cmk", "type": "KMS"}}],
		"stages": [
			{"name": "Source", "actions": [{"name": "Source", "category": "Source", "owner": "AWS", "provider": "CodeStarSourceConnection", "version": "1", "namespace": "SourceVariables",
				"outputArtifacts": ["source"], "configuration": {"ConnectionArn": "@connection", "FullRepositoryId": "example/web", "BranchName": "main", "DetectChanges": "false"}}]},
			{"name": "Build", "actions": [{"name": "Build", "category": "Build", "owner": "AWS", "provider": "CodeBuild", "version": "1", "inputArtifacts": ["source"], "outputArtifacts": ["bundle"],
				"configuration": {"ProjectName": "web", "EnvironmentVariables": "[{\"name\":\"COMMIT_ID\",\"value\":\"#{SourceVariables.CommitId}\",\"type\":\"PLAINTEXT\"}]"}}]},
			{"name": "Deploy", "actions": [{"name": "Deploy", "category": "Deploy", "owner": "AWS", "provider": "CodeDeploy", "version": "1", "inputArtifacts": ["bundle"],
				"configuration": {"ApplicationName": "web", "DeploymentGroupName": "hosts"}}]},
			{"name": "Approval", "actions": [{"name": "Approve", "category": "Approval", "owner": "AWS", "provider": "Manual", "version": "1", "configuration": {"NotificationArn": "@topic"}}]}],
		"triggers": [{"providerType": "CodeStarSourceConnection", "gitConfiguration": {"sourceActionName": "Source",
			"pushes": [{"branches": {"includes": ["main"]}, "filePaths": {"includes": ["webapp/**", "deploy/**"]}}]}}]}`},
	{account.RepositoryRuleset, "ruleset", `{"name": "main", "repository": "web", "enforcement": "active", "target": "branch", "conditions": {"refName": {"includes": ["~DEFAULT_BRANCH"], "excludes": []}}, "rules": {"deletion": true}}`},
	{account.ActionsVariable, "variable", `{"repository": "web", "variableName": "AWS_REGION", "value": "us-east-1"}`},
	{account.RepositoryEnvironment, "environment", `{"repository": "web", "environment": "dev"}`},
}

var exampleImage = imageOf("us-east-1", "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64")

// newWorld returns an empty account in us-east-1.
func newWorld(t *testing.T) *world {
	t.Helper()
	acct, c := account.New("123456789012"), new(contents)
	server, err := Start(t.Context(), Options{
		Account: acct, Authority: iam.NewAuthority(acct), RegistryHost: "127.0.0.1:5000", Images: c, Objects: c,
		ExistingZones: []ExistingZone{{ID: "Z0EXAMPLE", Name: "example.com"}, {ID: "Z0PRIVATE", Name: "example.com", Private: true}},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Close)
	acct.SetRegion("us-east-1")
	s := &session{region: "us-east-1", defaultTags: map[string]any{"ManagedBy": "Pulumi"}}
	return &world{
		endpoint: &endpoint{Server: server, name: "aws"}, t: t, contents: c, ids: map[string]string{},
		ctx: context.WithValue(t.Context(), sessionKey{}, s),
	}
}

// inputs returns an example's inputs with references resolved; what this world lacks is unknown.
func (w *world) inputs(e example) values {
	w.t.Helper()
	var v map[string]any
	if err := json.Unmarshal([]byte(e.inputs), &v); err != nil {
		w.t.Fatalf("%s: %v", e.name, err)
	}
	return mapTexts(v, func(s string) any {
		name, ok := strings.CutPrefix(s, "@")
		switch {
		case !ok:
			return s
		case w.ids[name] == "":
			return unknown{}
		}
		return w.ids[name]
	}).(map[string]any)
}

// mapTexts returns v with f applied to every text in it.
func mapTexts(v any, f func(string) any) any {
	switch v := v.(type) {
	case string:
		return f(v)
	case []any:
		out := make([]any, len(v))
		for i, item := range v {
			out[i] = mapTexts(item, f)
		}
		return out
	case map[string]any:
		out := map[string]any{}
		for key, item := range v {
			out[key] = mapTexts(item, f)
		}
		return out
	}
	return v
}

func urnOf(token, name string) string { return "urn:pulumi:dev::cicd::" + token + "::" + name }

// check runs Check, and returns the checked inputs and the failures as one error.
func (w *world) check(token, name string, inputs values) (values, error) {
	w.t.Helper()
	news, err := toWire(inputs)
	if err != nil {
		w.t.Fatal(err)
	}
	response, err := w.Check(w.ctx, &pulumirpc.CheckRequest{Urn: urnOf(token, name), News: news, RandomSeed: []byte("seed")})
	if err != nil {
		return nil, err
	}
	var errs []error
	for _, failure := range response.Failures {
		errs = append(errs, errors.New(failure.Reason))
	}
	return fromWire(response.Inputs), errors.Join(errs...)
}

// declare checks and creates a resource.
func (w *world) declare(token, name string, inputs values) (values, error) {
	w.t.Helper()
	checked, err := w.check(token, name, inputs)
	if err != nil {
		return nil, err
	}
	properties, err := toWire(checked)
	if err != nil {
		w.t.Fatal(err)
	}
	response, err := w.Create(w.ctx, &pulumirpc.CreateRequest{Urn: urnOf(token, name), Properties: properties})
	if err != nil {
		return nil, err
	}
	w.ids[name] = response.Id
	return fromWire(response.Properties), nil
}

// declareUntil declares the examples before the named one, or all of them if name is "".
func (w *world) declareUntil(name string) {
	w.t.Helper()
	for _, e := range examples {
		if e.name == name {
			return
		}
		if _, err := w.declare(e.token, e.name, w.inputs(e)); err != nil {
			w.t.Fatalf("declare %s: %v", e.name, err)
		}
	}
}

func exampleNamed(t *testing.T, name string) example {
	t.Helper()
	for _, e := range examples {
		if e.name == name {
			return e
		}
	}
	t.Fatalf("no example is called %s", name)
	return example{}
}

// with returns inputs with the value at a path replaced; nil removes it. Dots separate steps, numbers select list items.
func with(t *testing.T, inputs values, path string, value any) values {
	t.Helper()
	out := mapTexts(map[string]any(inputs), func(s string) any { return s }).(map[string]any)
	var at any = out
	steps := strings.Split(path, ".")
	for _, step := range steps[:len(steps)-1] {
		at = child(t, at, step)
	}
	last := steps[len(steps)-1]
	switch parent := at.(type) {
	case map[string]any:
		parent[last] = value
		if value == nil {
			delete(parent, last)
		}
	case []any:
		parent[last[0]-'0'] = value
	default:
		t.Fatalf("%s leads nowhere", path)
	}
	return out
}

func child(t *testing.T, v any, step string) any {
	t.Helper()
	switch v := v.(type) {
	case map[string]any:
		return v[step]
	case []any:
		return v[step[0]-'0']
	}
	t.Fatalf("no step %s in %v", step, v)
	return nil
}

// leaves returns the paths of everything in inputs, including blocks and lists.
func leaves(v any, path string) []string {
	var paths []string
	each := func(step string, item any) {
		paths = append(paths, path+step)
		paths = append(paths, leaves(item, path+step+".")...)
	}
	switch v := v.(type) {
	case values:
		return leaves(map[string]any(v), path)
	case map[string]any:
		for _, key := range sortedKeys(v) {
			each(key, v[key])
		}
	case []any:
		for i, item := range v {
			each(string(rune('0'+i)), item)
		}
	}
	return paths
}

func sortedKeys(m map[string]any) []string {
	return slices.Sorted(maps.Keys(m))
}
