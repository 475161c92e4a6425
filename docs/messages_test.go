package docs

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var (
	// quoted matches a message that troubleshooting.md quotes: in italics, with an ellipsis for what differs each time.
	quoted = regexp.MustCompile(`\*([^*\n]+)\*`)
	// splitString matches where a Go string literal goes on in the next line.
	splitString = regexp.MustCompile(`" \+\n\s*"`)
)

// printedElsewhere has what troubleshooting.md quotes although nothing of this project prints it, and its source.
var printedElsewhere = map[string]string{
	"package ... is not in GOROOT": "go 1.20, src/cmd/go/internal/modload/import.go",
	"View events":                  "a link of the CodeDeploy console",
	"Permission denied":            "strerror(EACCES), which every shell prints",
	"No Branch [...] found for FullRepositoryName [...]": "github.com/aws/copilot-cli/issues/5507",
	"Cannot have more than ... builds in queue":          "github.com/aws/aws-cdk/issues/27335",
}

// TestQuotedMessages: a person who searches troubleshooting.md for what the terminal shows must find it.
func TestQuotedMessages(t *testing.T) {
	sources := sourceTexts(t)
	found := 0
	for _, match := range quoted.FindAllStringSubmatch(read(t, "troubleshooting.md"), -1) {
		quote := match[1]
		if printedElsewhere[quote] != "" {
			continue
		}
		found++
		parts := strings.Split(quote, "...")
		for i := range parts {
			parts[i] = regexp.QuoteMeta(strings.TrimSpace(parts[i]))
		}
		message := regexp.MustCompile(strings.Join(parts, `[^\n]{1,80}?`))
		if !slices.ContainsFunc(sources, message.MatchString) {
			t.Errorf("troubleshooting.md quotes %q, but nothing prints it: quote the message that replaced it", quote)
		}
	}
	if found < 20 {
		t.Errorf("%d quoted messages in troubleshooting.md: does it still write them in italics?", found)
	}
}

// sourceTexts returns the text of each file that can print a message. Split string literals are joined.
func sourceTexts(t *testing.T) []string {
	t.Helper()
	var texts []string
	for _, dir := range []string{"automation", "cmd", "deploy-scripts", "infra", "internal", "operations", "rehearsal"} {
		err := filepath.WalkDir(filepath.Join("..", dir), func(path string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() || strings.HasSuffix(path, "_test.go") {
				return err
			}
			if ext := filepath.Ext(path); ext != ".go" && ext != ".sh" && ext != ".yml" {
				return nil
			}
			text, err := os.ReadFile(path)
			texts = append(texts, splitString.ReplaceAllString(string(text), ""))
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return texts
}
