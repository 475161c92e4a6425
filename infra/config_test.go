package infra

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"
)

// configCase is a value of one key, and part of the violation that it causes; "" if the value is accepted.
type configCase struct{ key, value, want string }

var configCases = []configCase{
	{"aws:region", "eu-central-1", ""},
	{"aws:region", "us-gov-east-1", ""},
	{"aws:region", "eusc-de-east-1", "AWS CodePipeline is not offered there: want a region of another partition"},
	{"aws:region", "ca-west-1", "AWS CodePipeline is not offered there: want another region, such as ca-central-1"},
	{"aws:region", "ap-east-2", "AWS CodePipeline is not offered there"},
	{"aws:region", "ap-southeast-7", "AWS CodePipeline is not offered there"},
	{"aws:region", "mx-central-1", "AWS CodePipeline is not offered there"},
	{"aws:region", "cn-north-1", "no connections to GitHub in this part of its cloud (aws-cn)"},
	{"aws:region", "eu-center-1", "did you mean eu-central-1?"},
	{"aws:region", "", "want an AWS region"},
	{"aws:region", "frankfurt", "none of this name on 7 August 2026"},
	{"aws:region", "EU-CENTRAL-1", "want an AWS region"},
	{"aws:region", "eu-central-1a", "want an AWS region"},
	{"aws:region", "eu-verylongregion-1", "want an AWS region"},

	{"repository", "example/web.app_2-x", ""},
	{"repository", "", "owner/name"},
	{"repository", "webapp", "owner/name"},
	{"repository", "https://github.com/example/webapp", "owner/name"},
	{"repository", "example/webapp.git", "owner/name"},
	{"repository", "example/..", "owner/name"},
	{"repository", "-example/webapp", "owner/name"},
	{"repository", "example/web app", "owner/name"},

	{"branch", "main", ""},
	{"branch", "release/2.x", ""},
	{"branch", "", "branch's name"},
	{"branch", "a b", "branch's name"},
	{"branch", "feature/*", "branch's name"},
	{"branch", "a..b", "branch's name"},
	{"branch", "/main", "branch's name"},
	{"branch", "main/", "branch's name"},
	{"branch", "a//b", "branch's name"},
	{"branch", "a.lock", "branch's name"},
	{"branch", "a/.b", "branch's name"},
	{"branch", "main.", "branch's name"},
	{"branch", "#{x}", "branch's name"},
	{"branch", strings.Repeat("b", 251), "branch's name"},

	{"connectionArn", "", ""},
	{"connectionArn", testConnection, ""},
	{"connectionArn", "arn:aws-us-gov:codeconnections:us-gov-west-1:123456789012:connection/aEXAMPLE-8aad", ""},
	{"connectionArn", "cicd-dev", "ARN of a connection"},
	{"connectionArn", "arn:aws:codebuild:eu-central-1:123456789012:project/x", "ARN of a connection"},
	{"connectionArn", "arn:aws:codeconnections:eu-central-1:1234:connection/x", "ARN of a connection"},

	{"connectionAuthorized", "true", ""},
	{"connectionAuthorized", "yes", "want true or false"},
	{"approval", "false", ""},
	{"approval", "True", "want true or false"},
	{"manageRepository", "1", "want true or false"},
	{"protect", "", "want true or false"},

	{"watchPaths", `["webapp/**"]`, ""},
	{"watchPaths", `["a","b","c","d","e","f","g","h"]`, ""},
	{"watchPaths", `["a","b","c","d","e","f","g","h","i"]`, "1 to 8"},
	{"watchPaths", `[]`, "1 to 8"},
	{"watchPaths", `webapp/**`, "list of strings"},
	{"watchPaths", `[1]`, "list of strings"},
	{"watchPaths", `{"a":"b"}`, "list of strings"},
	{"watchPaths", `[""]`, "relative to the repository"},
	{"watchPaths", `["/webapp"]`, "relative to the repository"},
	{"watchPaths", `["./webapp"]`, "relative to the repository"},
	{"watchPaths", `[" webapp"]`, "relative to the repository"},
	{"watchPaths", `["` + strings.Repeat("p", 256) + `"]`, "relative to the repository"},
	{"watchPaths", `["a","a"]`, "want it once"},

	{"instanceType", "t4g.small", ""},
	{"instanceType", "u-6tb1.metal", ""},
	{"instanceType", "", "EC2 instance type"},
	{"instanceType", "t3", "EC2 instance type"},
	{"instanceType", "T3.micro", "EC2 instance type"},
	{"instanceType", "t3.micro ", "EC2 instance type"},
	{"instanceType", "small.t3", "EC2 instance type"},
	{"instanceType", "a1.medium", "does not run on this family"},
	{"instanceType", "t3.nano", "half a GiB"},
	{"instanceType", "mac2.metal", "does not run on this family"},

	{"operatorIp", "", ""},
	{"operatorIp", "198.51.100.7", ""},
	{"operatorIp", "198.51.100.7/32", ""},
	{"operatorIp", "198.51.100.0/24", ""},
	{"operatorIp", "me", "IPv4 address or CIDR"},
	{"operatorIp", "198.51.100.7/33", "IPv4 address or CIDR"},
	{"operatorIp", "198.51.100.256", "IPv4 address or CIDR"},
	{"operatorIp", "198.51.100.0/23", "too many"},
	{"operatorIp", "0.0.0.0/0", "too many"},
	{"operatorIp", "198.51.100.7/24", "want 198.51.100.0/24"},
	{"operatorIp", "::/0", "IPv6"},
	{"operatorIp", "2001:db8::7", "IPv6"},
	{"operatorIp", "::ffff:198.51.100.7", "IPv6"},
	{"operatorIp", "fe80::1%eth0", "IPv4 address or CIDR"},
	{"operatorIp", "10.1.2.3", "not a public address"},
	{"operatorIp", "172.16.0.0/24", "not a public address"},
	{"operatorIp", "172.31.255.255", "not a public address"},
	{"operatorIp", "192.168.1.1", "not a public address"},
	{"operatorIp", "100.64.0.1", "not a public address"},
	{"operatorIp", "127.0.0.1", "not a public address"},
	{"operatorIp", "169.254.169.254", "not a public address"},
	{"operatorIp", "224.0.0.1", "not a public address"},
	{"operatorIp", "255.255.255.255", "not a public address"},
	{"operatorIp", "0.0.0.0", "not a public address"},

	{"sshPublicKey", "", ""},
	{"sshPublicKey", testKey, ""},
	{"sshPublicKey", "-----BEGIN OPENSSH PRIVATE KEY-----", "private key"},
	{"sshPublicKey", "ssh-ed25519", "OpenSSH public key"},
	{"sshPublicKey", "ecdsa-sha2-nistp256 AAAA", "OpenSSH public key"},
	{"sshPublicKey", testKey + "\n" + testKey, "OpenSSH public key"},
	{"sshPublicKey", "ssh-ed25519 AAAA", "damaged"},
	{"sshPublicKey", "ssh-ed25519 %%%%", "damaged"},
	{"sshPublicKey", "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKHEChAFsW0a1cJLIMxQX7OFIVTX2tSPJN8CGhxr", "damaged"}, // cut off
	{"sshPublicKey", strings.Replace(testKey, "ssh-ed25519", "ssh-rsa", 1), "damaged"},

	{"containerPort", "1", ""},
	{"containerPort", "65535", ""},
	{"containerPort", "0", "1 to 65535"},
	{"containerPort", "65536", "1 to 65535"},
	{"containerPort", "-1", "1 to 65535"},
	{"containerPort", "ten", "whole number"},
	{"containerPort", "80.5", "whole number"},
	{"containerPort", "080", "whole number"},
	{"containerPort", "", "whole number"},

	{"healthPath", "/", ""},
	{"healthPath", "/api/v1/healthz", ""},
	{"healthPath", "", "starts with /"},
	{"healthPath", "healthz", "starts with /"},
	{"healthPath", "/a b", "starts with /"},
	{"healthPath", "/$(reboot)", "starts with /"},
	{"healthPath", "/a?b=c", "starts with /"},

	{"keepImages", "2", ""},
	{"keepImages", "1", "2 to 1000"},
	{"keepImages", "1001", "2 to 1000"},
	{"keepImages", "many", "whole number"},

	{"logRetentionDays", "365", ""},
	{"logRetentionDays", "0", "1, 3, 5, 7, 14"},
	{"logRetentionDays", "31", "1, 3, 5, 7, 14"},
	{"logRetentionDays", "forever", "whole number"},

	{"agentVersion", "2", ""},
	{"agentVersion", "3", "1 to 2"},

	{"contanerPort", "80", "did you mean containerPort?"},
	{"colour", "red", "no such key (`pulumi config rm"},
	{"OperatorIP", "198.51.100.7", "did you mean operatorIp?"},
	{"aws:profile", "work", "AWS_PROFILE"},
	{"github:owner", "example", "only github:token"},
	{"github:token", "secret", ""},
	{"pulumi:disable-default-providers", `["*"]`, ""},
	{"other:thing", "x", ""},
}

