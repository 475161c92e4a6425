// Package appspec reads an appspec.yml exactly as the AWS CodeDeploy agent 1.8 does, with its messages, and collects
// as warnings what the agent would silently ignore.
//
// Rules: github.com/aws/aws-codedeploy-agent, lib/instance_agent/plugins/codedeploy/application_specification/*.rb.
package appspec

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// AppSpec is a valid application specification.
type AppSpec struct {
	Files       []File
	Permissions []Permission
	// Events lists the hooks in file order, and Hooks the scripts of each. An event with a null value is in neither;
	// one with an empty list is in both.
	Events []string
	Hooks  map[string][]Script
	// FileExistsBehavior is DISALLOW, OVERWRITE or RETAIN; "" leaves it to the deployment.
	FileExistsBehavior string
	// Warnings list what the agent silently ignores or misreads, each with its line.
	Warnings []string
}

// File is one entry of the files section.
type File struct{ Source, Destination string }

// Script is one script of a hook.
type Script struct {
	// Location is relative to the bundle's root.
	Location string
	// RunAs is the account to run as; nil for the agent's own.
	RunAs   *string
	Sudo    bool
	Timeout time.Duration
}

// Violation is a message in the agent's own words, including misspellings.
type Violation string

func (v Violation) Error() string { return string(v) }

func violation(format string, args ...any) error { return Violation(fmt.Sprintf(format, args...)) }

// defaultTimeout is the timeout of a script without one (script_info.rb).
const defaultTimeout = 3600 * time.Second

var (
	errEmpty = violation("The deployment failed because the application specification file was empty. " +
		"Make sure your AppSpec file defines at minimum the 'version' and 'os' properties.")
	errNoLocation = violation("The deployment failed because the application specification file specifies a script with no location value. " +
		"Specify the location in the hooks section of the AppSpec file, and then try again.")
	errTimeout = violation("The deployment failed because an invalid timeout value was provided for a script in the application specification file. " +
		"Make corrections in the hooks section of the AppSpec file, and then try again.")
	errNoSource = violation("The deployment failed because the application specification file specifies a destination file, but no source file. " +
		"Update the files section of the AppSpec file, and then try again.")
	errNoObject = violation("The deployment failed because a permission listed in the application specification file has no object value. " +
		"Update the permissions section of the AppSpec file, and then try again.")
)

// Parse reads an application specification. It stops at the first violation, as the agent does; the message is the
// agent's own if it has one (for a wrong YAML type the agent fails with a Ruby NoMethodError or TypeError, for which
// this package has its own words).
func Parse(text []byte) (AppSpec, error) {
	node, err := parseYAML(text)
	if err != nil {
		return AppSpec{}, fmt.Errorf("appspec: %w", err)
	}
	var root any
	if node != nil {
		if root, err = value(node); err != nil {
			return AppSpec{}, fmt.Errorf("appspec: %w", err)
		}
	}
	if !truthy(root) {
		return AppSpec{}, errEmpty
	}
	doc, ok := root.(mapping)
	if _, text := root.(string); !ok && !text { // asked for a key, a Ruby string returns nil
		return AppSpec{}, wrongType("the appspec", "a mapping", root)
	}
	if err := checkHeader(doc); err != nil {
		return AppSpec{}, err
	}
	spec := AppSpec{Warnings: lint(node)}
	if err := spec.parseHooks(doc.get("hooks")); err != nil {
		return AppSpec{}, err
	}
	if spec.Files, err = parseFiles(doc.get("files")); err != nil {
		return AppSpec{}, err
	}
	if spec.Permissions, err = parsePermissions(doc.get("permissions")); err != nil {
		return AppSpec{}, err
	}
	if spec.FileExistsBehavior, err = parseFileExistsBehavior(doc.get("file_exists_behavior")); err != nil {
		return AppSpec{}, err
	}
	return spec, nil
}

// checkHeader checks version and os. Ruby finds 0 in [0.0], so every number equal to zero passes, and no string does.
func checkHeader(doc mapping) error {
	version := doc.get("version")
	if version != int64(0) && version != float64(0) {
		return violation("The deployment failed because an invalid version value (%s) was entered in the application specification file. "+
			"Make sure your AppSpec file specifies \"0.0\" as the version, and then try again.", rubyString(version))
	}
	if os := doc.get("os"); os != "linux" { // linux_util.rb, supported_oses
		return violation("The deployment failed because the application specification file specifies an unsupported operating system (%s). "+
			"Specify either \"linux\" or \"windows\" in the os section of the AppSpec file, and then try again.", rubyString(os))
	}
	return nil
}

