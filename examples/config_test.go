package examples

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
)

// TestConfig: an application needs at most 15 lines of configuration, whose keys its README explains and the table counts.
func TestConfig(t *testing.T) {
	files, err := filepath.Glob("*/Pulumi.dev.yaml")
	if err != nil || len(files) != 4 {
		t.Fatalf("%d examples, %v", len(files), err)
	}
	for _, file := range files {
		settings := read(t, file)
		if lines := strings.Count(settings, "\n"); lines > 15 {
			t.Errorf("%s has %d lines", file, lines)
		}
		row := fmt.Sprintf("%[1]s](%[1]s/README.md)", filepath.Dir(file))
		if _, rest, _ := strings.Cut(read(t, "README.md"), row); !strings.HasSuffix(strings.SplitN(rest, "\n", 2)[0], fmt.Sprintf("| %d |", strings.Count(settings, "\n  cicd:"))) {
			t.Errorf("README.md miscounts the keys of %s", filepath.Dir(file))
		}
		readme := read(t, filepath.Join(filepath.Dir(file), "README.md"))
		for line := range strings.Lines(settings) {
			if key, _, _ := strings.Cut(strings.TrimPrefix(strings.TrimSpace(line), "cicd:"), ":"); strings.HasPrefix(line, "  cicd:") && !strings.Contains(readme, "`"+key+"`") {
				t.Errorf("%s does not explain %s", filepath.Dir(file)+"/README.md", key)
			}
		}
	}
}
