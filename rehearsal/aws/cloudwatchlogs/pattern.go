package cloudwatchlogs

import (
	"regexp"
	"slices"
	"strings"

	"cicd/rehearsal/aws/awserror"
)

// pattern is a filter pattern for text (User Guide, "Filter pattern syntax": "Match terms in unstructured log events"):
// all of some terms, one of others, and none of the rest.
type pattern struct{ all, some, none []*regexp.Regexp }

// term is an optional ? or -, and a word or a text in quotation marks.
var term = regexp.MustCompile(`^([?-]?)(?:"((?:[^"\\]|\\.)+)"|([A-Za-z0-9_]+))(?:\s+|$)`)

// parsePattern reads the terms of a pattern. Those for JSON, for fields and regular expressions are not rehearsed.
func parsePattern(text string) (pattern, error) {
	var p pattern
	text = strings.TrimSpace(text)
	if text != "" && strings.ContainsAny(text[:1], "{[%") {
		return p, awserror.New(invalid, "Invalid filter pattern: a rehearsal does not know patterns for JSON, for fields, and regular expressions, only terms: %s", text)
	}
	for rest := text; rest != ""; {
		m := term.FindStringSubmatch(rest)
		if m == nil {
			return p, awserror.New(invalid, "Invalid filter pattern: put a term with other characters than letters, digits and _ in double quotation marks: %s", rest)
		}
		rest = rest[len(m[0]):]
		// A word is whole, a text in quotation marks need not be: `messages contain the word ERROR`, and "exact
		// phrases".
		match := regexp.MustCompile(`\b` + regexp.QuoteMeta(m[3]) + `\b`)
		if m[2] != "" {
			match = regexp.MustCompile(regexp.QuoteMeta(unquote.Replace(m[2])))
		}
		switch m[1] {
		case "?":
			p.some = append(p.some, match)
		case "-":
			p.none = append(p.none, match)
		default:
			p.all = append(p.all, match)
		}
	}
	if len(p.all)+len(p.none) > 0 {
		p.some = nil // ? is ignored beside other terms, says the guide
	}
	return p, nil
}

var unquote = strings.NewReplacer(`\"`, `"`, `\\`, `\`)

func (p pattern) matches(message string) bool {
	found := func(term *regexp.Regexp) bool { return term.MatchString(message) }
	lacks := func(term *regexp.Regexp) bool { return !found(term) }
	return !slices.ContainsFunc(p.all, lacks) && !slices.ContainsFunc(p.none, found) && (len(p.some) == 0 || slices.ContainsFunc(p.some, found))
}
