package drill

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// failures is the number of the last failure in docs/failures.md.
const failures = 75

var (
	failureRow = regexp.MustCompile(`(?m)^\| F(\d+) \| (.+?) \| (.+?) \| (.+) \|$`)
	code       = regexp.MustCompile("`([^`]+)`")
	fileName   = regexp.MustCompile(`^[a-z][\w-]*(/[\w.-]+)*/[\w.-]+\.\w+$|^webapp/Dockerfile$`)
)

// TestFailuresDocument compares the table of failures with the drills and the files that it names.
func TestFailuresDocument(t *testing.T) {
	rows := failureRow.FindAllStringSubmatch(readFailures(t), -1)
	last := 0
	for _, row := range rows {
		number, err := strconv.Atoi(row[1])
		if err != nil || number != last+1 {
			t.Fatalf("F%s comes after F%d", row[1], last)
		}
		last = number
		kind, text := row[3], row[4]
		drills := drillsOf(number)
		switch kind {
		case "prevented":
			if !slices.ContainsFunc(quoted(text), fileName.MatchString) {
				t.Errorf("F%d is prevented, and names no file that sees to it", number)
			}
		case "drilled":
			if named := slices.DeleteFunc(quoted(text), func(name string) bool { return !isDrill(name) }); !slices.Equal(named, drills) || len(drills) == 0 {
				t.Errorf("F%d names the drills %q, want %q", number, named, drills)
			}
			drills = nil
		case "not applicable":
		default:
			t.Errorf("F%d is %q, want prevented, drilled or not applicable", number, kind)
		}
		if len(drills) > 0 {
			t.Errorf("F%d is %s, and the drills %q cover it", number, kind, drills)
		}
		for _, name := range quoted(text) {
			if _, err := os.Stat(filepath.Join("..", "..", name)); fileName.MatchString(name) && err != nil {
				t.Errorf("F%d: %v", number, err)
			}
		}
	}
	if last != failures {
		t.Errorf("the last row is F%d, want F%d", last, failures)
	}
}

// TestDrillsDocument compares the table of drills with the drills.
func TestDrillsDocument(t *testing.T) {
	var want strings.Builder
	want.WriteString("\n| drill | what goes wrong | what must hold | |\n|---|---|---|---|\n")
	for _, d := range All() {
		var rows []string
		for _, row := range d.Rows {
			rows = append(rows, fmt.Sprintf("F%d", row))
		}
		fmt.Fprintf(&want, "| `%s` | %s | %s | %s |\n", d.Name, d.Breaks, d.Holds, strings.Join(rows, ", "))
	}
	_, after, _ := strings.Cut(readFailures(t), "<!-- drills: kept equal to rehearsal/drill by a test -->")
	got, _, found := strings.Cut(after, "<!-- /drills -->")
	if !found || got != want.String() {
		t.Errorf("docs/failures.md has another table of drills, want between its marks:\n%s", &want)
	}
}

func readFailures(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "docs", "failures.md"))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func quoted(text string) []string {
	var found []string
	for _, m := range code.FindAllStringSubmatch(text, -1) {
		found = append(found, m[1])
	}
	return found
}

func isDrill(name string) bool {
	return slices.ContainsFunc(All(), func(d Drill) bool { return d.Name == name })
}

// drillsOf names the drills that cover a row, in the order in which they run.
func drillsOf(row int) []string {
	var names []string
	for _, d := range All() {
		if slices.Contains(d.Rows, row) {
			names = append(names, d.Name)
		}
	}
	return names
}
