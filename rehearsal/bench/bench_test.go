package bench

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"math"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"cicd/rehearsal/console"
	"cicd/rehearsal/world"
)

func TestMedian(t *testing.T) {
	tests := []struct {
		figures []float64
		want    float64
	}{
		{[]float64{7}, 7},
		{[]float64{9, 1, 5}, 5},
		{[]float64{100, 2, 1, 3, 1}, 2}, // one bad round does not count
		{[]float64{4, 1, 3, 2}, 2.5},
	}
	for _, tt := range tests {
		if got := median(tt.figures); got != tt.want {
			t.Errorf("median(%v) = %v, want %v", tt.figures, got, tt.want)
		}
	}
	if got := median(nil); !math.IsNaN(got) {
		t.Errorf("median of nothing = %v, want no number", got)
	}
}

func TestInTurns(t *testing.T) {
	var order []string
	one := func(name string) measure {
		return func(round int) (float64, error) {
			order = append(order, fmt.Sprintf("%s%d", name, round))
			return float64(round), nil
		}
	}
	told := 0
	tell := func(int, time.Duration, []float64) { told++ }
	figures, err := inTurns(2, tell, one("a"), one("b"))
	if want := "a0 b0 a1 b1 a2 b2"; err != nil || strings.Join(order, " ") != want || told != 3 {
		t.Errorf("measured %v (%v), told %d times, want %s", order, err, told, want)
	}
	for _, got := range figures {
		if !slices.Equal(got, []float64{1, 2}) {
			t.Errorf("figures %v, want those of rounds 1 and 2, not of the warm-up", figures)
		}
	}
	broken := errors.New("broken")
	if _, err := inTurns(2, tell, one("a"), func(int) (float64, error) { return 0, broken }); !errors.Is(err, broken) {
		t.Errorf("inTurns() error = %v, want that of the measure", err)
	}
}

func TestBenchReport(t *testing.T) {
	tests := []struct {
		name    string
		line    comparison
		want    []string // in the line
		wantErr string
	}{
		{"met", comparison{unit: "%.1f s", judge: ratio, here: []float64{6, 5, 90}, there: []float64{5, 5, 5}, limit: 1.3},
			[]string{"6.0 s", "5.0 s", "1.20x", "<= 1.30x", " met"}, ""},
		{"exactly met", comparison{unit: "%.1f s", judge: ratio, here: []float64{4}, there: []float64{2}, limit: 2}, []string{"2.00x", " met"}, ""},
		{"missed", comparison{unit: "%.1f s", judge: ratio, here: []float64{13.1}, there: []float64{10}, limit: 1.3},
			[]string{"1.31x", "<= 1.30x", "MISSED"}, "line: 1.31x, want at most 1.30x"},
		{"difference", comparison{unit: "%.1f s", judge: excess, here: []float64{30}, there: []float64{18}, limit: 10},
			[]string{"+12.0 s", "<= 10.0 s", "MISSED"}, "line: +12.0 s, want at most 10.0 s"},
		{"alone", comparison{unit: "%.2f MB", judge: itself, here: []float64{7.2}, limit: 8}, []string{"7.20 MB", "<= 8.00 MB", " met"}, ""},
		{"no goal", comparison{unit: "%.0f/s", judge: ratio, here: []float64{4000}, there: []float64{8000}}, []string{"4000/s", "8000/s", "0.50x"}, ""},
		{"not measured", comparison{unit: "%.1f s", judge: excess, limit: 10}, []string{"NaN", "MISSED"}, "NaN"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var report report
			tt.line.name = "line"
			report.add(tt.line)
			for _, want := range tt.want {
				if table := report.table(); !strings.Contains(table, want) {
					t.Errorf("the table lacks %q:\n%s", want, table)
				}
			}
			err := report.verdict()
			wantPage := "Every goal is met."
			if tt.wantErr != "" {
				wantPage = "**Missed goals:** " + fmt.Sprint(err)
			}
			if page := report.page(); !strings.Contains(page, wantPage) || !strings.Contains(page, report.table()) {
				t.Errorf("the page lacks %q, or the table:\n%s", wantPage, page)
			}
			if (err != nil) != (tt.wantErr != "") || err != nil && !strings.Contains(err.Error(), tt.wantErr) {
				t.Errorf("verdict() = %v, want %q", err, tt.wantErr)
			}
		})
	}
}

func TestBenchTableFits(t *testing.T) {
	report := report{comparisons: []comparison{
		{name: "GET through edge", baseline: "bare net/http", unit: "%.0f/s", judge: ratio, here: []float64{123456}, there: []float64{654321}, limit: 1.3},
		{name: "make rehearse", baseline: "bare commands", unit: "%.1f s", judge: excess, here: []float64{1234.5}, there: []float64{1000}, limit: 10},
	}}
	for line := range strings.Lines(report.table()) {
		if n := len([]rune(strings.TrimSuffix(line, "\n"))); n > console.Width {
			t.Errorf("a line of %d characters: %s", n, line)
		}
	}
}

