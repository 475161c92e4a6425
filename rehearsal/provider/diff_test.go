package provider

import (
	"slices"
	"strings"
	"testing"

	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"

	"cicd/rehearsal/aws/account"
)

// The verdicts on a change.
const (
	same         = "same"
	update       = "update"
	replace      = "replace"
	replaceFirst = "delete, then replace"
)

// change is one change to a valid example, see TestCompleteStack, and what it does.
type change struct {
	example, path string
	value         any
	want          string // a verdict
	wantPath      string // in the detailed diff
}

func diffs(t *testing.T, tests []change) {
	t.Helper()
	for _, tt := range tests {
		t.Run(tt.example+"/"+tt.path+"/"+tt.want, func(t *testing.T) {
			w := newWorld(t)
			w.declareUntil("")
			e := exampleNamed(t, tt.example)
			before := w.inputs(e)
			olds, _ := toWire(before)
			news, _ := toWire(with(t, before, tt.path, tt.value))
			response, err := w.Diff(w.ctx, &pulumirpc.DiffRequest{Urn: urnOf(e.token, e.name), OldInputs: olds, News: news})
			if err != nil {
				t.Fatal(err)
			}
			if got := verdict(response); got != tt.want {
				t.Errorf("verdict = %q, want %q (%v)", got, tt.want, response)
			}
			if _, ok := response.DetailedDiff[tt.wantPath]; tt.wantPath != "" && !ok {
				t.Errorf("detailed diff = %v, want one of %s", response.DetailedDiff, tt.wantPath)
			}
		})
	}
}

func TestDiffOfHosts(t *testing.T) {
	diffs(t, []change{
		{"host", "ami", "ami-0123456789abcdef0", replace, "ami"},
		{"host", "subnetId", unknown{}, replace, "subnetId"},
		{"host", "instanceType", "t3.small", update, "instanceType"},
		{"host", "instanceType", "t4g.micro", replace, "instanceType"},
		{"host", "userData", "#!/bin/sh", update, "userData"},
		{"host", "metadataOptions.httpPutResponseHopLimit", 2.0, update, "metadataOptions.httpPutResponseHopLimit"},
		{"host", "rootBlockDevice.encrypted", false, replace, "rootBlockDevice.encrypted"},
		{"host", "rootBlockDevice.volumeSize", 30.0, update, "rootBlockDevice.volumeSize"},
		{"host", "tags", map[string]any{"Name": "web"}, update, "tags"},
		{"host", "ebsOptimized", true, replace, "ebsOptimized"},
		{"host", "ebsOptimized", false, same, ""},
		{"host", "metadataOptions.httpTokens", "optional", update, "metadataOptions.httpTokens"},
		{"key", "publicKey", "ssh-ed25519 other", replaceFirst, "publicKey"},
		{"address-association", "allowReassociation", true, replace, "allowReassociation"},

		// Absent means as it is.
		{"host", "keyName", nil, same, ""},
		{"host", "iamInstanceProfile", nil, same, ""},
		{"host", "vpcSecurityGroupIds", nil, same, ""},
		{"host", "metadataOptions", nil, same, ""},
		{"host", "metadataOptions.httpTokens", nil, same, ""},
		{"host", "rootBlockDevice", nil, same, ""},
		{"host", "rootBlockDevice.encrypted", nil, same, ""},
		{"host", "userData", nil, same, ""},
		{"address", "domain", nil, same, ""},
	})
}

func TestDiffOfNetworks(t *testing.T) {
	diffs(t, []change{
		{"vpc", "cidrBlock", "10.1.0.0/16", replace, "cidrBlock"},
		{"vpc", "enableDnsHostnames", true, update, "enableDnsHostnames"},
		{"vpc", "enableDnsHostnames", false, same, ""},
		{"subnet", "availabilityZone", "us-east-1a", replace, "availabilityZone"},
		{"subnet", "vpcId", unknown{}, replace, "vpcId"},
		{"subnet", "mapPublicIpOnLaunch", nil, update, "mapPublicIpOnLaunch"}, // a default, and not the same
		{"group", "description", "HTTPS in", replaceFirst, "description"},
		{"http", "cidrIpv4", "203.0.113.0/24", update, "cidrIpv4"},
		{"http", "cidrIpv4", nil, replace, "cidrIpv4"},
		{"http", "ipProtocol", "6", same, ""},

		// Absent means as it is.
		{"subnet", "availabilityZone", nil, same, ""},
		{"gateway", "vpcId", nil, same, ""},
	})
}

