package infra

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestHost(t *testing.T) {
	tests := []struct {
		name, config, value string
		logical             string
		change              string // JSON of the inputs that differ from the default host's
	}{
		{"default", "protect", "false", "cicd-dev-host-x86_64", ``},
		{"protected", "protect", "true", "cicd-dev-host-x86_64", `"disableApiTermination": true,`},
		{"key", "sshPublicKey", testKey, "cicd-dev-host-x86_64", `"keyName": "cicd-dev-key-1234567",`},
		{"arm", "instanceType", "t4g.small", "cicd-dev-host-arm64",
			`"instanceType": "t4g.small", "ami": "ami-for-/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-arm64",`},
		{"application's policy", "appPolicyArns", `["` + testPolicy + `"]`, "cicd-dev-host-x86_64",
			`"metadataOptions": {"httpEndpoint": "enabled", "httpTokens": "required", "httpPutResponseHopLimit": 2},`},
		{"not EBS-optimized", "instanceType", "t2.micro", "cicd-dev-host-x86_64", `"instanceType": "t2.micro",`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			host := run(t, with(tt.config, tt.value)).named(t, "ec2/instance:Instance", tt.logical)
			delete(host.Inputs, "userData") // has a test of its own
			if ami := host.RegisterRPC.GetObject().GetFields()["ami"]; ami.GetStringValue() == "" {
				t.Errorf("the image is %v: want a text, which previews show, and not a secret", ami)
			}
			// In a JSON object, the later key wins.
			wantInputs(t, host, `{
				"ami": "ami-for-/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64",
				"instanceType": "t3.micro", "disableApiTermination": false,
				"metadataOptions": {"httpEndpoint": "enabled", "httpTokens": "required", "httpPutResponseHopLimit": 1},
				`+tt.change+`
				"subnetId": "cicd-dev-subnet-1-id", "vpcSecurityGroupIds": ["cicd-dev-host-sg-id"],
				"iamInstanceProfile": "cicd-dev-eu-central-1-host",
				"rootBlockDevice": {"volumeType": "gp3", "volumeSize": 20, "encrypted": true},
				"tags": {"Name": "cicd-dev", "DeploymentTarget": "cicd-dev"}
			}`)
			if got, want := host.RegisterRPC.GetIgnoreChanges(), []string{"ami", "userData"}; !slices.Equal(got, want) {
				t.Errorf("ignores changes of %v, want %v", got, want)
			}
			wantDependencies(t, host, "::cicd-dev-host-profile", "::cicd-dev-internet", "::cicd-dev-subnet-1-routes", "::cicd-dev-https-out")
		})
	}
}

func TestHostAddress(t *testing.T) {
	rec := run(t, with())
	wantInputs(t, rec.one(t, "ec2/eip:Eip"), `{"domain": "vpc", "tags": {"Name": "cicd-dev"}}`)
	wantInputs(t, rec.one(t, "ec2/eipAssociation:EipAssociation"), `{"allocationId": "eipalloc-1", "instanceId": "cicd-dev-host-x86_64-id"}`)
	wantDependencies(t, rec.one(t, "ec2/eip:Eip"), "::cicd-dev-internet")
	profile := rec.one(t, "iam/instanceProfile:InstanceProfile")
	wantInputs(t, profile, `{"name": "cicd-dev-eu-central-1-host", "role": "cicd-dev-eu-central-1-host"}`)
	wantDependencies(t, profile, "::cicd-dev-host-policy")
}

func TestUserData(t *testing.T) {
	scope := Scope{Region: "us-gov-west-1"}
	for version, prefix := range map[int]string{1: "latest", 2: "latestv2"} {
		start := fmt.Sprintf("#!/bin/bash\nexport AWS_REGION=us-gov-west-1 AGENT_VERSION=%d "+
			"AGENT_INSTALLER=https://aws-codedeploy-us-gov-west-1.s3.us-gov-west-1.amazonaws.com/%s/install\n#\n", version, prefix)
		if script := userData(scope, version); !strings.HasPrefix(script, start) {
			t.Errorf("user data starts with\n%.200s\nwant\n%s", script, start)
		}
	}
	script := userData(scope, 1)
	if len(script) > 16*1024 {
		t.Errorf("user data has %d bytes, and EC2 takes 16 KiB", len(script))
	}
	check := exec.Command("bash", "-n")
	check.Stdin = strings.NewReader(script)
	if out, err := check.CombinedOutput(); err != nil {
		t.Errorf("bash -n: %v\n%s", err, out)
	}
	// The agent asks for deployments as soon as it runs, and they need Docker.
	if strings.LastIndex(script, "install_docker") > strings.LastIndex(script, "install_agent") {
		t.Error("the agent is not installed last")
	}
}

