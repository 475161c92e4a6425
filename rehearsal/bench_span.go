package rehearsal

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// total adds up spans.
func total(spans []span) (sum time.Duration) {
	for _, s := range spans {
		sum += s.took
	}
	return sum
}

// worthTelling is how long a step must take to be told.
const worthTelling = 10 * time.Millisecond

// typical returns the spans of a typical round: of each name the median, over the rounds, of its sum in a round, in the order
// in which the names first come. What takes less than worthTelling is left out.
func typical(rounds [][]span) []span {
	var names []span
	for _, s := range slices.Concat(rounds...) {
		if !slices.ContainsFunc(names, func(n span) bool { return n.name == s.name }) {
			names = append(names, s)
		}
	}
	var told []span
	for _, n := range names {
		var sums []float64
		for _, round := range rounds {
			same := slices.DeleteFunc(slices.Clone(round), func(s span) bool { return s.name != n.name })
			sums = append(sums, float64(total(same)))
		}
		n.took = time.Duration(median(sums))
		if n.took >= worthTelling {
			told = append(told, n)
		}
	}
	return told
}

// traced runs a script in bash, which then says of each command when it begins, in seconds since 1970.
const traced = `PS4='+begins $EPOCHREALTIME '; set -x; source "$1"`

var traceLine = regexp.MustCompile(`\+begins ([0-9]+)\.([0-9]{6}) (.*)`)

// readTrace times the commands of a traced script from its output: each lasts until the next begins, and the last one until
// the script has ended.
func readTrace(output string, ended time.Time) []span {
	var spans []span
	var begun []time.Time
	for _, match := range traceLine.FindAllStringSubmatch(output, -1) {
		seconds, _ := strconv.ParseInt(match[1], 10, 64) // they are digits
		micros, _ := strconv.ParseInt(match[2], 10, 64)
		begun = append(begun, time.Unix(seconds, micros*1000))
		spans = append(spans, span{name: commandName(match[3])})
	}
	begun = append(begun, ended)
	for i := range spans {
		spans[i].took = begun[i+1].Sub(begun[i])
	}
	return spans
}

// commandName shortens a command, such as "docker build --tag x .", to what it is called and what it does.
func commandName(command string) string {
	words := strings.Fields(command)
	if len(words) > 1 && strings.HasPrefix(words[1], "-") {
		words = words[:1]
	}
	return strings.Join(words[:min(2, len(words))], " ")
}