func TestDiffOfPipelines(t *testing.T) {
	diffs(t, []change{
		{"project", "environment.environmentVariables.0.value", "9090", update, "environment.environmentVariables[0].value"},
		{"project", "environment.environmentVariables", nil, update, "environment.environmentVariables"},
		{"logs", "retentionInDays", 7.0, update, "retentionInDays"},
		{"pipeline", "name", "other", replace, "name"},
		{"pipeline", "stages.1.actions.0.configuration.ProjectName", "other", update, "stages[1].actions[0].configuration.ProjectName"},
		{"pipeline", "triggers.0.gitConfiguration.pushes.0.filePaths.includes", []any{"deploy/**", "webapp/**"}, update, "triggers[0].gitConfiguration.pushes[0].filePaths.includes[0]"}, // a list
		{"pipeline", "triggers.0.gitConfiguration.pushes.0.filePaths.includes", []any{"webapp/**"}, update, "triggers[0].gitConfiguration.pushes[0].filePaths.includes"},
		{"pipeline", "stages.1.actions.0.runOrder", 1.0, same, ""},
		{"deployment-group", "appName", "other", update, "appName"},
		{"deployment-group", "deploymentStyle", map[string]any{"deploymentType": "IN_PLACE"}, update, "deploymentStyle"},
		{"connection", "name", "other", replace, "name"},
		{"connection", "providerType", "GitLab", replaceFirst, "providerType"},

		// Absent means as it is.
		{"project", "logsConfig", nil, same, ""},
		{"project", "logsConfig.cloudwatchLogs", nil, same, ""},
		{"project", "cache", nil, same, ""},
	})
}

func TestDiffOfStorage(t *testing.T) {
	diffs(t, []change{
		{"repository", "imageTagMutability", "MUTABLE", update, "imageTagMutability"},
		{"repository", "name", "other", replace, "name"},
		{"repository", "encryptionConfigurations.0.encryptionType", "KMS", replaceFirst, "encryptionConfigurations[0].encryptionType"},
		{"repository", "forceDelete", false, same, ""}, // the default, explicitly
		{"expiry", "policy", `{"rules": [{"action":{"type":"expire"}, "selection":{"countNumber":20,"tagStatus":"any","countType":"imageCountMoreThan"}, "description":"keep 20", "rulePriority":1}]}`, same, ""},
		{"expiry", "policy", strings.ReplaceAll(keep20JSON, "20", "30"), replaceFirst, "policy"},
		{"expiry", "repository", "other", replaceFirst, "repository"},
		{"bucket", "bucket", "other-artifacts", replace, "bucket"},
		{"bucket", "forceDestroy", true, update, "forceDestroy"},
		{"object", "content", "STACK=prod\n", update, "content"},
		{"object", "contentBase64", "U1RBQ0s9cHJvZAo=", update, "contentBase64"},
		{"object", "key", "settings.env", replace, "key"},
		{"object", "bucket", unknown{}, replace, "bucket"},
		{"object", "contentType", nil, same, ""},

		// Absent means as it is.
		{"repository", "encryptionConfigurations", nil, same, ""},
		{"repository", "imageScanningConfiguration", nil, same, ""},
		{"lifecycle", "rules.0.expiration.days", nil, same, ""},
	})
}

