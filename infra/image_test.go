package infra

import (
	"regexp"
	"testing"
)

// TestVariant: images that differ differ by name, and those of a stack that says nothing are called as ever.
func TestVariant(t *testing.T) {
	images := map[string]Image{
		"argument":         {"webapp", "Dockerfile", "", map[string]string{"A": "1", "B": "2"}, false},
		"other value":      {"webapp", "Dockerfile", "", map[string]string{"A": "1", "B": "3"}, false},
		"arguments merged": {"webapp", "Dockerfile", "", map[string]string{"A": "1B2"}, false},
		"target":           {"webapp", "Dockerfile", "production", nil, false},
		"Dockerfile":       {"webapp", "production", "", nil, false},
		"path":             {"production", "Dockerfile", "", nil, false},
		"no make":          {"webapp", "Dockerfile", "", nil, true},
		"path, no make":    {"production", "Dockerfile", "", nil, true},
	}
	seen := map[string]string{}
	for name, image := range images {
		variant, err := image.variant()
		if err != nil || !regexp.MustCompile(`^[0-9a-f]{8}$`).MatchString(variant) || seen[variant] != "" {
			t.Errorf("variant of %s is %q (%v), as that of %q: want 8 digits of its own", name, variant, err, seen[variant])
		}
		seen[variant] = name
		if again, _ := image.variant(); again != variant {
			t.Errorf("variant of %s is %s, and then %s", name, variant, again)
		}
	}
	// A new field must not rename the images of stacks that do not use it.
	if variant, _ := images["target"].variant(); variant != "7631fed1" {
		t.Errorf("variant with a target is %s, want 7631fed1, as ever", variant)
	}
	s := defaultSettings()
	if variant, err := s.application().Image.variant(); variant != "" || err != nil {
		t.Errorf("variant of the defaults is %q (%v), want none", variant, err)
	}
	s.Environment["A"], s.BuildSecrets["B"] = "1", ""
	if variant, _ := s.application().Image.variant(); variant != "" {
		t.Errorf("variant with a variable and a secret of the build is %q, want none: neither shapes the image", variant)
	}
}