func TestCheckConfig(t *testing.T) {
	for _, tt := range configCases {
		t.Run(tt.key+"="+tt.value, func(t *testing.T) {
			err := CheckConfig("cicd", "dev", with(tt.key, tt.value), nil)
			var bad *ConfigError
			switch {
			case tt.want == "" && err != nil:
				t.Errorf("CheckConfig() = %v, want nil", err)
			case tt.want == "":
			case !errors.As(err, &bad) || len(bad.Violations) != 1:
				t.Errorf("CheckConfig() = %v, want one violation", err)
			case !strings.HasPrefix(bad.Violations[0], tt.key) || !strings.Contains(bad.Violations[0], tt.want):
				t.Errorf("violation %q, want it to begin with %q and to contain %q", bad.Violations[0], tt.key, tt.want)
			}
		})
	}
}

// TestConnectionOfAnotherRegion: where none can be created, one of another region serves.
func TestConnectionOfAnotherRegion(t *testing.T) {
	for _, region := range []string{"af-south-1", "ap-southeast-6", "us-gov-west-1"} {
		err := CheckConfig("cicd", "dev", with("aws:region", region), nil)
		if err == nil || !strings.Contains(err.Error(), "connectionArn ``: is required in "+region+", where no connection can be created: create one in ") {
			t.Errorf("%s without a connection: %v, want one that says where to create it", region, err)
		}
		const arn = "arn:aws:codeconnections:eu-west-1:123456789012:connection/aEXAMPLE-8aad"
		if err := CheckConfig("cicd", "dev", with("aws:region", region, "connectionArn", arn), nil); err != nil {
			t.Errorf("%s with a connection: %v", region, err)
		}
		if err := CheckConfig("cicd", "dev", with("aws:region", region), []string{"cicd:connectionArn"}); err != nil {
			t.Errorf("%s with an encrypted connection: %v", region, err)
		}
	}
}

