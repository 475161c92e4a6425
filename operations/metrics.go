package operations

import (
	"encoding/json"
	"slices"
	"time"
)

// Metrics are the four of software delivery (DORA, "DORA's software delivery performance metrics") over some runs.
type Metrics struct {
	// Deployed and Failed count the runs that have ended in a deployment, or in a failure.
	Deployed int `json:"deployed"`
	Failed   int `json:"failed"`
	// Span is the time from the first run to the last.
	Span time.Duration `json:"-"`
	// Lead is the median time from the start of a run to its deployment's end.
	Lead time.Duration `json:"-"`
	// Restore is the median time from the end of a run that failed to the next deployment's end; 0 if there was none.
	Restore time.Duration `json:"-"`
}

// MarshalJSON implements json.Marshaler. The times are in seconds.
func (m Metrics) MarshalJSON() ([]byte, error) {
	type counts Metrics
	return json.Marshal(struct {
		counts
		Span    float64 `json:"spanSeconds"`
		Lead    float64 `json:"leadSeconds"`
		Restore float64 `json:"restoreSeconds"`
	}{counts(m), m.Span.Seconds(), m.Lead.Seconds(), m.Restore.Seconds()})
}

// Measure returns the metrics of runs, which begin with the newest.
func Measure(runs []Run) Metrics {
	var m Metrics
	var leads, restores []time.Duration
	var broken time.Time // since when a release has failed; zero if the last was deployed
	for _, run := range slices.Backward(runs) {
		switch {
		case run.Status == "Failed":
			m.Failed++
			if broken.IsZero() {
				broken = run.Ended
			}
		case run.Status == "Succeeded" && run.Deployed():
			m.Deployed++
			leads = append(leads, run.Ended.Sub(run.Started))
			if !broken.IsZero() {
				restores = append(restores, run.Ended.Sub(broken))
				broken = time.Time{}
			}
		}
	}
	if len(runs) > 0 {
		m.Span = runs[0].Started.Sub(runs[len(runs)-1].Started)
	}
	m.Lead, m.Restore = median(leads), median(restores)
	return m
}

func median(durations []time.Duration) time.Duration {
	if len(durations) == 0 {
		return 0
	}
	slices.Sort(durations)
	return durations[len(durations)/2]
}
