package drill

import (
	"bytes"
	"context"
	"errors"
	"os"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"cicd/internal/docker/dockertest"
	"cicd/internal/testproject"
	"cicd/rehearsal"
	"cicd/rehearsal/console"
	"cicd/rehearsal/rehearsaltest"
	"cicd/rehearsal/world"
)

// TestDrills runs every drill with an application in C that knows nothing of this project and whose image does not change
// with a harmless change; with DRILLS=both in the environment, also with the embedded one, and none is skipped. Each time in
// two parallel rehearsals: most of a drill is waiting. Without DRILLS, a slow machine skips some, others each day, and they are
// named at the end of `make test`.
func TestDrills(t *testing.T) {
	dockertest.Need(t)
	applications, until, drills := []string{"deploy-scripts/testdata/c/server.c"}, time.Now().Add(drillTime), inTodaysOrder(All())
	if os.Getenv("DRILLS") == "both" {
		applications, until, drills = append(applications, ""), time.Time{}, All()
	}
	halves := make([][]Drill, 2)
	for i, d := range drills {
		halves[i%2] = append(halves[i%2], d)
	}
	for _, application := range applications {
		for _, drills := range halves {
			t.Run(drills[0].Name+" and others "+application, func(t *testing.T) {
				t.Parallel()
				runDrills(t, drills, application, until)
			})
		}
	}
}

// drillTime is enough for every drill on a machine of two cores that is not slow.
const drillTime = 20 * time.Minute

// inTodaysOrder begins with other drills each day, a week's are all of them.
func inTodaysOrder(drills []Drill) []Drill {
	first := int(time.Now().Weekday()) * len(drills) / 7
	return slices.Concat(drills[first:], drills[:first])
}

// runDrills runs drills in a rehearsal of the embedded application, or of one in C.
func runDrills(t *testing.T, drills []Drill, application string, until time.Time) {
	project := testproject.New(t)
	if application != "" {
		testproject.ReplaceByC(t, project, application)
	}
	clean := rehearsaltest.WantClean(t, project)
	var stdout, stderr bytes.Buffer
	err := rehearsal.Run(t.Context(), rehearsaltest.Options(project, rehearsal.DefaultStack, &stderr), Scenario{Drills: drills, Until: until, Out: &stdout})
	if err != nil {
		t.Fatalf("%v\n%s%s", err, &stderr, &stdout)
	}
	t.Logf("\n%s", &stdout)
	for line := range strings.Lines(stdout.String()) {
		if name, _, skipped := strings.Cut(line, Skipped); skipped {
			t.Logf("SKIPPED for lack of time: drill %s", strings.TrimSpace(name))
		}
	}
	if lines := strings.Count(stdout.String(), "\n"); lines != len(drills) {
		t.Errorf("%d lines, want one for each of the %d drills:\n%s", lines, len(drills), &stdout)
	}
	clean()
}

// TestDrillTable checks the rules that every drill must follow.
func TestDrillTable(t *testing.T) {
	seen := map[string]bool{"all": true, "list": true}
	for _, d := range All() {
		if seen[d.Name] {
			t.Errorf("%s: the name is taken", d.Name)
		}
		seen[d.Name] = true
		if d.run == nil || d.Breaks == "" || d.Holds == "" {
			t.Errorf("%s: not all of its fields are set", d.Name)
		}
		if line := d.String(); utf8.RuneCountInString(line) > console.Width {
			t.Errorf("%q is longer than %d characters", line, console.Width)
		}
	}
}

func TestFindDrills(t *testing.T) {
	for name, want := range map[string]int{"all": len(All()), "disk-full": 1, "disk-empty": 0, "": 0} {
		found, err := Find(name)
		if len(found) != want || (err == nil) != (want > 0) {
			t.Errorf("FindDrills(%q) found %d drills (%v), want %d", name, len(found), err, want)
		}
	}
}

func TestDrillsInTurn(t *testing.T) {
	drills := []Drill{{Name: "holds"}, {Name: "breaks", Breaks: "a leg", Holds: "the other"}, {Name: "holds-too"}, {Name: "not-begun"}}
	count := world.Visits{Requests: 7, Failed: 1}
	tests := []struct {
		name    string
		ends    map[string]error
		lines   int
		wantErr string
		want    []string
	}{
		{"all hold", nil, 4, "", []string{"holds ", " ok ", "1 of 7 requests failed"}},
		{"one fails", map[string]error{"breaks": errors.New("it hurts\nvery much")}, 4, "1 of 4 drills failed",
			[]string{"\nbreaks: a leg\n  must hold: the other\n  it hurts\n  very much\n", "holds-too  "}},
		{"one is not repaired", map[string]error{"breaks": errUnrepaired}, 2, "1 of 4 drills failed, and 2 were not started", []string{"FAILED"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var out strings.Builder
			err := inTurn(t.Context(), &out, drills, time.Time{}, func(_ context.Context, d Drill) (world.Visits, error) { return count, tt.ends[d.Name] })
			if got := errorText(err); got != tt.wantErr {
				t.Errorf("the error is %q, want %q", got, tt.wantErr)
			}
			table, _, _ := strings.Cut(out.String(), "\n\n")
			if got := strings.Count(strings.TrimSpace(table), "\n") + 1; got != tt.lines {
				t.Errorf("%d lines, want %d:\n%s", got, tt.lines, table)
			}
			for _, want := range tt.want {
				if !strings.Contains(out.String(), want) {
					t.Errorf("lacks %q:\n%s", want, out.String())
				}
			}
		})
	}
}

// TestDrillsUntil: what has no time is skipped, and said to be.
func TestDrillsUntil(t *testing.T) {
	var out strings.Builder
	practise := func(context.Context, Drill) (world.Visits, error) { return world.Visits{}, errors.New("it began") }
	err := inTurn(t.Context(), &out, []Drill{{Name: "late"}, {Name: "later"}}, time.Now().Add(-time.Second), practise)
	if err != nil || strings.Count(out.String(), Skipped) != 2 || !strings.HasPrefix(out.String(), "late ") {
		t.Errorf("%v: %q, want both skipped", err, out.String())
	}
}

func errorText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// TestOrderOfAnswers: only releases may answer during a drill, the older ones first.
func TestOrderOfAnswers(t *testing.T) {
	tests := []struct {
		released, served []string
		ok               bool
	}{
		{[]string{"a", "b", "c"}, []string{"a", "c"}, true},
		{[]string{"a", "b", "a", "c"}, []string{"a", "b", "a", "c"}, true}, // rolled back manually
		{[]string{"a", "b"}, nil, true},
		{[]string{"a", "b", "c"}, []string{"a", "c", "b"}, false},
		{[]string{"a", "b"}, []string{"a", "refused", "b"}, false},
	}
	for _, tt := range tests {
		g := &drillEnv{released: tt.released}
		if err := g.inOrder(tt.served); (err == nil) != tt.ok {
			t.Errorf("released %q, served %q: %v", tt.released, tt.served, err)
		}
	}
}
