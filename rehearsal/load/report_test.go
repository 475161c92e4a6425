package load

import (
	"bytes"
	"encoding/json"
	"math"
	"runtime"
	"strings"
	"testing"
	"time"

	"cicd/rehearsal/console"

	vegeta "github.com/tsenart/vegeta/v12/lib"
)

// met returns the measurement of requests that took 1 ms, 2 ms and so on up to 100 ms, each multiplied by times.
func met(times int, statuses ...uint16) Measurement {
	var m Measurement
	start := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for i := range 100 {
		r := vegeta.Result{Method: "GET", URL: "http://203.0.113.1", Code: 200, Timestamp: start.Add(time.Duration(i) * time.Second), Latency: time.Duration((i+1)*times) * time.Millisecond}
		if i < len(statuses) {
			r.Code, r.Error = statuses[i], "502 Bad Gateway"
		}
		m.Add(&r)
	}
	return m.Summed()
}

func TestMeasurement(t *testing.T) {
	m := met(1, 302, 404, 499, 500, 502, 0)
	if m.Requests != 100 || m.Failed != 3 || len(m.Failures) != 3 {
		t.Errorf("%d of %d failed, %d told of; want 3 of 100: 500, 502 and no answer", m.Failed, m.Requests, len(m.Failures))
	}
	if want := "03:04:08: GET http://203.0.113.1: 502 Bad Gateway after 4ms"; m.Failures[0] != want {
		t.Errorf("the first failure is %q, want %q", m.Failures[0], want)
	}
	for _, p := range []struct{ got, want float64 }{{m.Latency.P50, 50}, {m.Latency.P90, 90}, {m.Latency.P99, 99}, {m.Latency.Max, 100}} {
		if p.got < p.want-1 || p.got > p.want+1 {
			t.Errorf("latency %+v, want the percentiles of 1 to 100 ms", m.Latency)
		}
	}
	if m.Seconds < 99 || m.Seconds > 100 {
		t.Errorf("%.1f s, want from the first request to the last answer", m.Seconds)
	}
	if many := met(1, bytes16(100)...); many.Failed != 100 || len(many.Failures) != maxFailures {
		t.Errorf("%d failures, %d told of", many.Failed, len(many.Failures))
	}
}

// bytes16 returns n statuses of 0.
func bytes16(n int) []uint16 { return make([]uint16, n) }

func TestVerdict(t *testing.T) {
	tests := []struct {
		name   string
		report report
		want   []string // nil means no error
	}{
		{"good", report{Before: met(1), During: met(9), Building: met(5), Deploying: met(2)}, nil},
		{"failed before releases", report{Before: met(1, 502), During: met(1)}, []string{"before releases 1 of 100 requests failed", "502 Bad Gateway"}},
		{"failed and slow", report{Before: met(1), During: met(1, 0, 0), Building: met(6), Deploying: met(3)}, []string{
			"during releases 2 of 100 requests failed",
			"p99 during builds", "6.0 times", "want at most 5 times", "p99 during deployments", "3.0 times", "want at most 2 times",
		}},
		{"slow on a busy machine", report{Before: met(1), During: met(1), Building: met(6), Deploying: met(3), BusyBefore: 0.6}, nil},
		{"failed on a busy machine", report{Before: met(1), During: met(1, 0), BusyBefore: 0.6}, []string{"during releases 1 of 100"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			err := tt.report.verdict()
			if (err == nil) != (tt.want == nil) {
				t.Fatalf("verdict: %v, want %q", err, tt.want)
			}
			for _, want := range tt.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("verdict: %v, want %q in it", err, want)
				}
			}
			if told, want := strings.Contains(tt.report.table(), "No verdict on p99"), tt.report.BusyBefore > maxBusy; told != want {
				t.Errorf("the table says that there is no verdict: %v, want %v", told, want)
			}
		})
	}
}

// TestPeriods: a request belongs to the period in which it was sent.
func TestPeriods(t *testing.T) {
	start := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	at := func(seconds int) time.Time { return start.Add(time.Duration(seconds) * time.Second) }
	var all results
	for i := range 10 {
		all = append(all, &vegeta.Result{Code: 200, Timestamp: at(i), Latency: time.Duration(i) * time.Millisecond})
	}
	m := all.in([]period{{at(1), at(3)}, {at(5), at(6)}}).measured()
	if m.Requests != 3 || m.Latency.Max != 5 {
		t.Errorf("%d requests, the slowest took %v ms; want the second, third and sixth", m.Requests, m.Latency.Max)
	}
}

// TestProcessors: the share of use is that of the time between two readings, and sees a process that does not wait.
func TestProcessors(t *testing.T) {
	before, err := readProcessors()
	if err != nil {
		t.Fatal(err)
	}
	for start := time.Now(); time.Since(start) < 300*time.Millisecond; { // one of the processors is in use
	}
	after, err := readProcessors()
	if err != nil {
		t.Fatal(err)
	}
	if share, least := after.since(before).share(), 0.5/float64(runtime.NumCPU()); share < least || share > 1 {
		t.Errorf("%.2f of the processors were in use, want at least %.2f: one was", share, least)
	}
}

func TestLoadReport(t *testing.T) {
	report := report{URL: "http://203.0.113.1", Connections: 50, RequestsPerSecond: 200, Releases: 20, Before: met(1), During: met(300, 502), Building: met(4), Deploying: met(2), BusyBefore: 0.9}
	var table, raw bytes.Buffer
	if err := report.print(&table, false); err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(table.String()) {
		if len(strings.TrimSuffix(line, "\n")) > console.Width {
			t.Errorf("wider than %d columns: %q", console.Width, line)
		}
	}
	if err := report.print(&raw, true); err != nil {
		t.Fatal(err)
	}
	var answer struct {
		Releases                                      int
		P99Ratio, P99RatioBuilding, P99RatioDeploying float64
		During                                        struct {
			Requests, Failed    int
			Failures            []string
			LatencyMilliseconds struct{ P50, P90, P99, Max float64 }
		}
	}
	if err := json.Unmarshal(raw.Bytes(), &answer); err != nil {
		t.Fatal(err)
	}
	if d := answer.During; answer.Releases != 20 || d.Requests != 100 || d.Failed != 1 || len(d.Failures) != 1 || d.LatencyMilliseconds.Max != 30000 {
		t.Errorf("JSON %s, want what was measured", &raw)
	}
	for _, ratio := range []struct{ got, want float64 }{{answer.P99Ratio, 300}, {answer.P99RatioBuilding, 4}, {answer.P99RatioDeploying, 2}} {
		if math.Abs(ratio.got/ratio.want-1) > 0.01 {
			t.Errorf("ratio %.2f, want %.2f", ratio.got, ratio.want)
		}
	}
}