func TestMedianSpans(t *testing.T) {
	round := func(build, deploy time.Duration) []console.Span {
		return []console.Span{{Name: "hooks", Inner: true, Took: deploy / 2}, {Name: "hooks", Inner: true, Took: deploy / 2}, {Name: "tiny", Inner: false, Took: time.Millisecond}, {Name: "Build", Inner: false, Took: build}}
	}
	got := medianSpans([][]console.Span{round(time.Second, 4*time.Second), round(9*time.Second, 2*time.Second), round(2*time.Second, 6*time.Second)})
	want := []console.Span{{Name: "hooks", Inner: true, Took: 4 * time.Second}, {Name: "Build", Inner: false, Took: 2 * time.Second}}
	if !slices.Equal(got, want) {
		t.Errorf("medianSpans() = %v, want %v", got, want)
	}
}

func TestSumOfReleases(t *testing.T) {
	first := world.Release{Commit: strings.Repeat("a", 40), Took: 5400 * time.Millisecond, URL: "http://127.0.0.1:1"}
	second := world.Release{Commit: strings.Repeat("b", 40), Took: 4 * time.Second, URL: "http://127.0.0.1:1"}
	got, err := sumOfReleases(fmt.Sprintf("%s\n%s %s\n", first, second, world.Visits{Requests: 9}))
	if err != nil || math.Abs(got-9.4) > 1e-9 {
		t.Errorf("sumOfReleases() = %v, %v, want 9.4", got, err)
	}
	if _, err := sumOfReleases("something else\n"); err == nil {
		t.Error("sumOfReleases() takes an answer without a release")
	}
}

// scripted makes a bareRelease with the test's own script.
func scripted(t *testing.T, script string) *bareRelease {
	t.Helper()
	dir := t.TempDir()
	r := &bareRelease{dir: dir, script: filepath.Join(dir, "script.sh"), environment: os.Environ()}
	if err := errors.Join(os.Mkdir(filepath.Join(dir, "webapp"), 0o755), os.WriteFile(r.script, []byte(script), 0o644)); err != nil {
		t.Fatal(err)
	}
	return r
}

func TestBareRelease(t *testing.T) {
	r := scripted(t, "grep -q changed webapp/greeting.txt\nprintf 'no end of line' >&2\nsleep 0.3\nuntil true --now; do :; done\n")
	spans, err := r.release(t.Context(), "changed")
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, s := range spans {
		names = append(names, s.Name)
	}
	if want := []string{"source " + r.script, "grep", "printf 'no", "sleep 0.3", "true"}; !slices.Equal(names, want) {
		t.Fatalf("commands %q, want %q", names, want)
	}
	if took := spans[3].Took; took < 300*time.Millisecond || took > total(spans) {
		t.Errorf("sleep 0.3 took %s of %s", took, total(spans))
	}
	if _, err := scripted(t, "echo out of luck; exit 3").release(t.Context(), ""); err == nil || !strings.Contains(err.Error(), "out of luck") {
		t.Errorf("release() error = %v, want one with what the script wrote", err)
	}
}

// TestBareReleaseIsInterrupted: its commands would outlive their shell and keep its output open.
func TestBareReleaseIsInterrupted(t *testing.T) {
	r := scripted(t, "echo >begun; sleep 60 & wait")
	begun := filepath.Join(r.dir, "begun")
	if err := syscall.Mkfifo(begun, 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, interrupt := context.WithCancel(t.Context())
	defer interrupt()
	go func() {
		_, _ = os.ReadFile(begun) // as soon as the script writes to it
		interrupt()
	}()
	start := time.Now()
	if _, err := r.release(ctx, ""); err == nil || time.Since(start) > 30*time.Second {
		t.Errorf("release() error = %v after %s, want one at once", err, time.Since(start))
	}
}

func TestSendRequests(t *testing.T) {
	answer := func(status int) string {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) }))
		t.Cleanup(server.Close)
		return server.URL
	}
	if got, err := sendRequests(t.Context(), answer(200), 300*time.Millisecond); err != nil || got < benchConnections {
		t.Errorf("sendRequests() = %v, %v, want some", got, err)
	}
	if _, err := sendRequests(t.Context(), answer(502), 100*time.Millisecond); err == nil {
		t.Error("sendRequests() counts answers of 502")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := sendRequests(ctx, answer(200), time.Minute); !errors.Is(err, context.Canceled) {
		t.Errorf("sendRequests() error = %v, want that of its context", err)
	}
}

// TestCostOfRequest: a server that computes something for each request costs more than one that waits.
func TestCostOfRequest(t *testing.T) {
	cost := func(spend func()) float64 {
		server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { spend() }))
		defer server.Close()
		figure, err := costOfRequest(t.Context(), server.URL, strconv.Itoa(os.Getpid()), time.Second)
		if err != nil {
			t.Fatal(err)
		}
		return figure
	}
	data := make([]byte, 16<<20) // many times what it takes to answer, on a slow or busy machine too
	waits := cost(func() { time.Sleep(time.Millisecond) })
	computes := cost(func() { sha256.Sum256(data) })
	if computes < 2*waits {
		t.Errorf("%.0f us for a request that computes, %.0f us for one that waits", computes, waits)
	}
	if _, err := processorTime("0"); err == nil {
		t.Error("process 0 has a processor time")
	}
}
