// Package shellword writes texts for a POSIX shell to read.
package shellword

import (
	"regexp"
	"strings"
)

var plain = regexp.MustCompile(`^[A-Za-z0-9_./:@+-]+$`)

// Quote returns a text as one literal word, in quotes where it has more than letters, digits and a few signs.
func Quote(text string) string {
	if plain.MatchString(text) {
		return text
	}
	return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'"
}
