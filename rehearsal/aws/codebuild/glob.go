package codebuild

import (
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
)

// globPattern compiles a buildspec's path pattern: "*" and "?" match within one name, "**" across folders, and "**/"
// also matches nothing at all ("'**/*' represents all files recursively"). The library for a pipeline's triggers is not
// for these: it refuses a class of two ranges and a bracket alone, and braces mean something to it.
func globPattern(pattern string) (*regexp.Regexp, error) {
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

// cleanPattern removes "./" and doubled slashes from a pattern.
func cleanPattern(pattern string) string { return strings.TrimPrefix(path.Clean(pattern), "/") }

// listFiles returns everything under root except folders, as relative paths with slashes, in lexical order. It does
// not follow symbolic links to folders.
func listFiles(root string) ([]string, error) {
	var files []string
	err := filepath.WalkDir(root, func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		rel, err := filepath.Rel(root, p)
		files = append(files, filepath.ToSlash(rel))
		return err
	})
	return files, err
}

func isDir(name string) bool {
	info, err := os.Stat(name)
	return err == nil && info.IsDir()
}
