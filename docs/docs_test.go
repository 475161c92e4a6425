// Package docs holds the project's documentation. Its tests check that the pages are consistent.
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
	// link matches a Markdown link to a file of this project.
	link = regexp.MustCompile(`\]\(([^)#:]+)(?:#[^)]*)?\)`)
	// title and status are the first lines of each record.
	title  = regexp.MustCompile(`^# ([1-9][0-9]*)\. (.+)$`)
	status = regexp.MustCompile(`^(Accepted|Superseded), 20[0-9]{2}-[0-9]{2}-[0-9]{2}\b`)
)

func TestLinks(t *testing.T) {
	pages := []string{"../README.md", "../CONTRIBUTING.md"}
	err := filepath.WalkDir(".", func(path string, _ fs.DirEntry, err error) error {
		if strings.HasSuffix(path, ".md") {
			pages = append(pages, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, page := range pages {
		for _, found := range link.FindAllStringSubmatch(read(t, page), -1) {
			if _, err := os.Stat(filepath.Join(filepath.Dir(page), found[1])); err != nil {
				t.Errorf("%s links to %s: %v", page, found[1], err)
			}
		}
	}
}

// TestDecisions checks the index of decisions against the records: the same files, in order, with the same titles.
func TestDecisions(t *testing.T) {
	records, err := filepath.Glob("decisions/[0-9]*.md")
	if err != nil {
		t.Fatal(err)
	}
	var want []string
	for i, path := range records {
		file, lines := filepath.Base(path), strings.SplitN(read(t, path), "\n", 4)
		heading := title.FindStringSubmatch(lines[0])
		if heading == nil || len(lines) < 4 {
			t.Errorf("%s begins with %q: want its number and title, as # %d. TITLE", path, lines[0], i+1)
			continue
		}
		number, _, _ := strings.Cut(file, "-")
		if strings.TrimLeft(number, "0") != heading[1] {
			t.Errorf("%s calls itself number %s", path, heading[1])
		}
		if !status.MatchString(lines[2]) {
			t.Errorf("%s: the third line is %q: want status and date, as Accepted, 2026-11-23", path, lines[2])
		}
		want = append(want, "- ["+number+"]("+file+"): "+heading[2])
	}
	got := slices.DeleteFunc(strings.Split(read(t, "decisions/README.md"), "\n"), func(line string) bool {
		return !strings.HasPrefix(line, "- [")
	})
	if len(want) == 0 || !slices.Equal(got, want) {
		t.Errorf("decisions/README.md lists\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
