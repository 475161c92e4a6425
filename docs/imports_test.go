package docs

import (
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestImports checks the list "Who may know whom" in architecture.md against the imports of every package, excluding tests.
func TestImports(t *testing.T) {
	rules := importRules(t)
	out, err := exec.Command("go", "list", "-f", `{{.ImportPath}}:{{range .Imports}} {{.}}{{end}}`, "cicd/...").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	for line := range strings.Lines(string(out)) {
		path, imports, _ := strings.Cut(strings.TrimSpace(line), ":")
		if exempt.MatchString(path) {
			continue
		}
		name := strings.TrimPrefix(strings.TrimPrefix(path, "cicd/"), "rehearsal/")
		if path == "cicd" {
			name = "main.go"
		}
		i := slices.IndexFunc(rules, func(r importRule) bool { return slices.ContainsFunc(r.from, covers(name)) })
		if i < 0 {
			t.Errorf("architecture.md does not say what %s may import", path)
			continue
		}
		for _, imported := range strings.Fields(imports) {
			inside, ours := strings.CutPrefix(imported, "cicd/")
			if !ours {
				continue
			}
			short := strings.TrimPrefix(inside, "rehearsal/")
			if !slices.ContainsFunc(rules[i].to, func(p string) bool { return covers(short)(p) || covers(inside)(p) }) {
				t.Errorf("%s imports %s, which architecture.md does not allow it", path, imported)
			}
		}
	}
}

// exempt are packages that only tests use, and programs that stand in for applications.
var exempt = regexp.MustCompile(`^cicd/(docs|examples|internal/testproject|rehearsal/rehearsaltest|.*test$|.*/(testdata|drillapp|hello)(/.*)?)$`)

// importRule says what packages may import.
type importRule struct{ from, to []string }

// covers reports whether a pattern, such as aws/..., matches a package.
func covers(name string) func(pattern string) bool {
	return func(pattern string) bool {
		folder, all := strings.CutSuffix(pattern, "/...")
		return name == folder || all && strings.HasPrefix(name, folder+"/")
	}
}

func importRules(t *testing.T) []importRule {
	t.Helper()
	_, section, found := strings.Cut(read(t, "architecture.md"), "## Who may know whom\n")
	if !found {
		t.Fatal("architecture.md has no section Who may know whom")
	}
	var rules []importRule
	from := ""
	for line := range strings.Lines(section) {
		if !strings.HasPrefix(line, "    ") {
			continue
		}
		left, right, arrow := strings.Cut(line, "->")
		if from += left; arrow {
			rules = append(rules, importRule{names(from), names(right)})
			from = ""
		}
	}
	if len(rules) < 10 {
		t.Fatalf("%d rules: want those of all packages", len(rules))
	}
	return rules
}

func names(list string) []string {
	return strings.FieldsFunc(list, func(c rune) bool { return c == ',' || c == ' ' || c == '\n' })
}
