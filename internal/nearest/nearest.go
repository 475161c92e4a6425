// Package nearest finds the word that a typo most likely stands for.
package nearest

import (
	"strings"

	"github.com/agext/levenshtein"
)

// Word returns the known word with the smallest edit distance, ignoring case; "" if the nearest is unlikely to be
// what was meant: more than half of it would have to change.
func Word(word string, known []string) string {
	best, distance := "", len(word)/2+1
	for _, candidate := range known {
		if d := levenshtein.Distance(strings.ToLower(word), strings.ToLower(candidate), nil); d < distance {
			best, distance = candidate, d
		}
	}
	return best
}
