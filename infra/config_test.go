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

	{"appPath", ".", ""},
	{"appPath", "apps/shop-2", ""},
	{"appPath", "", "folder of the application"},
	{"appPath", "/webapp", "folder of the application"},
	{"appPath", "webapp/", "folder of the application"},
	{"appPath", "./webapp", "folder of the application"},
	{"appPath", "apps/../webapp", "folder of the application"},
	{"appPath", "apps//shop", "folder of the application"},
	{"appPath", "-o", "folder of the application"},
	{"appPath", "my app", "folder of the application"},
	{"appPath", "apps/*", "folder of the application"},
	{"appPath", strings.Repeat("p", 253), "folder of the application"},

	{"deployScripts", "stack", ""},
	{"deployScripts", "", "want repository, or stack"},
	{"deployScripts", "Stack", "want repository, or stack"},

	{"dockerfile", "docker/Dockerfile.prod", ""},
	{"dockerfile", "", "path of a Dockerfile"},
	{"dockerfile", ".", "path of a Dockerfile"},
	{"dockerfile", "/Dockerfile", "path of a Dockerfile"},
	{"dockerfile", "../Dockerfile", "path of a Dockerfile"},

	{"buildTarget", "", ""},
	{"buildTarget", "Production-2", ""},
	{"buildTarget", "0", ""},
	{"buildTarget", "-x", "name of a stage"},
	{"buildTarget", "a b", "name of a stage"},

	{"buildArgs", `{}`, ""},
	{"buildArgs", `{"PORT":"80","VERSION":"1 2\n'\"\\"}`, ""},
	{"buildArgs", `{"A-B":"x"}`, "buildArgs.A-B: want a name"},
	{"buildArgs", `{"A":["x"]}`, "want a text for A: in quotes"},
	{"buildArgs", `{"A":"` + strings.Repeat("v", 4097) + `"}`, "has 4097 bytes"},

	{"environment", `{"LOG_LEVEL":"debug","_x1":"","WORKERS":4,"DEBUG":true,"OFFSET":-1}`, ""},
	{"environment", `{"LINES":"a\nb\r\n","QUOTES":"'\"\\ é"}`, ""},
	{"environment", `{"PORTS":"1","RELEASE":"x"}`, ""},
	{"environment", `{"A":"` + strings.Repeat("v", 4096) + `"}`, ""},
	{"environment", `{"A":"` + strings.Repeat("v", 4097) + `"}`, "environment.A: has 4097 bytes: want at most 4096"},
	{"environment", `{"A":"` + strings.Repeat("é", 2049) + `"}`, "environment.A: has 4098 bytes"},
	{"environment", `{"A":"x\u0000y"}`, "environment.A: has bytes that are no text"},
	{"environment", "{\"A\":\"\xff\"}", "environment.A: has bytes that are no text"},
	{"environment", `{"":"x"}`, "environment.: want a name"},
	{"environment", `{"1A":"x"}`, "environment.1A: want a name"},
	{"environment", `{"A B":"x"}`, "environment.A B: want a name"},
	{"environment", `{"A=B":"x"}`, "environment.A=B: want a name"},
	{"environment", `{"` + strings.Repeat("A", 101) + `":"x"}`, "want a name"},
	{"environment", `{"PORT":"80"}`, "environment.PORT: each release sets PORT and RELEASE_* itself"},
	{"environment", `{"RELEASE_COMMIT":"x"}`, "environment.RELEASE_COMMIT: each release sets"},
	{"environment", `{"A":1.5,"B":null,"C":{"D":"e"},"F":[]}`, "want a text for A, B, C, F: in quotes"},
	{"environment", `LOG_LEVEL=debug`, "`pulumi config set --path 'environment.NAME' VALUE`"},
	{"environment", `["a"]`, "want names and their values"},
	{"environment", `null`, "want names and their values"},

	{"secrets", `{"DATABASE_URL":""}`, ""},
	{"secrets", `{"A":"` + testParameter + `","B":"` + testSecret + `","C":"` + testSecret + `#password"}`, ""},
	{"secrets", `{"A":"postgres://user:hunter2@db/shop"}`, "secrets.A: want \"\" for this stack's own parameter, which `cicd secrets set A` writes"},
	{"secrets", `{"A":"/shared/token"}`, "secrets.A: want \"\""},
	{"secrets", `{"A":"arn:aws:s3:::bucket/key"}`, "secrets.A: want \"\""},
	{"secrets", `{"A":"arn:aws:ssm"}`, "secrets.A: want \"\""},
	{"secrets", `{"A":"` + testParameter + `#key"}`, "secrets.A: has a #key, which only"},
	{"secrets", `{"A":"` + testParameter + `:3"}`, "secrets.A: want the ARN of a parameter, without a version"},
	{"secrets", `{"A":"arn:aws:ssm:eu-central-1:123456789012:document/x"}`, "secrets.A: want the ARN of a parameter"},
	{"secrets", `{"A":"arn:aws:secretsmanager:eu-central-1:123456789012:secret:db"}`, "secrets.A: want the whole ARN of a secret"},
	{"secrets", `{"A":"` + testSecret + `:password::"}`, "secrets.A: want the whole ARN of a secret"},
	{"secrets", `{"A":"` + testSecret + `#"}`, "secrets.A: want a #key"},
	{"secrets", `{"A":"` + testSecret + `#a:b"}`, "secrets.A: want a #key"},
	{"secrets", `{"A":"arn:aws:ssm:eu-west-1:123456789012:parameter/x"}`, "secrets.A: is in region eu-west-1 (aws), and the stack in eu-central-1"},
	{"secrets", `{"A":"arn:aws-us-gov:ssm:eu-central-1:123456789012:parameter/x"}`, "secrets.A: is in region eu-central-1 (aws-us-gov)"},
	{"secrets", `{"A":"arn:aws:ssm:eu-central-1:1234:parameter/x"}`, "12 digits of an account"},
	{"secrets", `{"RELEASE_KEY":""}`, "secrets.RELEASE_KEY: each release sets"},
	{"secrets", `{"PATH":""}`, "secrets.PATH: the shell or Docker on the host"},
	{"secrets", `{"DOCKER_CONFIG":""}`, "secrets.DOCKER_CONFIG: the shell or Docker on the host"},
	{"secrets", `{"PATHS":"","BUCKET":""}`, ""},
	{"secrets", `{"a-b":""}`, "secrets.a-b: want a name"},
	{"secrets", `{"A":null}`, "want a text for A"},

	{"buildSecrets", `{"npm":"","NPM_TOKEN":"` + testSecret + `#npm"}`, ""},
	{"buildSecrets", `{"PATH":""}`, "buildSecrets.PATH: the shell or Docker on the host"},
	{"buildSecrets", `{"npm-token":""}`, "buildSecrets.npm-token: want a name"},
	{"buildSecrets", `{"A":"npm_hunter2"}`, "buildSecrets.A: want \"\""},

	{"releaseCommand", "", ""},
	{"releaseCommand", "bin/rails db:migrate", ""},
	{"releaseCommand", `sh -c 'a && b | c; echo "$X"'`, ""},
	{"releaseCommand", `echo a\;b \$c "d|e"`, ""},
	{"releaseCommand", "a | b", "has '|', and no shell runs it"},
	{"releaseCommand", "a && b", "has '&', and no shell runs it"},
	{"releaseCommand", "a; b", "has ';', and no shell runs it"},
	{"releaseCommand", "a > b", "has '>', and no shell runs it"},
	{"releaseCommand", "a < b", "has '<', and no shell runs it"},
	{"releaseCommand", "a $B", "has '$', and no shell runs it"},
	{"releaseCommand", `a "$B"`, "has '$', and no shell runs it"},
	{"releaseCommand", "a `b`", "has '`', and no shell runs it"},
	{"releaseCommand", `a "` + "`b`" + `"`, "has '`', and no shell runs it"},
	{"releaseCommand", "(a)", "has '(', and no shell runs it"},
	{"releaseCommand", "a\nb", `has '\n', and no shell runs it`},
	{"releaseCommand", "a 'b", "quote that is not closed"},
	{"releaseCommand", `a "b`, "quote that is not closed"},
	{"releaseCommand", `a \`, "ends in a backslash"},
	{"releaseCommand", "  ", "want a command"},
	{"releaseCommand", "'' a", "want a command"},
	{"releaseCommand", "a " + strings.Repeat("b", 4095), "has 4097 bytes"},
	{"releaseCommand", "a \x00", "no text"},

	{"processes", `{"worker":"bin/worker","mail-2":"bin/mail"}`, ""},
	{"processes", `{"Worker":"x"}`, "processes.Worker: want a name of at most 30 lower-case letters"},
	{"processes", `{"a_b":"x"}`, "processes.a_b: want a name"},
	{"processes", `{"-a":"x"}`, "processes.-a: want a name"},
	{"processes", `{"12":"x"}`, "processes.12: want a name"},
	{"processes", `{"a-":"x"}`, "processes.a-: want a name"},
	{"processes", `{"` + strings.Repeat("w", 31) + `":"x"}`, "want a name"},
	{"processes", `{"web":"x"}`, "processes.web: the name has a meaning of its own"},
	{"processes", `{"release-command":"x"}`, "processes.release-command: the name has a meaning"},
	{"processes", `{"edge":"x"}`, "processes.edge: the name has a meaning"},
	{"processes", `{"retired":"x"}`, "processes.retired: the name has a meaning"},
	{"processes", `{"next":"x"}`, "processes.next: the name has a meaning"},
	{"processes", `{"worker":""}`, "processes.worker: want a command"},
	{"processes", `{"worker":"a | b"}`, "processes.worker: has '|'"},
	{"processes", `{"a":"x","b":"x","c":"x","d":"x","e":"x","f":"x","g":"x","h":"x","i":"x","j":"x","k":"x"}`, "has 11: want at most 10"},

	{"volumes", `{}`, ""},
	{"volumes", `{"uploads":"/app/uploads","db-2":"/var/lib/My_app.d/x+y@z"}`, ""},
	{"volumes", `{"a":"/data","b":"/data2"}`, ""},
	{"volumes", `{"Uploads":"/a"}`, "volumes.Uploads: want a name of at most 30 lower-case letters"},
	{"volumes", `{"a/b":"/a"}`, "volumes.a/b: want a name"},
	{"volumes", `{"a":"data"}`, "volumes.a: \"data\": want an absolute path"},
	{"volumes", `{"a":""}`, "volumes.a: \"\": want an absolute path"},
	{"volumes", `{"a":"/"}`, "volumes.a: is the container's root"},
	{"volumes", `{"a":"/data/"}`, "want an absolute path"},
	{"volumes", `{"a":"/a/../b"}`, "without .."},
	{"volumes", `{"a":"/a//b"}`, "want an absolute path"},
	{"volumes", `{"a":"/a/./b"}`, "want an absolute path"},
	{"volumes", `{"a":"/a,readonly"}`, "want an absolute path"},
	{"volumes", `{"a":"/a:ro"}`, "want an absolute path"},
	{"volumes", `{"a":"/a\"b"}`, "want an absolute path"},
	{"volumes", `{"a":"/a b"}`, "want an absolute path"},
	{"volumes", `{"a":"/proc/x"}`, "is the kernel's"},
	{"volumes", `{"a":"/sys"}`, "is the kernel's"},
	{"volumes", `{"a":"/data","b":"/data"}`, "volumes.b: has the path of volumes.a, /data: want one of them"},
	{"volumes", `{"a":"/data/cache","b":"/data"}`, "volumes.a: /data/cache is inside /data, the path of volumes.b"},
	{"volumes", `{"a":"/1","b":"/2","c":"/3","d":"/4","e":"/5","f":"/6","g":"/7","h":"/8","i":"/9","j":"/10","k":"/11"}`, "has 11: want at most 10"},
	{"volumes", `["/data"]`, "want names and their values"},
	{"volumeGiB", "1", ""},
	{"volumeGiB", "16384", ""},
	{"volumeGiB", "0", "want"},
	{"volumeGiB", "16385", "want"},
	{"volumeGiB", "ten", "want a whole number"},

	{"appPolicyArns", `["` + testPolicy + `","arn:aws:iam::aws:policy/service-role/AmazonX"]`, ""},
	{"appPolicyArns", `["uploads"]`, "want the ARN of a managed policy"},
	{"appPolicyArns", `["arn:aws:iam::123456789012:role/x"]`, "want the ARN of a managed policy"},
	{"appPolicyArns", `["arn:aws:iam::1234:policy/x"]`, "want the ARN of a managed policy"},
	{"appPolicyArns", `["arn:aws-us-gov:iam::aws:policy/x"]`, "is of partition aws-us-gov, and the stack of aws"},
	{"appPolicyArns", `["` + testPolicy + `","` + testPolicy + `"]`, "want it once"},
	{"appPolicyArns", `["1","2","3","4","5","6","7","8","9","10","11"]`, "at most 10"},
	{"appPolicyArns", `{"a":"b"}`, "`pulumi config set --path 'appPolicyArns[0]' VALUE`"},

	{"egressPorts", `[5432,1,65535]`, ""},
	{"egressPorts", `["5432"]`, ""},
	{"egressPorts", `[0]`, "port 0: want 1 to 65535"},
	{"egressPorts", `[65536]`, "port 65536: want 1 to 65535"},
	{"egressPorts", `[443]`, "443 is open anyway"},
	{"egressPorts", `[587,5432,587]`, "port 587: want it once"},
	{"egressPorts", `[5432.5]`, "list of whole numbers"},
	{"egressPorts", `["smtp"]`, "list of whole numbers"},
	{"egressPorts", `5432`, "list of whole numbers"},
	{"egressPorts", "[" + strings.Repeat("1,", 59) + "1]", "at most 59"},

	// checkDomain's cases are in dns_test.go.
	{"domain", "shop.example.com", ""},
	{"domain", "198.51.100.7", "is an address"},
	{"hostedZoneId", testZone, "want it together with domain"},
	{"hostedZoneId", "example.com", "want the ID of a hosted zone"},

	{"vpcId", testVpc, "want it together with subnetIds"},
	{"vpcId", "vpc-1a2b3c4d", "want it together with subnetIds"},
	{"vpcId", "vpc-1a2b3c4", "want the ID of an existing VPC"},
	{"vpcId", "subnet-1a2b3c4d", "want the ID of an existing VPC"},
	{"subnetIds", `["subnet-x"]`, "want the ID of a subnet"},
	{"subnetIds", `[1]`, "list of strings"},

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
