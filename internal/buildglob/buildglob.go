// Package buildglob has the path patterns of buildspecs.
package buildglob

import (
	"path"
	"regexp"
	"strings"
)

// Compile compiles a buildspec's path pattern: "*" and "?" match within one name, "**" across folders, and "**/"
// also matches nothing at all ("'**/*' represents all files recursively"). The library for a pipeline's triggers is not
// for these: it refuses a class of two ranges and a bracket alone, and braces mean something to it.
func Compile(pattern string) (*regexp.Regexp, error) {
	var re strings.Builder
	re.WriteString(`\A`)
	for i := 0; i < len(pattern); i++ {
		switch rest := pattern[i:]; {
		case strings.HasPrefix(rest, "**/"):
			re.WriteString(`(?:[^/]*/)*`)
			i += 2
		case strings.HasPrefix(rest, "**"):
			re.WriteString(`.*`)
			i++
		case rest[0] == '*':
			re.WriteString(`[^/]*`)
		case rest[0] == '?':
			re.WriteString(`[^/]`)
		case rest[0] == '[' && strings.IndexByte(rest, ']') > 1:
			end := strings.IndexByte(rest, ']')
			class := strings.ReplaceAll(rest[1:end], `\`, `\\`)
			if class[0] == '!' {
				class = "^" + class[1:]
			}
			re.WriteString("[" + class + "]")
			i += end
		default:
			re.WriteString(regexp.QuoteMeta(rest[:1]))
		}
	}
	re.WriteString(`\z`)
	return regexp.Compile(`(?s)` + re.String())
}

// Clean removes "./" and doubled slashes from a pattern.
func Clean(pattern string) string { return strings.TrimPrefix(path.Clean(pattern), "/") }
