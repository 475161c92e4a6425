package automation

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestReadConfig(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"Pulumi.yaml": "name: web\nruntime: go\nconfig:\n  port: {type: integer, default: 80}\n",
		"Pulumi.dev.yaml": "config:\n  aws:region: eu-central-1\n  web:port: 8080\n  web:approval: true\n  web:paths: [a, b/**]\n" +
			"  web:token:\n    secure: v1:abc:def\n",
		"Pulumi.broken.yaml": "config: [\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := ReadConfig(dir, "organization/dev")
	want := map[string]string{"aws:region": "eu-central-1", "web:port": "8080", "web:approval": "true", "web:paths": `["a","b/**"]`}
	if err != nil || got.Project != "web" || !maps.Equal(got.Values, want) || !slices.Equal(got.Encrypted, []string{"web:token"}) {
		t.Errorf("ReadConfig = %+v, %v, want web, %v and web:token encrypted", got, err, want)
	}
	if keys := got.Keys(); !slices.Equal(keys, []string{"aws:region", "web:approval", "web:paths", "web:port", "web:token"}) {
		t.Errorf("Keys() = %v", keys)
	}
	for stack, want := range map[string]string{"broken": "Pulumi.broken.yaml", "other": `stack "other" does not exist`} {
		if _, err := ReadConfig(dir, stack); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("ReadConfig of %s: %v, want an error with %q", stack, err, want)
		}
	}
}

// TestSetValue: what else is in the file stays as it was.
func TestSetValue(t *testing.T) {
	dir := t.TempDir()
	const before = "# Stack dev.\nconfig:\n  aws:region: eu-central-1\n  # Who may use SSH.\n  web:operatorIp: 203.0.113.7 # the office\n  web:paths: [a, b/**]\n"
	for name, text := range map[string]string{"Pulumi.yaml": "name: web\nruntime: go\n", "Pulumi.dev.yaml": before} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := SetValue(dir, "organization/dev", "web:operatorIp", "198.51.100.4"); err != nil {
		t.Fatal(err)
	}
	got, err := ReadConfig(dir, "dev")
	if err != nil || got.Values["web:operatorIp"] != "198.51.100.4" || got.Values["web:paths"] != `["a","b/**"]` {
		t.Errorf("afterwards %+v, %v", got, err)
	}
	text, err := os.ReadFile(filepath.Join(dir, "Pulumi.dev.yaml"))
	for _, want := range []string{"# Stack dev.", "# Who may use SSH.", "# the office"} {
		if err != nil || !strings.Contains(string(text), want) {
			t.Errorf("%v, %q is missing in\n%s", err, want, text)
		}
	}
	if err := SetValue(dir, "other", "web:operatorIp", "198.51.100.4"); err == nil || !strings.Contains(err.Error(), "does not exist") {
		t.Errorf("a stack that does not exist: %v", err)
	}
}
