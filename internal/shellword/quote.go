// Package shellword quotes text for a POSIX shell.
package shellword

import (
	"regexp"
	"strings"
)

var plain = regexp.MustCompile(`^[A-Za-z0-9_./:@+-]+$`)

// Quote returns text as one literal word, in quotes if it contains more than letters, digits and a few signs.
func Quote(text string) string {
	if plain.MatchString(text) {
		return text
	}
	return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'"
}
