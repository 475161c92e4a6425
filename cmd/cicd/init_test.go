package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"cicd/automation"
	"cicd/infra"
)

// initialize runs `cicd init` in a project without stacks.
func initialize(t *testing.T, stdin string, args ...string) (dir string, code int, said string) {
	t.Helper()
	dir = t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "Pulumi.yaml"), []byte("name: cicd\nruntime: go\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	t.Chdir(dir)
	var out bytes.Buffer
	c := cli{program: always(good), check: infra.CheckConfig, stdin: strings.NewReader(stdin), interactive: stdin != "", stdout: &out, stderr: &out}
	code = c.run(t.Context(), append([]string{"init"}, args...))
	return dir, code, out.String()
}

// TestInit: what is written is what was answered, and valid.
func TestInit(t *testing.T) {
	tests := []struct {
		name, stdin, args string
		want              map[string]string
		said              []string
	}{
		{"defaults", "\nacme/shop\n\n\n\n\n", "dev", map[string]string{"aws:region": "eu-central-1", "cicd:repository": "acme/shop", "cicd:branch": "main",
			"cicd:appPath": "webapp", "cicd:instanceType": "t3.micro", "cicd:connectionAuthorized": "false"}, []string{"AWS region [eu-central-1]: ", "cicd up --stack dev"}},
		{"asked again", "eu-centrl-1\neu-west-1\nshop\nacme/shop\n\n.\nt3.nano\nt4g.small\n10.0.0.1\n203.0.113.7\n", "dev",
			map[string]string{"aws:region": "eu-west-1", "cicd:appPath": ".", "cicd:instanceType": "t4g.small", "cicd:operatorIp": "203.0.113.7"},
			[]string{"did you mean eu-central-1?", "as owner/name", "t3.nano", "10.0.0.1"}},
		{"flags", "", "prod --production --repository acme/shop --operator-ip 203.0.113.0/24", map[string]string{"cicd:branch": "release", "cicd:instanceType": "t3.small",
			"cicd:approval": "true", "cicd:protect": "true", "cicd:operatorIp": "203.0.113.0/24"}, nil},
		{"flags and questions", "\n\n\n\n\n", "dev --repository acme/shop", map[string]string{"cicd:repository": "acme/shop"}, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			args := strings.Fields(tt.args)
			dir, code, said := initialize(t, tt.stdin, args...)
			if code != exitOK {
				t.Fatalf("exit code %d: %s", code, said)
			}
			config, err := automation.ReadConfig(dir, args[0])
			if err != nil {
				t.Fatal(err)
			}
			if err := infra.CheckConfig("cicd", args[0], config.Values, nil); err != nil {
				t.Error(err)
			}
			for key, want := range tt.want {
				if config.Values[key] != want {
					t.Errorf("%s is %q, want %q", key, config.Values[key], want)
				}
			}
			for _, want := range tt.said {
				if !strings.Contains(said, want) {
					t.Errorf("it does not say %q:\n%s", want, said)
				}
			}
		})
	}
}

// TestInitRefuses: nothing is written then.
func TestInitRefuses(t *testing.T) {
	tests := []struct {
		name, stdin, args string
		code              int
		said              []string
	}{
		{"all that is wrong", "", "dev --region mars-1 --instance-type t3.nano", exitUsage, []string{"--region: ", "mars-1", "--repository: ", "--instance-type: "}},
		{"a wrong flag, before any question", "\n\n\n\n\n", "dev --repository shop", exitUsage, []string{"--repository: "}},
		{"input ends", "\n", "dev", exitFailure, []string{"nothing is written"}},
		{"a bad name", "", "Prod! --repository acme/shop", exitUsage, []string{"stack name"}},
		{"no name", "", "", exitUsage, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dir, code, said := initialize(t, tt.stdin, strings.Fields(tt.args)...)
			if files, _ := filepath.Glob(filepath.Join(dir, "Pulumi.*.yaml")); code != tt.code || len(files) > 0 {
				t.Errorf("exit code %d, want %d; wrote %q:\n%s", code, tt.code, files, said)
			}
			for _, want := range tt.said {
				if strings.Count(said, want) != 1 {
					t.Errorf("it does not say %q once:\n%s", want, said)
				}
			}
		})
	}
	dir, code, _ := initialize(t, "", "dev", "--repository", "acme/shop")
	before, err := os.ReadFile(filepath.Join(dir, "Pulumi.dev.yaml"))
	if code != exitOK || err != nil {
		t.Fatalf("exit code %d, %v", code, err)
	}
	var out bytes.Buffer
	c := cli{program: always(good), check: infra.CheckConfig, stdin: strings.NewReader(""), stdout: &out, stderr: &out}
	if code := c.run(t.Context(), []string{"init", "dev", "--repository", "acme/other"}); code != exitFailure || !strings.Contains(out.String(), "has settings already") {
		t.Errorf("exit code %d: %s", code, &out)
	}
	if after, _ := os.ReadFile(filepath.Join(dir, "Pulumi.dev.yaml")); !bytes.Equal(before, after) {
		t.Error("the settings of an existing stack have changed")
	}
}
