package infra

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// TestKeysTogether: what is wrong only in view of another key.
func TestKeysTogether(t *testing.T) {
	many := func(n int, value string) string {
		fields := make([]string, n)
		for i := range fields {
			fields[i] = fmt.Sprintf(`"V%d":%q`, i, value)
		}
		return "{" + strings.Join(fields, ",") + "}"
	}
	parameters := func(n int) string {
		fields := make([]string, n)
		for i := range fields {
			fields[i] = fmt.Sprintf(`"V%d":"%s%d"`, i, testParameter, i)
		}
		return "{" + strings.Join(fields, ",") + "}"
	}
	tests := []struct {
		name   string
		config map[string]string
		want   []string
	}{
		{"network", with("vpcId", testVpc, "subnetIds", `["`+testSubnet+`"]`), nil},
		{"subnets alone", with("subnetIds", `["`+testSubnet+`"]`), []string{"vpcId: want it together with subnetIds"}},
		{"subnet twice", with("vpcId", testVpc, "subnetIds", `["`+testSubnet+`","`+testSubnet+`"]`), []string{`"` + testSubnet + `": want it once`}},
		{"plain and secret", with("environment", `{"A":"x","B":"y"}`, "secrets", `{"B":"","A":""}`),
			[]string{"secrets.A: is in environment too", "secrets.B: is in environment too"}},
		{"several fields", with("environment", `{"PORT":"x","A-B":"y"}`), []string{"environment.A-B: ", "environment.PORT: "}},
		{"100 variables", with("environment", many(100, strings.Repeat("v", 4096))), nil},
		{"100 own secrets", with("secrets", many(100, "")), nil},
		{"100 fields of one secret", with("secrets", many(100, testSecret+"#password")), nil},
		{"101 variables", with("environment", many(60, "x"), "secrets", strings.ReplaceAll(many(41, ""), "V", "S")),
			[]string{"environment: has 101 variables, with secrets: want at most 100"}},
		{"101 arguments", with("buildArgs", many(101, "x")), []string{"buildArgs: has 101: want at most 100"}},
		{"40 parameters of others", with("secrets", parameters(40), "buildSecrets", parameters(40)), nil},
		{"60 parameters of others", with("secrets", parameters(60), "buildSecrets", parameters(60)),
			[]string{"secrets: the ARNs take 7780 characters in a role's policy, which has room for 7000", "buildSecrets: the ARNs take 7"}},
		{"100 own build secrets", with("buildSecrets", many(100, "")), []string{"buildSecrets: the ARNs take "}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var got []string
			var bad *ConfigError
			if err := CheckConfig("cicd", "dev", tt.config, nil); errors.As(err, &bad) {
				got = bad.Violations
			}
			if len(got) != len(tt.want) {
				t.Fatalf("violations %q, want %q", got, tt.want)
			}
			for i, want := range tt.want {
				if !strings.Contains(got[i], want) {
					t.Errorf("violation %q, want %q in it", got[i], want)
				}
			}
		})
	}
}

// TestReservedParameters: Parameter Store would refuse the names of this stack's own parameters.
func TestReservedParameters(t *testing.T) {
	config := map[string]string{"aws:region": "eu-central-1", "ssmx:repository": "example/webapp", "ssmx:secrets": `{"A":""}`}
	if err := CheckConfig("ssmx", "dev", config, nil); err == nil || !strings.Contains(err.Error(), "Parameter Store reserves names that begin with aws or ssm") {
		t.Errorf("CheckConfig() = %v, want an error about the project's name", err)
	}
	config["ssmx:secrets"] = `{"A":"` + testParameter + `"}`
	if err := CheckConfig("ssmx", "dev", config, nil); err != nil {
		t.Error(err)
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

// TestCheckConfigReportsEverything sets every key that can be invalid to an invalid value, plus an unknown key, at
// once.
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
