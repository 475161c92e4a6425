package infra

import (
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/config"
)

// configCase is a value of one key, and part of the violation that it causes; "" if the value is accepted.
type configCase struct{ key, value, want string }

// configCases are the cases of all keys.
var configCases = slices.Concat(stackCases, applicationCases)

// stackCases are those of the keys that say what the stack is.
var stackCases = []configCase{
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
	{"watchPaths", `["a","b","c","d","e","f","g","h","i"]`, "at most 8"},
	{"watchPaths", `[]`, ""},
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

	{"healthSeconds", "10", ""},
	{"healthSeconds", "1200", ""},
	{"healthSeconds", "9", "10 to 1200"},
	{"healthSeconds", "1201", "10 to 1200"},
	{"healthSeconds", "3m", "whole number"},

	{"stopSeconds", "300", ""},
	{"stopSeconds", "0", "1 to 300"},
	{"stopSeconds", "301", "1 to 300"},
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

// TestMapsAsPulumiKeepsThem: `pulumi config set --path` turns what looks like a number into one.
func TestMapsAsPulumiKeepsThem(t *testing.T) {
	values := map[string]string{"A": "debug", "B": "5432", "C": "true", "D": "007", "E": "1.10", "F": "-1", "G": "null", "H": "", "I": "0"}
	stored := config.Map{}
	for name, value := range values {
		if err := stored.Set(config.MustMakeKey("cicd", "environment."+name), config.NewValue(value), true); err != nil {
			t.Fatal(err)
		}
	}
	text, err := stored[config.MustMakeKey("cicd", "environment")].Value(config.NopDecrypter)
	if err != nil {
		t.Fatal(err)
	}
	s, err := parseSettings("cicd", "dev", with("environment", text), nil)
	if err != nil || !maps.Equal(s.Environment, values) {
		t.Errorf("environment is %v (%v), want %v", s.Environment, err, values)
	}
}

// TestNoGuessWithoutResemblance: a word that resembles no region is no misspelt one.
func TestNoGuessWithoutResemblance(t *testing.T) {
	if problem := checkRegion("frankfurt"); strings.Contains(problem, "did you mean") {
		t.Errorf("frankfurt: %s, want no guess", problem)
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
	for path, want := range map[string][]string{
		"webapp": {"deploy-scripts/**", "webapp/**"}, "apps/shop": {"apps/shop/**", "deploy-scripts/**"}, ".": {"**"},
	} {
		if s, err = parseSettings("cicd", "dev", with("appPath", path), nil); err != nil || !slices.Equal(s.WatchPaths, want) {
			t.Errorf("watchPaths of appPath %s are %v (%v), want %v", path, s.WatchPaths, err, want)
		}
		want = slices.DeleteFunc(want, func(pattern string) bool { return pattern == "deploy-scripts/**" })
		if s, err = parseSettings("cicd", "dev", with("appPath", path, "deployScripts", "stack"), nil); err != nil || !slices.Equal(s.WatchPaths, want) {
			t.Errorf("watchPaths of appPath %s with scripts of the stack are %v (%v), want %v", path, s.WatchPaths, err, want)
		}
	}
}
