package infra

import (
	"slices"
	"strings"
	"testing"
)

// TestReadNeeds: what is read is what is declared, and what only the program knows is said to be unknown.
func TestReadNeeds(t *testing.T) {
	config := map[string]string{"aws:region": "eu-central-1", "cicd:repository": "acme/shop", "cicd:instanceType": "t4g.small",
		"cicd:operatorIp": "203.0.113.7", "cicd:deployScripts": scriptsInStack}
	n, err := ReadNeeds("cicd", "dev", config, []string{"cicd:branch"})
	if err != nil {
		t.Fatal(err)
	}
	if n.Repository != "acme/shop" || n.Architecture != ARM64 || n.OperatorIP != "203.0.113.7/32" || n.OwnScripts || n.BuildPlace != "ARM/Small" ||
		!strings.Contains(n.BuildImage, "aarch64") || n.Application.Image.AppPath != "webapp" {
		t.Errorf("needs %+v", n)
	}
	if !n.Encrypted("branch") || n.Encrypted("repository") {
		t.Error("the branch alone is encrypted")
	}
	if _, err := ReadNeeds("cicd", "dev", map[string]string{}, nil); err == nil {
		t.Error("a configuration without region and repository is read")
	}
}

// TestNeedsOfAnAccount: an ARN of another account is one that the stack cannot read.
func TestNeedsOfAnAccount(t *testing.T) {
	config := map[string]string{"aws:region": "eu-central-1", "cicd:repository": "acme/shop",
		"cicd:secrets": `{"TOKEN": "arn:aws:ssm:eu-central-1:123456789012:parameter/shared/token"}`}
	n, err := ReadNeeds("cicd", "dev", config, nil)
	if err != nil {
		t.Fatal(err)
	}
	if wrong := n.CheckAccount("123456789012"); len(wrong) != 0 {
		t.Errorf("its own account: %q", wrong)
	}
	if wrong := n.CheckAccount("210987654321"); !slices.ContainsFunc(wrong, func(s string) bool { return strings.HasPrefix(s, "secrets.TOKEN: ") }) {
		t.Errorf("another account: %q", wrong)
	}
}
