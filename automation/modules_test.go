package automation

import (
	"os"
	"testing"

	"golang.org/x/mod/modfile"
)

// TestModulesAgree: what both modules require has one version, so Go compiles it once for bin/cicd and the tools.
func TestModulesAgree(t *testing.T) {
	versions := map[string]string{}
	shared := 0
	for _, path := range []string{"../go.mod", "../tools/go.mod"} {
		raw, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		module, err := modfile.Parse(path, raw, nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range module.Require {
			other, required := versions[r.Mod.Path]
			versions[r.Mod.Path] = r.Mod.Version
			if !required {
				continue
			}
			if shared++; other != r.Mod.Version {
				t.Errorf("%s is %s in go.mod and %s in tools/go.mod: go get the newer one in both", r.Mod.Path, other, r.Mod.Version)
			}
		}
	}
	if shared < 50 {
		t.Errorf("%d modules in both go.mod: too few to be all", shared)
	}
}
