package load

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	vegeta "github.com/tsenart/vegeta/v12/lib"
)

// maxP99Ratio is how many times the p99 before releases the p99 during releases may be.
const maxP99Ratio = 5

// maxFailures is how many failures a measurement describes.
const maxFailures = 5

// report is how requests fared before and during releases.
type report struct {
	URL               string      `json:"url"`
	Connections       int         `json:"connections"`
	RequestsPerSecond int         `json:"requestsPerSecond"`
	Releases          int         `json:"releases"`
	Before            Measurement `json:"before"`
	During            Measurement `json:"during"`
}

// Measurement is how the requests of some period fared. None of them was sent twice.
type Measurement struct {
	Seconds  float64 `json:"seconds"`
	Requests uint64  `json:"requests"`
	// Failed counts those with no answer, a partial one, or a server error. Failures describes the first of them.
	Failed   int      `json:"failed"`
	Failures []string `json:"failures,omitempty"`
	Latency  latency  `json:"latencyMilliseconds"`

	metrics vegeta.Metrics
}

// latency has percentiles of the time from a request to the end of its answer, in milliseconds.
type latency struct {
	P50 float64 `json:"p50"`
	P90 float64 `json:"p90"`
	P99 float64 `json:"p99"`
	Max float64 `json:"max"`
}

// Add counts one result.
func (m *Measurement) Add(r *vegeta.Result) {
	m.metrics.Add(r)
	answered := r.Code > 0 && r.Code < http.StatusInternalServerError // 0 is no answer, or a partial one
	if answered {
		return
	}
	m.Failed++
	if len(m.Failures) < maxFailures {
		m.Failures = append(m.Failures, fmt.Sprintf("%s: %s %s: %s after %s", r.Timestamp.Format(time.TimeOnly), r.Method, r.URL, r.Error, r.Latency.Round(time.Millisecond)))
	}
}

// Summed returns the measurement with the figures computed from all its results.
func (m Measurement) Summed() Measurement {
	m.metrics.Close()
	m.Requests = m.metrics.Requests
	m.Seconds = (m.metrics.Duration + m.metrics.Wait).Seconds()
	times := m.metrics.Latencies
	m.Latency = latency{milliseconds(times.P50), milliseconds(times.P90), milliseconds(times.P99), milliseconds(times.Max)}
	return m
}

func milliseconds(d time.Duration) float64 {
	return float64(d.Round(10*time.Microsecond)) / float64(time.Millisecond)
}

func (m Measurement) String() string {
	return fmt.Sprintf("%d requests, %d failed, p99 %.1f ms", m.Requests, m.Failed, m.Latency.P99)
}

// Explain describes the failed requests.
func (m Measurement) Explain() string {
	return fmt.Sprintf("%d of %d requests failed, the first:\n  %s", m.Failed, m.Requests, strings.Join(m.Failures, "\n  "))
}

// print writes the report, as a table or as JSON.
func (r report) print(w io.Writer, asJSON bool) error {
	if asJSON {
		encoder := json.NewEncoder(w)
		encoder.SetIndent("", "  ")
		encoder.SetEscapeHTML(false) // failures name URLs
		return encoder.Encode(struct {
			report
			P99Ratio float64 `json:"p99Ratio"`
		}{r, r.p99Ratio()})
	}
	_, err := io.WriteString(w, r.table())
	return err
}

// table is the report as a table, as wide as a terminal.
func (r report) table() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d releases in %.0f s, under GET and POST on %d connections, %d requests/s.\n\n",
		r.Releases, r.During.Seconds, r.Connections, r.RequestsPerSecond)
	fmt.Fprintf(&b, "%-18s %9s %7s %9s %9s %9s %9s\n", "latency in ms", "requests", "failed", "p50", "p90", "p99", "max")
	for _, row := range []struct {
		name string
		m    Measurement
	}{{"before releases", r.Before}, {"during releases", r.During}} {
		l := row.m.Latency
		fmt.Fprintf(&b, "%-18s %9d %7d %9.1f %9.1f %9.1f %9.1f\n", row.name, row.m.Requests, row.m.Failed, l.P50, l.P90, l.P99, l.Max)
	}
	fmt.Fprintf(&b, "%-18s %9s %7s %8.1fx %8.1fx %8.1fx %8.1fx\n", "ratio", "", "",
		r.During.Latency.P50/r.Before.Latency.P50, r.During.Latency.P90/r.Before.Latency.P90, r.p99Ratio(), r.During.Latency.Max/r.Before.Latency.Max)
	return b.String()
}

func (r report) p99Ratio() float64 { return r.During.Latency.P99 / r.Before.Latency.P99 }

// verdict returns every limit that the releases exceeded.
func (r report) verdict() error {
	var errs []error
	if r.Before.Failed > 0 {
		errs = append(errs, fmt.Errorf("before any release %s", r.Before.Explain()))
	}
	if r.During.Failed > 0 {
		errs = append(errs, fmt.Errorf("during releases %s", r.During.Explain()))
	}
	if ratio := r.p99Ratio(); ratio > maxP99Ratio {
		errs = append(errs, fmt.Errorf("p99 during releases is %.1f ms, %.1f times that before them, want at most %d times: "+
			"repeat it on an idle machine before you look for the cause", r.During.Latency.P99, ratio, maxP99Ratio))
	}
	return errors.Join(errs...)
}
