package infra

import (
	"fmt"
	"strings"

	"github.com/kballard/go-shellquote"
)

// operators are what a shell acts on outside of quotes, and expansions what it also replaces inside double quotes
// (POSIX, Shell Command Language, "Quoting").
const (
	operators  = "|&;<>()\n\r"
	expansions = "$`"
)

// splitCommand returns a command's words as a POSIX shell splits them, with quotes and backslashes, or what is wrong
// with the command and what is wanted. No shell runs the words, so what only a shell could act on is wrong.
func splitCommand(command string) (words []string, problem string) {
	words, err := shellquote.Split(command)
	if err != nil {
		return nil, "has a quote that is not closed, or ends in a backslash"
	}
	if operator := unquoted(command); operator != 0 {
		return nil, fmt.Sprintf("has %q, and no shell runs it: want one in quotes, as in sh -c 'first && second'", operator)
	}
	return words, ""
}

// unquoted returns the first character of a command that a shell would act on, or 0.
func unquoted(command string) rune {
	var quote rune // the open one, or 0
	escaped := false
	for _, c := range command {
		switch {
		case escaped:
			escaped = false
		case c == '\\' && quote != '\'':
			escaped = true
		case c == quote:
			quote = 0
		case quote == 0 && (c == '\'' || c == '"'):
			quote = c
		case quote != '\'' && strings.ContainsRune(expansions, c), quote == 0 && strings.ContainsRune(operators, c):
			return c
		}
	}
	return 0
}
