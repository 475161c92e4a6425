package bench

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"cicd/rehearsal/console"
)

// total adds up spans.
func total(spans []console.Span) (sum time.Duration) {
	for _, s := range spans {
		sum += s.Took
	}
	return sum
}

// minShown is the shortest duration of a step that is shown.
const minShown = 10 * time.Millisecond

// medianSpans returns the spans of a typical round: for each name the median, over the rounds, of its total in a round. The
// names are in the order in which they first occur. Spans shorter than minShown are omitted.
func medianSpans(rounds [][]console.Span) []console.Span {
	var names []console.Span
	for _, s := range slices.Concat(rounds...) {
		if !slices.ContainsFunc(names, func(n console.Span) bool { return n.Name == s.Name }) {
			names = append(names, s)
		}
	}
	var shown []console.Span
	for _, n := range names {
		var sums []float64
		for _, round := range rounds {
			same := slices.DeleteFunc(slices.Clone(round), func(s console.Span) bool { return s.Name != n.Name })
			sums = append(sums, float64(total(same)))
		}
		n.Took = time.Duration(median(sums))
		if n.Took >= minShown {
			shown = append(shown, n)
		}
	}
	return shown
}

// traced runs a script in bash, which prints the start of each command, in seconds since 1970.
const traced = `PS4='+begins $EPOCHREALTIME '; set -x; source "$1"`

var traceLine = regexp.MustCompile(`\+begins ([0-9]+)\.([0-9]{6}) (.*)`)

// readTrace times the commands of a traced script from its output: each lasts until the next begins, and the last one
// until the script ended.
func readTrace(output string, ended time.Time) []console.Span {
	var spans []console.Span
	var begun []time.Time
	for _, match := range traceLine.FindAllStringSubmatch(output, -1) {
		seconds, _ := strconv.ParseInt(match[1], 10, 64) // cannot fail: they are digits
		micros, _ := strconv.ParseInt(match[2], 10, 64)
		begun = append(begun, time.Unix(seconds, micros*1000))
		spans = append(spans, console.Span{Name: commandName(match[3])})
	}
	begun = append(begun, ended)
	for i := range spans {
		spans[i].Took = begun[i+1].Sub(begun[i])
	}
	return spans
}

// commandName shortens a command, such as "docker build --tag x .", to its name and subcommand.
func commandName(command string) string {
	words := strings.Fields(command)
	if len(words) > 1 && strings.HasPrefix(words[1], "-") {
		words = words[:1]
	}
	return strings.Join(words[:min(2, len(words))], " ")
}
