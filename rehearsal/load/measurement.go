package load

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	vegeta "github.com/tsenart/vegeta/v12/lib"
)

// maxFailures is how many failures a measurement describes.
const maxFailures = 5

// results are what became of requests. None of them was sent twice.
type results []*vegeta.Result

// in returns those of the requests that were sent within one of the periods.
func (r results) in(periods []period) results {
	var found results
	for _, result := range r {
		if slices.ContainsFunc(periods, func(p period) bool { return p.contains(result.Timestamp) }) {
			found = append(found, result)
		}
	}
	return found
}

// measured returns how the requests fared.
func (r results) measured() Measurement {
	var m Measurement
	for _, result := range r {
		m.Add(result)
	}
	return m.Summed()
}

// period is a time in which something happened.
type period struct{ from, to time.Time }

func (p period) contains(t time.Time) bool { return !t.Before(p.from) && t.Before(p.to) }

// Measurement is how requests fared.
type Measurement struct {
	Seconds  float64 `json:"seconds"` // from the first request to the last answer
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
