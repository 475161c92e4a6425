package bench

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"cicd/rehearsal/console"
)

// report is everything that was measured in one run, and on which machine.
type report struct {
	facts       []fact
	comparisons []comparison
	// pushed and byHand say where the time of releases went, in each round.
	pushed, byHand [][]console.Span
}

// comparison is one line: this project beside what it is measured against.
type comparison struct {
	name, beside string
	how          string    // what exactly is measured
	unit         string    // a format
	here, there  []float64 // a figure a round
	judge        judgement
	limit        float64 // the most that is judged to be good, 0 if there is no goal
}

// judgement says what is held against the goal, and how it is written.
type judgement struct {
	format string
	of     func(here, there float64) float64
}

var (
	ratio  = judgement{"%.2fx", func(here, there float64) float64 { return here / there }}
	excess = judgement{"%+.1f s", func(here, there float64) float64 { return here - there }}
	itself = judgement{"%.2f MB", func(here, _ float64) float64 { return here }}
)

// figure is what is held against the goal: of the medians, so that the table can be checked by who reads it.
func (c comparison) figure() float64 { return c.judge.of(median(c.here), median(c.there)) }

func (c comparison) missed() bool {
	return c.limit > 0 && !(c.figure() <= c.limit) // so written, no goal is met by what is not a number
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
	return fmt.Sprintf("<= %-8s%s", c.most(), outcome)
}

// most is the limit as it is written.
func (c comparison) most() string {
	return strings.TrimPrefix(fmt.Sprintf(c.judge.format, c.limit), "+")
}

// median returns the middle one of some figures, or the mean of the two in the middle. That of none is not a number.
func median(figures []float64) float64 {
	sorted := slices.Sorted(slices.Values(figures))
	n := len(sorted)
	if n == 0 {
		return math.NaN()
	}
	return (sorted[(n-1)/2] + sorted[n/2]) / 2
}

func (r *report) add(c comparison) { r.comparisons = append(r.comparisons, c) }

// table has a line for each comparison, 80 columns wide.
func (r *report) table() string {
	var b strings.Builder
	row := func(columns ...any) {
		fmt.Fprintln(&b, strings.TrimRight(fmt.Sprintf("%-16s %9s %9s %-13s %9s  %s", columns...), " "))
	}
	row("", "here", "beside", "", "", "goal")
	for _, c := range r.comparisons {
		beside := ""
		if c.there != nil {
			beside = fmt.Sprintf(c.unit, median(c.there))
		}
		row(c.name, fmt.Sprintf(c.unit, median(c.here)), beside, c.beside, fmt.Sprintf(c.judge.format, c.figure()), c.goal())
	}
	return b.String()
}

// rounds has the figures behind the table.
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
			row("  "+c.beside, c.unit, c.there)
		}
	}
	return b.String()
}

// verdict returns every goal that is missed.
func (r *report) verdict() error {
	var errs []error
	for _, c := range r.comparisons {
		if c.missed() {
			errs = append(errs, fmt.Errorf("%s: "+c.judge.format+", want at most %s", c.name, c.figure(), c.most()))
		}
	}
	return errors.Join(errs...)
}