func TestFirewall(t *testing.T) {
	rec := run(t, with("operatorIp", "198.51.100.7"))
	wantInputs(t, rec.one(t, "ec2/securityGroup:SecurityGroup"), `{
		"vpcId": "cicd-dev-vpc-id", "description": "Hosts of cicd-dev", "tags": {"Name": "cicd-dev-host"}
	}`)
	const ingress = "vpc/securityGroupIngressRule:SecurityGroupIngressRule"
	wantInputs(t, rec.named(t, ingress, "cicd-dev-http"), `{
		"securityGroupId": "cicd-dev-host-sg-id", "description": "HTTP from anywhere", "ipProtocol": "tcp", "fromPort": 80, "toPort": 80, "cidrIpv4": "0.0.0.0/0"
	}`)
	wantInputs(t, rec.named(t, ingress, "cicd-dev-ssh"), `{
		"securityGroupId": "cicd-dev-host-sg-id", "description": "SSH from the operator", "ipProtocol": "tcp", "fromPort": 22, "toPort": 22, "cidrIpv4": "198.51.100.7/32"
	}`)
	wantInputs(t, rec.one(t, "vpc/securityGroupEgressRule:SecurityGroupEgressRule"), `{
		"securityGroupId": "cicd-dev-host-sg-id", "description": "HTTPS to AWS, registries and package mirrors",
		"ipProtocol": "tcp", "fromPort": 443, "toPort": 443, "cidrIpv4": "0.0.0.0/0"
	}`)
	wantInputs(t, rec.one(t, "ec2/defaultSecurityGroup:DefaultSecurityGroup"), `{"vpcId": "cicd-dev-vpc-id", "tags": {"Name": "cicd-dev-unused"}}`)
}

func TestEgressPorts(t *testing.T) {
	rec := run(t, with("egressPorts", `[5432,587]`))
	for port, name := range map[int]string{5432: "cicd-dev-out-5432", 587: "cicd-dev-out-587"} {
		wantInputs(t, rec.named(t, "vpc/securityGroupEgressRule:SecurityGroupEgressRule", name), fmt.Sprintf(`{
			"securityGroupId": "cicd-dev-host-sg-id", "description": "Port %d for the application", "ipProtocol": "tcp",
			"fromPort": %d, "toPort": %d, "cidrIpv4": "0.0.0.0/0"
		}`, port, port, port))
	}
}

// TestAppPolicies: what the application may do is attached to the host's role before the first release.
func TestAppPolicies(t *testing.T) {
	const kind, managed = "iam/rolePolicyAttachment:RolePolicyAttachment", "arn:aws:iam::aws:policy/service-role/uploads"
	rec := run(t, with("appPolicyArns", `["`+testPolicy+`","`+managed+`"]`, "connectionAuthorized", "true"))
	for name, policy := range map[string]string{"cicd-dev-app-123456789012-uploads": testPolicy, "cicd-dev-app-aws-uploads": managed} {
		wantInputs(t, rec.named(t, kind, name), `{"role": "cicd-dev-eu-central-1-host", "policyArn": "`+policy+`"}`)
		wantDependencies(t, rec.one(t, "codepipeline/pipeline:Pipeline"), "::"+name)
	}
}

func TestNetwork(t *testing.T) {
	rec := run(t, with())
	wantInputs(t, rec.one(t, "ec2/vpc:Vpc"), `{
		"cidrBlock": "10.0.0.0/16", "enableDnsSupport": true, "enableDnsHostnames": true, "tags": {"Name": "cicd-dev"}
	}`)
	for i, zone := range []string{"eu-central-1a", "eu-central-1b"} {
		name := []string{"cicd-dev-subnet-1", "cicd-dev-subnet-2"}[i]
		subnet := rec.named(t, "ec2/subnet:Subnet", name)
		wantInputs(t, subnet, `{
			"vpcId": "cicd-dev-vpc-id", "cidrBlock": "`+subnetCIDRs[i]+`", "availabilityZone": "`+zone+`", "mapPublicIpOnLaunch": false,
			"tags": {"Name": "`+name+`"}
		}`)
		if got := subnet.RegisterRPC.GetIgnoreChanges(); !slices.Equal(got, []string{"availabilityZone"}) {
			t.Errorf("%s ignores changes of %v, want availabilityZone", name, got)
		}
		wantInputs(t, rec.named(t, "ec2/routeTableAssociation:RouteTableAssociation", name+"-routes"),
			`{"subnetId": "`+name+`-id", "routeTableId": "cicd-dev-routes-id"}`)
	}
	wantInputs(t, rec.one(t, "ec2/route:Route"), `{
		"routeTableId": "cicd-dev-routes-id", "destinationCidrBlock": "0.0.0.0/0", "gatewayId": "cicd-dev-gateway-id"
	}`)
}

