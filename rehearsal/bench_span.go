package rehearsal

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// span is how long one step took.
type span struct {
	name  string
	inner bool // it is a part of the step that is reported next
	took  time.Duration
}

func (s span) String() string {
	name := s.name
	if s.inner {
		name = "  " + name
	}
	return fmt.Sprintf("%-22s %6.2f s", name, s.took.Seconds())
}

// stepName names a step of the console: one without a name begins with what is done, and is a part of a larger one.
func stepName(name, what string) string {
	first, _, _ := strings.Cut(what, " ")
	return cmp.Or(name, first)
}

// part records a part of the next step that the console has no line for.
func (c *console) part(name string, took time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.spans = append(c.spans, span{name, true, took})
}

// takeSpans returns the spans since it was called last.
func (c *console) takeSpans() []span {
	c.mu.Lock()
	defer c.mu.Unlock()
	spans := c.spans
	c.spans = nil
	return spans
}

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
