package operations

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

// Web is the process that serves requests. The stack names the others.
const Web = "web"

// ContainerCommand is a command to run in a container of the application, beside what runs there.
type ContainerCommand struct {
	// Process says which container: Web, or one of the stack's processes.
	Process string
	// Words are the command and its arguments, of which each arrives as it is.
	Words []string
	// Terminal gives the command a terminal.
	Terminal bool
}

// findContainer runs a command in a container of the host, after three words: the process, docker's options, and the
// command's first. It finds the container by the names and labels that deploy-scripts/hooks/lib/containers.sh gives, with
// the hooks' variable for their prefix: the newest, because a release's worker starts beside the old one. If docker fails,
// or there is no container, it ends as docker does then, with 125.
//
// It is one line, because it is an argument, and its messages are for a person at the other end.
const findContainer = `app="${APP_NAME:-webapp}" process="$1" options="$2"; shift 2; ` +
	`if [ "$process" = web ]; then set -- "label=com.cicd.app=$app" "name=^/$app-[0-9]*\$" "$@"; ` +
	`else set -- "label=com.cicd.worker=$app" "label=com.cicd.process=$process" "$@"; fi; ` +
	`found="$(sudo docker ps --quiet --filter "$1" --filter "$2")" || exit 125; shift 2; ` +
	`container="$(printf '%s\n' "$found" | head -n 1)"; ` +
	`if [ -z "$container" ]; then echo "No container of $process runs on this host. These do:" ` +
	`$(sudo docker ps --filter "name=^/$app-" --format '{{.Names}}') >&2; exit 125; fi; ` +
	`exec sudo docker exec $options "$container" "$@"`

// remote returns the command for the host's shell.
//
// Of a document for a terminal, the SSM agent has sh run the command. Of one without, it splits the command into words as
// sh would, and runs them (amazon-ssm-agent, agent/session/shell/shell_unix.go, StartCommandExecutor). Both do the same
// with words in single quotes.
//
// The agent replaces {{ssm:NAME}} in a command by a parameter (agent/framework/docparser/docparser.go,
// replaceValidatedSessionParameters), so no two braces follow each other.
func (c ContainerCommand) remote() (string, error) {
	words, options := []string{"sh"}, ""
	if c.Terminal {
		words, options = []string{"exec", "sh"}, "-it" // so that the agent's end of the session ends docker
	}
	words = append(words, "-c", quoted(findContainer), "sh", quoted(c.Process), quoted(options))
	for i, word := range c.Words {
		if !utf8.ValidString(word) {
			return "", fmt.Errorf("word %d of the command, %q, is not UTF-8, which is all that Session Manager takes", i+1, word)
		}
		words = append(words, quoted(word))
	}
	if len(c.Words) == 0 {
		return "", errors.New("there is no command")
	}
	return strings.Join(words, " "), nil
}

// quoted returns text as one word of a shell, whatever is in it.
func quoted(text string) string {
	word := "'" + strings.ReplaceAll(text, "'", `'\''`) + "'"
	for strings.Contains(word, "{{") {
		word = strings.ReplaceAll(word, "{{", "{''{")
	}
	return word
}