func (s *AppSpec) parseHooks(section any) error {
	s.Hooks = map[string][]Script{}
	if !truthy(section) {
		return nil
	}
	hooks, ok := section.(mapping)
	if !ok {
		return wrongType("hooks", "a mapping of lifecycle events to lists of scripts", section)
	}
	for i, key := range hooks.keys {
		if !truthy(hooks.values[i]) {
			continue
		}
		event := rubyString(key)
		list, ok := hooks.values[i].([]any)
		if !ok {
			return wrongType("hooks: "+event, "a list of scripts", hooks.values[i])
		}
		s.Events = append(s.Events, event)
		s.Hooks[event] = nil
		for _, item := range list {
			script, err := parseScript(event, item)
			if err != nil {
				return err
			}
			s.Hooks[event] = append(s.Hooks[event], script)
		}
	}
	return nil
}

func parseScript(event string, item any) (Script, error) {
	entry, ok := item.(mapping)
	if !ok {
		return Script{}, wrongType("hooks: "+event, "scripts with a location", item)
	}
	location := strings.TrimSpace(rubyString(entry.get("location")))
	if location == "" {
		return Script{}, errNoLocation
	}
	script := Script{Location: location, Sudo: truthy(entry.get("sudo")), Timeout: defaultTimeout}
	if runAs := entry.get("runas"); runAs != nil {
		name := strings.TrimSpace(rubyString(runAs))
		script.RunAs = &name
	}
	if timeout := entry.get("timeout"); truthy(timeout) {
		seconds, ok := rubyInteger(timeout)
		if !ok {
			return Script{}, wrongType("hooks: "+event+": timeout", "a number of seconds", timeout)
		}
		script.Timeout = time.Duration(seconds) * time.Second
	}
	if script.Timeout <= 0 {
		return Script{}, errTimeout
	}
	return script, nil
}

func parseFiles(section any) ([]File, error) {
	list, err := entries("files", section)
	if err != nil {
		return nil, err
	}
	var files []File
	for _, entry := range list {
		source, destination := entry.get("source"), entry.get("destination")
		if source == nil {
			return nil, errNoSource
		}
		if destination == nil {
			return nil, violation("The deployment failed because the application specification file specifies only a source file (%s). "+
				"Add the name of the destination file to the files section of the AppSpec file, and then try again.", rubyString(source))
		}
		from, ok := source.(string)
		if !ok {
			return nil, wrongType("files: source", "text", source)
		}
		to, ok := destination.(string)
		if !ok {
			return nil, wrongType("files: destination", "text", destination)
		}
		files = append(files, File{Source: from, Destination: to})
	}
	return files, nil
}

func parseFileExistsBehavior(v any) (string, error) {
	switch v {
	case nil:
		return "", nil
	case "DISALLOW", "OVERWRITE", "RETAIN":
		return v.(string), nil
	}
	return "", violation("The deployment failed because an invalid file_exists_behavior value (%s) was entered in the application specification file. "+
		"Make sure your AppSpec file specifies one of DISALLOW,OVERWRITE,RETAIN as the file_exists_behavior, and then try again.", rubyString(v))
}

// entries reads a section that must be a list of mappings; an absent one is empty.
func entries(section string, v any) ([]mapping, error) {
	if m, ok := v.(mapping); !truthy(v) || ok && len(m.keys) == 0 {
		return nil, nil
	}
	list, ok := v.([]any)
	if !ok {
		return nil, wrongType(section, "a list", v)
	}
	out := make([]mapping, len(list))
	for i, item := range list {
		if out[i], ok = item.(mapping); !ok {
			return nil, wrongType(section, "a list of mappings", item)
		}
	}
	return out, nil
}

// truthy is Ruby's truth: everything but nil and false.
func truthy(v any) bool { return v != nil && v != false }

// rubyInteger is Ruby's to_i, which stops at the first character that is not a digit ("10m" is 10, "soon" is 0).
// Lists, mappings, true and symbols have no to_i.
func rubyInteger(v any) (int64, bool) {
	switch v := v.(type) {
	case int64:
		return v, true
	case float64:
		return int64(v), true
	case string:
		s := strings.TrimSpace(v)
		end := 0
		for end < len(s) && (s[end] >= '0' && s[end] <= '9' || end == 0 && (s[0] == '-' || s[0] == '+')) {
			end++
		}
		n, _ := strconv.ParseInt(s[:end], 10, 64) // no digits: 0, as in Ruby
		return n, true
	}
	return 0, false
}

func wrongType(what, want string, got any) error {
	return fmt.Errorf("%s: want %s, not %s", what, want, rubyInspect(got))
}
