package codebuild

import (
	"cmp"
	"slices"
	"strings"
)

// mask is what CodeBuild shows in a log in place of parameters and secrets: "To protect sensitive information, the
// following are hidden in CodeBuild logs: […] Strings specified using the Parameter Store. […] Strings specified using
// AWS Secrets Manager" (User Guide, "Build specification reference", env; the third, AWS access key ids, are shown
// here). A text is replaced wherever it occurs, also in commands (DevelopersIO, "tsnote-codebuild-build-log-hidden-
// values"). That a text of several lines is hidden the guide does not say, so here it is not.
const mask = "***"

// masking replaces secrets in a text that comes in pieces. Its zero value replaces nothing.
type masking struct {
	secrets  []string // longest first
	replacer *strings.Replacer
}

func newMasking(values []string) *masking {
	var m masking
	for _, value := range values {
		if value != "" && !strings.Contains(value, "\n") {
			m.secrets = append(m.secrets, value)
		}
	}
	slices.SortFunc(m.secrets, func(a, b string) int { return cmp.Compare(len(b), len(a)) })
	var pairs []string
	for _, secret := range m.secrets {
		pairs = append(pairs, secret, mask)
	}
	m.replacer = strings.NewReplacer(pairs...)
	return &m
}

// apply returns the text without secrets.
func (m *masking) apply(text []byte) []byte {
	if m == nil || len(m.secrets) == 0 {
		return text
	}
	return []byte(m.replacer.Replace(string(text)))
}

// heldBack returns how much of the end of the text could be the beginning of a secret.
func (m *masking) heldBack(text []byte) int {
	most := 0
	if m != nil {
		for _, secret := range m.secrets {
			most = max(most, beginningAtEnd(text, secret))
		}
	}
	return most
}

// beginningAtEnd returns the length of the longest proper beginning of word with which the text ends.
func beginningAtEnd[Word string | []byte](text []byte, word Word) int {
	for n := min(len(text), len(word)-1); n > 0; n-- {
		if string(text[len(text)-n:]) == string(word[:n]) {
			return n
		}
	}
	return 0
}