// TestNoGuessWithoutResemblance: a word that resembles no region is no misspelt one.
func TestNoGuessWithoutResemblance(t *testing.T) {
	if problem := checkRegion("frankfurt"); strings.Contains(problem, "did you mean") {
		t.Errorf("frankfurt: %s, want no guess", problem)
	}
}

// TestCheckConfigReportsEverything sets every key that can be invalid to an invalid value, plus an unknown key, at once.
func TestCheckConfigReportsEverything(t *testing.T) {
	config, wanted := map[string]string{}, map[string]string{}
	for _, tt := range configCases {
		if tt.want != "" {
			key := tt.key
			if !strings.Contains(key, ":") {
				key = "Cicd:" + key
			}
			config[key], wanted[tt.key] = tt.value, tt.want
		}
	}
	err := CheckConfig("Cicd", "dev", config, nil) // the project's name is bad as well
	var bad *ConfigError
	if !errors.As(err, &bad) {
		t.Fatalf("CheckConfig() = %v, want a ConfigError", err)
	}
	if want := len(wanted) + 1; len(bad.Violations) != want {
		t.Errorf("%d violations, want %d:\n%v", len(bad.Violations), want, err)
	}
	for key, want := range wanted {
		if !slices.ContainsFunc(bad.Violations, func(v string) bool { return strings.HasPrefix(v, key) && strings.Contains(v, want) }) {
			t.Errorf("no violation of %s with %q in\n%v", key, want, err)
		}
	}
	for _, entry := range new(settings).table() {
		if _, ok := wanted[entry.key]; !ok {
			t.Errorf("no invalid value of %s is tried", entry.key)
		}
	}
}

