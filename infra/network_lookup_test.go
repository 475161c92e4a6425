package infra

import (
	"errors"
	"strings"
	"testing"
)

const otherSubnet = "subnet-00000000000000002"

// TestExistingNetwork: the host goes into the first subnet whose zone offers its type, and the stack makes no network.
func TestExistingNetwork(t *testing.T) {
	rec := &recorder{offering: []string{"eu-central-1c"}, existing: map[string]existingSubnet{
		testSubnet: {testVpc, "eu-central-1a", "rtb-public"}, otherSubnet: {testVpc, "eu-central-1c", "rtb-public"},
	}}
	if err := attempt(rec, "cicd", "dev", with("vpcId", testVpc, "subnetIds", `["`+testSubnet+`","`+otherSubnet+`"]`)); err != nil {
		t.Fatal(err)
	}
	host := rec.one(t, "ec2/instance:Instance").Inputs
	if got := host["subnetId"].StringValue(); got != otherSubnet {
		t.Errorf("the host is in %s, want the subnet whose zone offers its type, %s", got, otherSubnet)
	}
	if got := rec.one(t, "ec2/securityGroup:SecurityGroup").Inputs["vpcId"].StringValue(); got != testVpc {
		t.Errorf("the security group is in %s, want %s", got, testVpc)
	}
}

// TestUnfitNetwork: one clear message for each subnet, before anything is declared.
func TestUnfitNetwork(t *testing.T) {
	one, two := `["`+testSubnet+`"]`, `["`+testSubnet+`","`+otherSubnet+`"]`
	tests := []struct {
		name, subnets string
		offering      []string
		existing      map[string]existingSubnet
		want          []string
	}{
		{"another VPC", one, nil, map[string]existingSubnet{testSubnet: {"vpc-00000002", "eu-central-1a", "rtb-public"}},
			[]string{"subnetIds: " + testSubnet + ": is in vpc-00000002, and vpcId is " + testVpc}},
		{"missing", one, nil, map[string]existingSubnet{}, []string{"subnetIds: " + testSubnet + ": cannot be read: "}},
		{"main table, private", one, nil, map[string]existingSubnet{testSubnet: {testVpc, "eu-central-1a", ""}},
			[]string{"subnetIds: " + testSubnet + ": has no route to the internet, and visitors come from there: want a subnet whose routes (here rtb-main)"}},
		{"another gateway", one, nil, map[string]existingSubnet{testSubnet: {testVpc, "eu-central-1a", "rtb-vpn"}}, []string{"has no route to the internet"}},
		{"type not offered", one, []string{"eu-central-1c", "eu-central-1b"}, map[string]existingSubnet{testSubnet: {testVpc, "eu-central-1a", "rtb-public"}},
			[]string{"subnetIds: none of their zones (eu-central-1a) offers t3.micro, and eu-central-1b, eu-central-1c do"}},
		{"both", two, nil, map[string]existingSubnet{testSubnet: {testVpc, "eu-central-1a", ""}, otherSubnet: {"vpc-00000002", "eu-central-1a", "rtb-public"}},
			[]string{testSubnet + ": has no route", otherSubnet + ": is in vpc-00000002"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			rec := &recorder{offering: tt.offering, existing: tt.existing}
			wantViolations(t, rec, with("vpcId", testVpc, "subnetIds", tt.subnets), tt.want...)
		})
	}
}

// TestAccount: what is in another account can be told only with credentials, and is told all at once.
func TestAccount(t *testing.T) {
	config := with("secrets", `{"A":"`+testParameter+`","B":""}`, "buildSecrets", `{"C":"`+testSecret+`#c"}`,
		"appPolicyArns", `["`+testPolicy+`","arn:aws:iam::aws:policy/AmazonSESFullAccess"]`, "vpcId", testVpc, "subnetIds", `["`+otherSubnet+`"]`)
	wantViolations(t, &recorder{account: "210987654321"}, config,
		"buildSecrets.C: is in account 123456789012, and the stack in 210987654321",
		"secrets.A: is in account 123456789012",
		`appPolicyArns: "`+testPolicy+`": is in account 123456789012`,
		"subnetIds: "+otherSubnet+": cannot be read")
}

// wantViolations runs Program, which must fail with these violations and declare nothing but the provider that it asks.
func wantViolations(t *testing.T, rec *recorder, config map[string]string, want ...string) {
	t.Helper()
	err := attempt(rec, "cicd", "dev", config)
	var bad *ConfigError
	if !errors.As(err, &bad) || bad.Stack != "dev" || len(bad.Violations) != len(want) {
		t.Fatalf("Program() = %v, want a ConfigError with %d violations", err, len(want))
	}
	for i, part := range want {
		if !strings.Contains(bad.Violations[i], part) {
			t.Errorf("violation %q, want %q in it", bad.Violations[i], part)
		}
	}
	for _, r := range rec.seen {
		if !strings.HasPrefix(r.TypeToken, "pulumi:providers:") {
			t.Errorf("%s is declared all the same", r.TypeToken)
		}
	}
}