// TestZones: the host needs a zone that offers its type.
func TestZones(t *testing.T) {
	rec := &recorder{offering: []string{"eu-central-1c", "eu-central-1b"}}
	if err := attempt(rec, "cicd", "dev", with()); err != nil {
		t.Fatal(err)
	}
	if got := rec.named(t, "ec2/subnet:Subnet", "cicd-dev-subnet-1").Inputs["availabilityZone"].StringValue(); got != "eu-central-1b" {
		t.Errorf("the host's zone is %s, want the first that offers the type", got)
	}
	err := attempt(&recorder{offering: []string{"eu-central-1b"}}, "cicd", "dev", with())
	if err == nil || !strings.Contains(err.Error(), "1 availability zones of eu-central-1 offer t3.micro, but 2 are needed") {
		t.Errorf("Program() = %v, want an error about the zones", err)
	}
}

// TestZoneOfHost: a host stays in its zone, which need not offer another instance type.
func TestZoneOfHost(t *testing.T) {
	offering := []string{"eu-central-1c", "eu-central-1b"}
	if err := attempt(&recorder{offering: offering, zone: "eu-central-1c"}, "cicd", "dev", with()); err != nil {
		t.Error(err)
	}
	rec := &recorder{offering: offering, zone: "eu-central-1a"}
	err := attempt(rec, "cicd", "dev", with())
	if err == nil || !strings.Contains(err.Error(), "eu-central-1a, where the host is, does not offer t3.micro, and eu-central-1b, eu-central-1c do") {
		t.Errorf("Program() = %v, want an error about the host's zone", err)
	}
	for _, r := range rec.seen {
		if r.TypeToken == "aws:ec2/instance:Instance" {
			t.Error("the host is changed")
		}
	}
}

func TestDeployment(t *testing.T) {
	rec := run(t, with())
	wantInputs(t, rec.one(t, "codedeploy/application:Application"), `{"name": "cicd-dev", "computePlatform": "Server"}`)
	group := rec.one(t, "codedeploy/deploymentGroup:DeploymentGroup")
	wantInputs(t, group, `{
		"appName": "cicd-dev", "deploymentGroupName": "hosts", "serviceRoleArn": "arn:of:cicd-dev-deploy-role",
		"deploymentConfigName": "CodeDeployDefault.OneAtATime",
		"deploymentStyle": {"deploymentType": "IN_PLACE", "deploymentOption": "WITHOUT_TRAFFIC_CONTROL"},
		"ec2TagSets": [{"ec2TagFilters": [{"type": "KEY_AND_VALUE", "key": "DeploymentTarget", "value": "cicd-dev"}]}],
		"autoRollbackConfiguration": {"enabled": true, "events": ["DEPLOYMENT_FAILURE"]}
	}`)
	wantDependencies(t, group, "::cicd-dev-deploy-policy")
}

// The script runs with stubs of the commands that it calls, once with each agent.
func TestUserDataInstallsAgent(t *testing.T) {
	for version, wantRuby := range map[int]bool{1: true, 2: false} {
		t.Run(fmt.Sprint(version), func(t *testing.T) {
			dir := t.TempDir()
			config := filepath.Join(dir, "codedeployagent.yml")
			if err := os.WriteFile(config, []byte("---\n:verbose: false\nwait_between_runs: 30\n:disable_imds_v1: false\n"), 0o644); err != nil {
				t.Fatal(err)
			}
			script := userData(Scope{Region: "eu-central-1"}, version)
			script = strings.NewReplacer("/etc/codedeploy-agent/conf/codedeployagent.yml", config, "/root/", dir+"/", "/etc/docker", dir+"/docker").Replace(script)
			stub := "#!/bin/bash\necho \"${0##*/} $*\" >>" + dir + "/calls\n" + // curl's --output is an installer
				"for ((i = 1; i < $#; i++)); do if [[ \"${!i}\" == --output ]]; then j=$((i + 1)); cp \"$0\" \"${!j}\"; fi; done\n"
			for _, name := range []string{"dnf", "curl", "systemctl"} {
				if err := os.WriteFile(filepath.Join(dir, name), []byte(stub), 0o755); err != nil {
					t.Fatal(err)
				}
			}
			command := exec.Command("bash", "-s")
			command.Stdin = strings.NewReader(script)
			command.Env = []string{"PATH=" + dir + ":" + os.Getenv("PATH")}
			if out, err := command.CombinedOutput(); err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			calls, err := os.ReadFile(filepath.Join(dir, "calls"))
			if err != nil {
				t.Fatal(err)
			}
			if got := strings.Contains(string(calls), "ruby3.2"); got != wantRuby {
				t.Errorf("Ruby installed: %v, want %v", got, wantRuby)
			}
			if !strings.Contains(string(calls), "\ninstall-codedeploy-agent auto\n") {
				t.Errorf("calls = %s, want the installer itself with auto", calls)
			}
			settings, err := os.ReadFile(config)
			if err != nil {
				t.Fatal(err)
			}
			if want := "---\n:verbose: false\n:disable_imds_v1: true\n:wait_between_runs: 1\n"; string(settings) != want {
				t.Errorf("the agent's settings are\n%swant\n%s", settings, want)
			}
		})
	}
}