// TestEncryptedSettings: an encrypted key counts as set, and an unknown encrypted key is still an error.
func TestEncryptedSettings(t *testing.T) {
	if err := CheckConfig("cicd", "dev", nil, []string{"aws:region", "cicd:repository", "github:token"}); err != nil {
		t.Errorf("CheckConfig() = %v, want nil: what is required is encrypted", err)
	}
	err := CheckConfig("cicd", "dev", with("repository", "example/webapp"), []string{"cicd:operatorIP"})
	if err == nil || !strings.Contains(err.Error(), "operatorIP: no such key: did you mean operatorIp?") {
		t.Errorf("CheckConfig() = %v, want an error about operatorIP", err)
	}
}

// TestConfigErrorKeepsKeysToItself: sooner or later, somebody pastes the wrong file.
func TestConfigErrorKeepsKeysToItself(t *testing.T) {
	err := CheckConfig("cicd", "dev", with("sshPublicKey", "-----BEGIN OPENSSH PRIVATE KEY----- b3BlbnNz"), nil)
	if err == nil || strings.Contains(err.Error(), "b3BlbnNz") {
		t.Errorf("CheckConfig() = %v, want an error without the key", err)
	}
}

func TestSettingsAreNormalized(t *testing.T) {
	s, err := parseSettings("cicd", "dev", with("operatorIp", "198.51.100.7", "watchPaths", `["b/**","a/**"]`), nil)
	if err != nil {
		t.Fatal(err)
	}
	if s.OperatorIP != "198.51.100.7/32" {
		t.Errorf("operatorIp is %s, want the network of the address", s.OperatorIP)
	}
	if want := []string{"a/**", "b/**"}; !slices.Equal(s.WatchPaths, want) {
		t.Errorf("watchPaths are %v, want %v", s.WatchPaths, want)
	}
}

// TestProjectFile keeps Pulumi.yaml and the settings equal: keys, types and defaults.
func TestProjectFile(t *testing.T) {
	var project struct {
		Name   string
		Config map[string]json.RawMessage
	}
	readYAML(t, "../Pulumi.yaml", &project)
	if got := string(project.Config["pulumi:disable-default-providers"]); got != `["*"]` {
		t.Errorf("pulumi:disable-default-providers is %s, want all", got)
	}
	delete(project.Config, "pulumi:disable-default-providers")
	s := defaultSettings()
	for _, entry := range s.table() {
		var declared struct {
			Type        string
			Items       struct{ Type string }
			Default     any
			Description string
		}
		if err := json.Unmarshal(project.Config[entry.key], &declared); err != nil {
			t.Errorf("%s: %v in %q", entry.key, err, project.Config[entry.key])
			continue
		}
		delete(project.Config, entry.key)
		value := reflect.ValueOf(entry.value).Elem()
		wantType := map[reflect.Kind]string{reflect.String: "string", reflect.Bool: "boolean", reflect.Int: "integer", reflect.Slice: "array"}[value.Kind()]
		if declared.Type != wantType || wantType == "array" && declared.Items.Type != "string" {
			t.Errorf("%s is declared as %s of %q, want %s", entry.key, declared.Type, declared.Items.Type, wantType)
		}
		if got, want := fmt.Sprint(declared.Default), fmt.Sprint(value.Interface()); got != want {
			t.Errorf("default of %s is %q, want %q", entry.key, got, want)
		}
		if declared.Description == "" {
			t.Errorf("%s has no description", entry.key)
		}
	}
	for key := range project.Config {
		t.Errorf("%s is declared, but nothing reads it", key)
	}
}

// TestStackFiles: the stack files that come with the project are valid.
func TestStackFiles(t *testing.T) {
	for _, stack := range []string{"dev", "prod"} {
		var file struct{ Config map[string]any }
		readYAML(t, "../Pulumi."+stack+".yaml", &file)
		config := map[string]string{}
		for key, value := range file.Config {
			config[key] = fmt.Sprint(value)
		}
		if err := CheckConfig("cicd", stack, config, nil); err != nil {
			t.Error(err)
		}
	}
}

func readYAML(t *testing.T, path string, into any) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err == nil {
		err = yaml.Unmarshal(text, into)
	}
	if err != nil {
		t.Fatal(err)
	}
}
