package bench

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"cicd/rehearsal/console"
)

// report is everything that was measured in one run, and the machine it ran on.
type report struct {
	facts       []fact
	comparisons []comparison
	// pushed and byHand are the steps of the releases in each round.
	pushed, byHand [][]console.Span
}

// comparison is one line: this project and what it is compared with.
type comparison struct {
	name, baseline string
	how            string    // what exactly is measured
	unit           string    // a format
	here, there    []float64 // one figure per round
	judge          judgement
	limit          float64 // the highest acceptable figure, 0 if there is no goal
}

// judgement is the figure that is compared with the goal, and its format.
type judgement struct {
	format string
	of     func(here, there float64) float64
}

var (
	ratio  = judgement{"%.2fx", func(here, there float64) float64 { return here / there }}
	excess = judgement{"%+.1f s", func(here, there float64) float64 { return here - there }}
	itself = judgement{"%.2f MB", func(here, _ float64) float64 { return here }}
)

// figure is compared with the goal. It uses the medians, so that readers can check the table.
func (c comparison) figure() float64 { return c.judge.of(median(c.here), median(c.there)) }

func (c comparison) missed() bool {
	return c.limit > 0 && !(c.figure() <= c.limit) // negated, so that NaN misses the goal
}

// goal is the goal and whether it is met, for the end of a line.
func (c comparison) goal() string {
	if c.limit == 0 {
		return ""
	}
	outcome := "met"
	if c.missed() {
		outcome = "MISSED"
	}
	return fmt.Sprintf("<= %-8s%s", c.limitText(), outcome)
}

// limitText is the formatted limit.
func (c comparison) limitText() string {
	return strings.TrimPrefix(fmt.Sprintf(c.judge.format, c.limit), "+")
}

// median returns the middle figure, or the mean of the middle two. Without figures it is NaN.
func median(figures []float64) float64 {
	sorted := slices.Sorted(slices.Values(figures))
	n := len(sorted)
	if n == 0 {
		return math.NaN()
	}
	return (sorted[(n-1)/2] + sorted[n/2]) / 2
}

func (r *report) add(c comparison) { r.comparisons = append(r.comparisons, c) }

// table has one line per comparison, 80 columns wide.
func (r *report) table() string {
	var b strings.Builder
	row := func(columns ...any) {
		fmt.Fprintln(&b, strings.TrimRight(fmt.Sprintf("%-16s %9s %9s %-13s %9s  %s", columns...), " "))
	}
	row("", "here", "baseline", "", "", "goal")
	for _, c := range r.comparisons {
		baseline := ""
		if c.there != nil {
			baseline = fmt.Sprintf(c.unit, median(c.there))
		}
		row(c.name, fmt.Sprintf(c.unit, median(c.here)), baseline, c.baseline, fmt.Sprintf(c.judge.format, c.figure()), c.goal())
	}
	return b.String()
}

// rounds has the figures of each round.
func (r *report) rounds() string {
	var b strings.Builder
	row := func(name, unit string, figures []float64) {
		fmt.Fprintf(&b, "%-16s", name)
		for _, figure := range figures {
			fmt.Fprintf(&b, " %9s", fmt.Sprintf(unit, figure))
		}
		fmt.Fprintln(&b)
	}
	for _, c := range r.comparisons {
		row(c.name, c.unit, c.here)
		if c.there != nil {
			row("  "+c.baseline, c.unit, c.there)
		}
	}
	return b.String()
}

// verdict returns every missed goal.
func (r *report) verdict() error {
	var errs []error
	for _, c := range r.comparisons {
		if c.missed() {
			errs = append(errs, fmt.Errorf("%s: "+c.judge.format+", want at most %s", c.name, c.figure(), c.limitText()))
		}
	}
	return errors.Join(errs...)
}
