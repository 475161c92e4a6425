package infra

import "regexp"

// maxProcesses is how many workers one host is meant to run beside the application.
const maxProcesses = 10

var (
	// processPattern keeps a process's name within those of containers and log streams, which it is a part of.
	processPattern = regexp.MustCompile(`^[a-z]([a-z0-9-]{0,28}[a-z0-9])?$`)

	// takenProcesses are the names by which the hooks call other containers and log streams.
	takenProcesses = map[string]bool{"web": true, "release-command": true, "edge": true, "retired": true, "next": true}
)

// checkReleaseCommand accepts no command at all.
func checkReleaseCommand(command string) string {
	if command == "" {
		return ""
	}
	return checkCommand(command)
}

func checkCommand(command string) string {
	words, problem := splitCommand(command)
	switch {
	case problem != "":
		return problem
	case len(words) == 0 || words[0] == "":
		return "want a command, such as `bin/worker --queue mail`"
	}
	return checkText(command)
}

// checkProcess checks a process's name and its command.
func checkProcess(name, command string) string {
	switch {
	case !processPattern.MatchString(name):
		return "want a name of at most 30 lower-case letters, digits and hyphens, a letter first, such as worker"
	case takenProcesses[name]:
		return "the name has a meaning of its own: want another one, such as worker"
	}
	return checkCommand(command)
}
