package world

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"sigs.k8s.io/yaml"
)

// githubToken is the setting with the program's token for managing a repository. In a rehearsal its value opens nothing.
const githubToken = "github:token"

// copySettings copies the settings of the project and its stacks into dir, without encrypted values and what they were
// encrypted with: the rehearsal has no key. It returns the names of the stack's settings that it left out.
func copySettings(projectDir, dir, stack string) (encrypted []string, err error) {
	files, err := filepath.Glob(filepath.Join(projectDir, "Pulumi*.yaml"))
	if err != nil {
		return nil, err
	}
	for _, file := range files {
		name := filepath.Base(file)
		content, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		if name != "Pulumi.yaml" {
			var left []string
			if content, left, err = rehearsable(content); err != nil {
				return nil, fmt.Errorf("%s: %w", name, err)
			}
			if name == "Pulumi."+stack+".yaml" {
				encrypted = left
			}
		}
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o600); err != nil {
			return nil, err
		}
	}
	return encrypted, nil
}

// rehearsable returns a stack's settings without encrypted values, and the names of the settings that had any.
func rehearsable(content []byte) (plain []byte, encrypted []string, err error) {
	var settings struct {
		Config map[string]any `json:"config,omitempty"`
	}
	if err := yaml.Unmarshal(content, &settings); err != nil {
		return nil, nil, err
	}
	for _, key := range slices.Sorted(maps.Keys(settings.Config)) {
		value, dropped := withoutEncrypted(settings.Config[key])
		if dropped && key != githubToken {
			encrypted = append(encrypted, key)
		}
		if settings.Config[key] = value; dropped && value == nil {
			delete(settings.Config, key)
		}
	}
	if settings.Config != nil && settings.Config[githubToken] == nil {
		settings.Config[githubToken] = "rehearsal"
	}
	plain, err = yaml.Marshal(settings)
	return plain, encrypted, err
}

// withoutEncrypted returns a value without its encrypted parts, nil if nothing is left, and whether it had any. An
// encrypted value is an object with the one key "secure" (Pulumi reserves these, sdk/go/common/resource/config/object.go).
func withoutEncrypted(value any) (plain any, dropped bool) {
	switch value := value.(type) {
	case map[string]any:
		if _, ok := value["secure"].(string); ok && len(value) == 1 {
			return nil, true
		}
		kept := map[string]any{}
		for key, inner := range value {
			inner, gone := withoutEncrypted(inner)
			if !gone || inner != nil {
				kept[key] = inner
			}
			dropped = dropped || gone
		}
		return kept, dropped
	case []any:
		kept := []any{}
		for _, inner := range value {
			inner, gone := withoutEncrypted(inner)
			if !gone || inner != nil {
				kept = append(kept, inner)
			}
			dropped = dropped || gone
		}
		return kept, dropped
	}
	return value, false
}
