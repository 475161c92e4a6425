package load

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
)

const (
	// maxBuilding and maxDeploying are how many times the p99 before releases the p99 during their builds and their
	// deployments may be. In AWS a build has a machine of its own, and here it shares this one; a deployment shares
	// the host in both.
	maxBuilding, maxDeploying = 5, 2

	// maxBusy is the part of the processors' time, from 0 to 1, up to which a p99 says something about releases. The
	// load alone takes about a quarter of two cores. With more than half in use, requests also wait for other work.
	maxBusy = 0.5
)

// report is how requests fared before and during releases.
type report struct {
	URL               string `json:"url"`
	Connections       int    `json:"connections"`
	RequestsPerSecond int    `json:"requestsPerSecond"`
	Releases          int    `json:"releases"`

	Before    Measurement `json:"before"`    // in a pause before each release
	During    Measurement `json:"during"`    // from each push until its deployment has ended
	Building  Measurement `json:"building"`  // those of During while CodeBuild ran
	Deploying Measurement `json:"deploying"` // those of During while CodeDeploy ran

	// BusyBefore is the part of the processors' time that was in use before releases, from 0 to 1.
	BusyBefore float64 `json:"busyBefore"`

	picture string // SVG
}

// print writes the report, as a table or as JSON.
func (r report) print(w io.Writer, asJSON bool) error {
	if asJSON {
		encoder := json.NewEncoder(w)
		encoder.SetIndent("", "  ")
		encoder.SetEscapeHTML(false) // failures name URLs
		return encoder.Encode(struct {
			report
			P99Ratio          float64 `json:"p99Ratio"`
			P99RatioBuilding  float64 `json:"p99RatioBuilding"`
			P99RatioDeploying float64 `json:"p99RatioDeploying"`
		}{r, r.p99Ratio(r.During), r.p99Ratio(r.Building), r.p99Ratio(r.Deploying)})
	}
	_, err := io.WriteString(w, r.table())
	return err
}

// table is the report as a table, as wide as a terminal.
func (r report) table() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d releases in %.0f s with pauses, under GET and POST on %d connections, %d/s.\n\n",
		r.Releases, r.During.Seconds, r.Connections, r.RequestsPerSecond)
	fmt.Fprintf(&b, "%-18s %8s %6s %7s %7s %7s %7s %6s\n", "latency in ms", "requests", "failed", "p50", "p90", "p99", "max", "p99")
	for _, row := range []struct {
		name string
		m    Measurement
	}{{"before releases", r.Before}, {"during releases", r.During}, {"  their builds", r.Building}, {"  their deployments", r.Deploying}} {
		l := row.m.Latency
		fmt.Fprintf(&b, "%-19s %7d %6d %7.1f %7.1f %7.1f %7.1f %5.1fx\n", row.name, row.m.Requests, row.m.Failed, l.P50, l.P90, l.P99, l.Max, r.p99Ratio(row.m))
	}
	if !r.steady() {
		fmt.Fprintf(&b, "\nNo verdict on p99: the processors were %.0f%% in use before the releases, so\n"+
			"requests wait for other work too. Repeat it on an idle machine.\n", 100*r.BusyBefore)
	}
	return b.String()
}

func (r report) p99Ratio(m Measurement) float64 { return m.Latency.P99 / r.Before.Latency.P99 }

// steady reports whether the machine was idle enough for a verdict on latency.
func (r report) steady() bool { return r.BusyBefore <= maxBusy }

// verdict returns every limit that the releases exceeded.
func (r report) verdict() error {
	var errs []error
	if r.Before.Failed > 0 {
		errs = append(errs, fmt.Errorf("before releases %s", r.Before.Explain()))
	}
	if r.During.Failed > 0 {
		errs = append(errs, fmt.Errorf("during releases %s", r.During.Explain()))
	}
	for _, part := range []struct {
		name string
		m    Measurement
		max  float64
	}{{"builds", r.Building, maxBuilding}, {"deployments", r.Deploying, maxDeploying}} {
		if ratio := r.p99Ratio(part.m); r.steady() && ratio > part.max {
			errs = append(errs, fmt.Errorf("p99 during %s is %.1f ms, %.1f times that before releases, want at most %.0f times",
				part.name, part.m.Latency.P99, ratio, part.max))
		}
	}
	return errors.Join(errs...)
}
