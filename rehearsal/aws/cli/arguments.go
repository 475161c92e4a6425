package cli

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// option is an option of a command. It takes one value, which a call must give, unless it says otherwise.
type option struct {
	flag     bool // it takes no value
	many     bool // it takes the values up to the next option
	optional bool
	want     *regexp.Regexp // each value must match; nil for any
}

var (
	required = option{}
	flag     = option{flag: true, optional: true}
	// common are the options of every command.
	common = map[string]option{
		"--region": {want: regexp.MustCompile(`^.+$`)},
		"--query":  {optional: true},
		"--output": {optional: true, want: regexp.MustCompile(`^(json|text)$`)},
	}
)

// arguments are the values that a call gives, by option; those without one are by the command's names for them.
type arguments map[string][]string

// one returns the value of an option; "" if it is not given.
func (a arguments) one(name string) string { return strings.Join(a[name], "") }

// has reports whether an option is given.
func (a arguments) has(name string) bool { _, ok := a[name]; return ok }

// parse parses "service operation --option value ... file".
func parse(args []string) (command, arguments, error) {
	c, ok := commands[strings.Join(args[:min(2, len(args))], " ")]
	if !ok {
		return c, nil, unserved(args)
	}
	given := arguments{}
	positional := slices.Clone(c.positional)
	for rest := args[2:]; len(rest) > 0; {
		name, values := rest[0], rest[1:]
		rest = values
		want, known := c.option(name)
		switch {
		case known && want.many:
			rest = rest[wordsIn(rest):]
		case known && !want.flag && len(rest) > 0:
			rest = rest[1:]
		case !known && !isOption(name) && len(positional) > 0:
			given[positional[0]] = []string{name}
			positional = positional[1:]
			continue
		}
		values = values[:len(values)-len(rest)]
		if !known || len(values) == 0 && !want.flag || !want.takes(values) {
			return c, nil, unserved(args)
		}
		given[name] = values
	}
	if missing := c.missing(given); len(missing) > 0 {
		return c, nil, fmt.Errorf("the following arguments are required: %s", strings.Join(missing, ", "))
	}
	return c, given, nil
}

// option returns what is known of an option of the command.
func (c command) option(name string) (option, bool) {
	o, ok := c.options[name]
	if !ok {
		o, ok = common[name]
	}
	return o, ok
}

// missing returns the arguments that a call lacks.
func (c command) missing(given arguments) []string {
	var names []string
	for _, options := range []map[string]option{common, c.options} {
		for _, name := range slices.Sorted(maps.Keys(options)) {
			if !options[name].optional && !given.has(name) {
				names = append(names, name)
			}
		}
	}
	for _, name := range c.positional {
		if !given.has(name) {
			names = append(names, name)
		}
	}
	return names
}

// takes reports whether the option can have these values. The real CLI also reads values from files, if they begin with
// file://, and JSON for lists.
func (o option) takes(values []string) bool {
	return !slices.ContainsFunc(values, func(value string) bool {
		fromFile := strings.HasPrefix(value, "file://") || strings.HasPrefix(value, "fileb://")
		return isOption(value) || fromFile || o.many && strings.HasPrefix(value, "[") || o.want != nil && !o.want.MatchString(value)
	})
}

func isOption(argument string) bool { return strings.HasPrefix(argument, "--") }

// wordsIn returns how many arguments there are before the next option.
func wordsIn(args []string) int {
	if n := slices.IndexFunc(args, isOption); n >= 0 {
		return n
	}
	return len(args)
}

func unserved(args []string) error {
	return fmt.Errorf("the rehearsal's built-in aws does not support %q; install the AWS CLI, version 1.29, 2.13 or newer, "+
		"to make this call (https://docs.aws.amazon.com/cli/latest/userguide/getting-started-install.html)",
		"aws "+strings.Join(args, " "))
}
