package iam

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/aws/arn"
)

// token is one element of a pattern.
type token struct {
	char rune // the character to match, or the wildcard * or ? if wildcard is set
	// wildcard distinguishes "*" (any number of characters) and "?" (exactly one) from the characters themselves.
	wildcard bool
	// inSegment keeps a wildcard from matching a colon.
	inSegment bool
}

// pattern is a value in a policy, with policy variables already substituted.
type pattern []token

// compile parses text as a pattern. The value of a policy variable never acts as a wildcard.
func compile(text string, vars variables) (pattern, error) {
	var p pattern
	for text != "" {
		if vars.enabled && strings.HasPrefix(text, "${") {
			name, rest, closed := strings.Cut(text[2:], "}")
			if !closed {
				return nil, fmt.Errorf("policy variable %q is not closed with }", text)
			}
			value, err := vars.resolve(name)
			if err != nil {
				return nil, err
			}
			for _, char := range value {
				p = append(p, token{char: char})
			}
			text = rest
			continue
		}
		char, size := utf8.DecodeRuneInString(text)
		p = append(p, token{char: char, wildcard: char == '*' || char == '?'})
		text = text[size:]
	}
	return p, nil
}

// compileResource parses a value of a Resource element. In the five segments before the resource part a wildcard does
// not cross a colon, except that a "*" at the end of its segment does (IAM User Guide, "IAM JSON policy elements:
// Resource").
func compileResource(text string, vars variables) (pattern, error) {
	var p pattern
	parts := segments(text)
	for text != "*" && len(parts) < arnSegments {
		// "AWS automatically completes the ARN by adding wildcard characters (*) to all missing fields" (IAM User Guide,
		// "Identify AWS resources with Amazon Resource Names (ARNs)").
		parts = append(parts, "*")
	}
	for i, segment := range parts {
		compiled, err := compile(segment, vars)
		if err != nil {
			return nil, err
		}
		if i > 0 {
			p = append(p, token{char: ':'})
		}
		for j, t := range compiled {
			last := j == len(compiled)-1 && t.char == '*'
			t.inSegment = i < arnSegments-1 && !last
			p = append(p, t)
		}
	}
	return p, nil
}

// arnSegments is the number of an ARN's parts, arn:partition:service:region:account:resource. Only the last may
// contain colons.
const arnSegments = 6

// segments splits an ARN in a policy. arn.Parse would require all six parts, but a policy may omit the last ones, and
// needs its own message if it omits others.
func segments(text string) []string { return strings.SplitN(text, ":", arnSegments) }

// arnOf returns the parts of a request's ARN, all empty if it is not an ARN, such as "*".
func arnOf(text string) arn.ARN {
	a, _ := arn.Parse(text)
	return a
}

// String returns the pattern as text, with wildcards as * and ?.
func (p pattern) String() string {
	var b strings.Builder
	for _, t := range p {
		b.WriteRune(t.char)
	}
	return b.String()
}

// match reports whether the pattern matches all of text. It tracks all possible matches at once, so it never takes
// longer than the pattern's length times the text's.
func (p pattern) match(text string) bool {
	reached := make([]bool, len(p)+1) // reached[i]: p[:i] matches the text read so far
	reached[0] = true
	p.skipStars(reached)
	for _, char := range text {
		next := make([]bool, len(p)+1)
		for i, t := range p {
			if !reached[i] {
				continue
			}
			switch wild := t.wildcard && !(t.inSegment && char == ':'); {
			case wild && t.char == '*':
				next[i] = true
			case wild || !t.wildcard && t.char == char:
				next[i+1] = true
			}
		}
		p.skipStars(next)
		reached = next
	}
	return reached[len(p)]
}

// skipStars lets every "*" match nothing.
func (p pattern) skipStars(reached []bool) {
	for i, t := range p {
		if reached[i] && t.wildcard && t.char == '*' {
			reached[i+1] = true
		}
	}
}

// matchARN compares an ARN with a value of an ARN condition operator, segment by segment.
func matchARN(want pattern, got string) bool {
	parts := segments(got)
	if len(parts) != arnSegments {
		return false
	}
	for i, segment := range parts {
		end := len(want)
		if i < arnSegments-1 {
			if end = want.colon(); end < 0 {
				return false
			}
		}
		if !want[:end].match(segment) {
			return false
		}
		want = want[min(end+1, len(want)):]
	}
	return true
}

// colon returns the index of the first colon, or -1.
func (p pattern) colon() int {
	for i, t := range p {
		if t.char == ':' {
			return i
		}
	}
	return -1
}
