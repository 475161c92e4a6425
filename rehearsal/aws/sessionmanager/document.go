package sessionmanager

import (
	"regexp"
	"slices"
	"strings"

	"github.com/google/shlex"

	"cicd/rehearsal/aws/awserror"
)

// document is a session document.
type document struct {
	account    bool // it belongs to the account, not to AWS
	parameters []string
	// command makes what the agent runs of the parameters.
	command func(parameters map[string]string) (Command, error)
}

// defaultDocument is that of a session that names none.
const defaultDocument = "SSM-SessionManagerRunShell"

// documents are those that are served, by name. The parameters are those that AWS's documents declare.
var documents = map[string]document{
	defaultDocument: {account: true, command: func(map[string]string) (Command, error) {
		return Command{Words: []string{"sh"}, Terminal: true}, nil
	}},
	"AWS-StartInteractiveCommand": {parameters: []string{"command"}, command: func(p map[string]string) (Command, error) {
		return Command{Words: []string{"sh", "-c", p["command"]}, Terminal: true}, nil
	}},
	"AWS-StartNonInteractiveCommand": {
		parameters: []string{"command", "separateOutputStream", "stdoutSeparatorPrefix", "stderrSeparatorPrefix"},
		command:    nonInteractive,
	},
}

// nonInteractive splits the command as the agent does, without a shell (agent/session/shell/shell_unix.go,
// StartCommandExecutor).
func nonInteractive(p map[string]string) (Command, error) {
	words, err := shlex.Split(p["command"])
	switch {
	case err != nil:
		return Command{}, awserror.New("InvalidParameters", "Failed to parse commands input: %v", err)
	case len(words) == 0:
		return Command{}, awserror.New("InvalidParameters", "Commands cannot be empty for session type NonInteractiveCommands")
	case p["stdoutSeparatorPrefix"]+p["stderrSeparatorPrefix"] != "":
		return Command{}, awserror.New("InvalidParameters", "a rehearsal puts no prefix before what a command prints")
	case !slices.Contains([]string{"", "true", "false"}, p["separateOutputStream"]):
		return Command{}, awserror.New("InvalidParameters", "Parameter \"separateOutputStream\" has to be one of [true,false]")
	}
	return Command{Words: words, ExitCode: p["separateOutputStream"] == "true"}, nil
}

// valueLimit is the longest value of a parameter, in characters (service model, SessionManagerParameterValue).
const valueLimit = 65535

// resolved is what the agent replaces by a parameter of Parameter Store (agent/framework/docparser/docparser.go,
// replaceValidatedSessionParameters).
var resolved = regexp.MustCompile(`\{\{ *ssm(-secure)?:`)

// values checks parameters, each of which has one value. Of the texts only the code's name is AWS's.
func (d document) values(name string, parameters map[string][]string) (map[string]string, error) {
	values := map[string]string{}
	for key, list := range parameters {
		switch {
		case !slices.Contains(d.parameters, key):
			return nil, awserror.New("InvalidParameters", "Parameter %q is not defined in document %s", key, name)
		case len(list) != 1:
			return nil, awserror.New("InvalidParameters", "Parameter %q must have one value", key)
		case len([]rune(list[0])) > valueLimit:
			return nil, awserror.Constraint("ValidationException", "...", "parameters", "Map value must satisfy constraint: [Member must have length less than or equal to 65535]")
		case resolved.MatchString(list[0]):
			return nil, awserror.New("InvalidParameters", "a rehearsed host does not resolve parameters within a command: %s", resolved.FindString(list[0]))
		}
		values[key] = list[0]
	}
	if slices.Contains(d.parameters, "command") && strings.TrimSpace(values["command"]) == "" {
		return nil, awserror.New("InvalidParameters", "Parameter \"command\" is required by document %s", name)
	}
	return values, nil
}
