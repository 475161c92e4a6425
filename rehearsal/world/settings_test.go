package world

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"cicd/internal/edit"
	"cicd/internal/testproject"

	"sigs.k8s.io/yaml"
)

func TestCopySettings(t *testing.T) {
	tests := []struct {
		name, settings string
		want           string // the remaining settings
		encrypted      []string
	}{
		{"plain", "config:\n  aws:region: eu-central-1\n  cicd:containerPort: 9000\n",
			"config:\n  aws:region: eu-central-1\n  cicd:containerPort: 9000\n  github:token: rehearsal\n", nil},
		{"encrypted token", "encryptionsalt: v1:abc\nsecretsprovider: passphrase\nconfig:\n  github:token:\n    secure: v1:abc\n",
			"config:\n  github:token: rehearsal\n", nil},
		{"token in clear", "config:\n  github:token: mine\n", "config:\n  github:token: mine\n", nil},
		{"encrypted settings", "config:\n  cicd:a:\n    secure: v1:abc\n  cicd:b: [x, {secure: v1:abc}, {k: {secure: v1:abc}, l: m}]\n  cicd:c: {secure: {of: us}}\n",
			"config:\n  cicd:b: [x, {l: m}]\n  cicd:c: {secure: {of: us}}\n  github:token: rehearsal\n", []string{"cicd:a", "cicd:b"}},
		{"none", "", "{}", nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			from, to := t.TempDir(), t.TempDir()
			testproject.Apply(t, from, edit.Write("Pulumi.yaml", "name: cicd\n"), edit.Write("Pulumi.dev.yaml", tt.settings), edit.Write("Pulumi.prod.yaml", "config:\n  cicd:z:\n    secure: v1:abc\n"))
			encrypted, err := copySettings(from, to, "dev")
			if err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(encrypted, tt.encrypted) {
				t.Errorf("encrypted settings %q, want %q", encrypted, tt.encrypted)
			}
			got, err := os.ReadFile(filepath.Join(to, "Pulumi.dev.yaml"))
			if err != nil {
				t.Fatal(err)
			}
			if want := normalized(t, tt.want); normalized(t, string(got)) != want {
				t.Errorf("settings\n%s\nwant\n%s", got, want)
			}
			if prod, err := os.ReadFile(filepath.Join(to, "Pulumi.prod.yaml")); err != nil || strings.Contains(string(prod), "secure") {
				t.Errorf("settings of the other stack %q, %v, want nothing encrypted", prod, err)
			}
		})
	}
}

func normalized(t *testing.T, text string) string {
	t.Helper()
	json, err := yaml.YAMLToJSON([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return string(json)
}