func TestDiffOfRolesAndKeys(t *testing.T) {
	diffs(t, []change{
		{"build-role", "name", "other", replace, "name"},
		{"build-role", "description", "builds", update, "description"},
		{"build-role", "assumeRolePolicy", `{"Statement": {}}`, update, "assumeRolePolicy"},
		{"attachment", "policyArn", "arn:aws:iam::aws:policy/AmazonSQSFullAccess", replace, "policyArn"},
		{"attachment", "role", "build", replace, "role"},
		{"cmk", "deletionWindowInDays", 30.0, update, "deletionWindowInDays"}, // the provider has no default
		{"cmk-policy", "keyId", "1234abcd", update, "keyId"},

		// Absent means as it is.
		{"cmk", "rotationPeriodInDays", nil, same, ""},
	})
}

func TestDiffOfGitHub(t *testing.T) {
	diffs(t, []change{
		{"ruleset", "repository", "other", update, "repository"},
		{"variable", "value", "eu-west-1", update, "value"},
		{"variable", "repository", "other", replace, "repository"},
		{"environment", "repository", "other", replace, "repository"},
	})
}

const keep20JSON = `{"rules":[{"rulePriority":1,"description":"keep 20","selection":{"tagStatus":"any","countType":"imageCountMoreThan","countNumber":20},"action":{"type":"expire"}}]}`

// A policy is what it means, and not how it is written.
func TestEqualPolicies(t *testing.T) {
	const (
		tls   = `{"Version":"2012-10-17","Statement":{"Effect":"Deny","Principal":"*","Action":["s3:*"],"Resource":["arn:aws:s3:::web-artifacts/*","arn:aws:s3:::web-artifacts"],"Condition":{"Bool":{"aws:SecureTransport":["false"]}}}}`
		login = `{"Statement":{"Resource":["*"],"Action":["ecr:GetAuthorizationToken"],"Effect":"Allow"},"Version":"2012-10-17"}`
		trust = `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"Service":["codebuild.amazonaws.com"]}}}`
	)
	for name, tt := range map[string]struct{ example, path, value string }{
		"bucket":                 {"tls", "policy", tls},
		"role":                   {"build-policy", "policy", login},
		"trust":                  {"build-role", "assumeRolePolicy", trust},
		"rules in another order": {"expiry", "policy", " " + keep20JSON + "\n"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.declareUntil("")
			e := exampleNamed(t, tt.example)
			before := w.inputs(e)
			if c := kinds[e.token].compare(before, with(t, before, tt.path, tt.value)); len(c) > 0 {
				t.Errorf("changes = %v, want none", c)
			}
			other := strings.Replace(tt.value, "Deny", "Allow", 1)
			if c := kinds[e.token].compare(before, with(t, before, tt.path, other)); other != tt.value && len(c) == 0 {
				t.Error("another effect is no change")
			}
		})
	}
}

// verdict describes a diff in words.
func verdict(d *pulumirpc.DiffResponse) string {
	switch {
	case d.Changes == pulumirpc.DiffResponse_DIFF_NONE:
		return same
	case d.DeleteBeforeReplace:
		return replaceFirst
	case len(d.Replaces) > 0:
		return replace
	}
	return update
}

func TestUserDataCanReplace(t *testing.T) {
	k := kinds[account.Instance]
	olds := values{"userData": "a", "userDataReplaceOnChange": true}
	news := values{"userData": "b", "userDataReplaceOnChange": true}
	if got := k.compare(olds, news).response().Replaces; !slices.Contains(got, "userData") {
		t.Errorf("replaces = %v, want userData among them", got)
	}
}

// A generated name may change with the resource, so that the replacement can be created first.
func TestReplacementOfAutonamed(t *testing.T) {
	w := newWorld(t)
	olds, _ := toWire(values{"name": "web-0123456", defaulted: []any{"name"}})
	news, _ := toWire(values{"name": "web-0123456", defaulted: []any{"name"}, "encryptionConfigurations": []any{map[string]any{"encryptionType": "KMS"}}})
	response, err := w.Diff(w.ctx, &pulumirpc.DiffRequest{Urn: urnOf(account.Repository, "web"), OldInputs: olds, News: news})
	if err != nil {
		t.Fatal(err)
	}
	if got := verdict(response); got != replace {
		t.Errorf("verdict = %q, want replace", got)
	}
}
