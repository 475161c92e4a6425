// Package appspec reads an appspec.yml exactly as the AWS CodeDeploy agent 1.8 does, with its messages, and collects
// as warnings what the agent would silently ignore.
//
// Rules: github.com/aws/aws-codedeploy-agent, lib/instance_agent/plugins/codedeploy/application_specification/*.rb.
package appspec

import (
	"fmt"
	"math"
	"time"

	"go.yaml.in/yaml/v3"
)

// AppSpec is a valid application specification.
type AppSpec struct {
	Files       []File
	Permissions []Permission
	// Events lists the hooks in file order, and Hooks the scripts of each. An event with a null value is in neither;
	// one with an empty list is in both.
	// An event is text; any other value is one that no deployment knows.
	Events []any
	Hooks  map[string][]Script
	// FileExistsBehavior is DISALLOW, OVERWRITE or RETAIN; "" leaves it to the deployment.
	FileExistsBehavior string
	// Warnings list what the agent silently ignores or misreads, each with its line.
	Warnings []string
}

// File is one entry of the files section.
type File struct {
	Source, Destination string
	// Err is why it cannot be installed: the agent minds the types of an entry only then.
	Err error
}

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

// Parse reads an application specification. It stops at the first violation, as the agent does, with its message: a
// Violation, or for a value of the wrong type the *Error that Ruby raises. Only a syntax error of YAML has other words.
func Parse(text []byte) (AppSpec, error) {
	node, err := parseYAML(text)
	if err != nil {
		return AppSpec{}, err
	}
	return parseNode(node)
}

func parseNode(node *yaml.Node) (AppSpec, error) {
	var root any
	var err error
	if node != nil {
		if root, err = value(node); err != nil {
			return AppSpec{}, err
		}
	}
	if !truthy(root) {
		return AppSpec{}, errEmpty
	}
	if _, err := index(root, "version", "the appspec"); err != nil {
		return AppSpec{}, err
	}
	get := func(key string) any { // text can be asked for any key, too
		v, _ := index(root, key, "the appspec")
		return v
	}
	if err := checkHeader(get("version"), get("os")); err != nil {
		return AppSpec{}, err
	}
	spec := AppSpec{Warnings: lint(node)}
	if err := spec.parseHooks(get("hooks")); err != nil {
		return AppSpec{}, err
	}
	if spec.Files, err = parseFiles(get("files")); err != nil {
		return AppSpec{}, err
	}
	if spec.Permissions, err = parsePermissions(get("permissions")); err != nil {
		return AppSpec{}, err
	}
	if spec.FileExistsBehavior, err = parseFileExistsBehavior(get("file_exists_behavior")); err != nil {
		return AppSpec{}, err
	}
	return spec, nil
}

// checkHeader checks version and os. Ruby finds 0 in [0.0], so every number equal to zero passes, and no string does.
func checkHeader(version, os any) error {
	if version != int64(0) && version != float64(0) {
		return violation("The deployment failed because an invalid version value (%s) was entered in the application specification file. "+
			"Make sure your AppSpec file specifies \"0.0\" as the version, and then try again.", rubyString(version))
	}
	if os != "linux" { // linux_util.rb, supported_oses
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
		return noMethod("each_pair", section, "hooks", "a mapping of lifecycle events to lists of scripts")
	}
	for i, key := range hooks.keys {
		if !truthy(hooks.values[i]) {
			continue
		}
		where := "hooks: " + rubyString(key)
		list, err := each(hooks.values[i], where, "a list of scripts")
		if err != nil {
			return err
		}
		var scripts []Script
		for _, item := range list {
			script, err := parseScript(where, item)
			if err != nil {
				return err
			}
			scripts = append(scripts, script)
		}
		s.Events = append(s.Events, key)
		if event, ok := key.(string); ok {
			s.Hooks[event] = scripts
		}
	}
	return nil
}

func parseScript(where string, item any) (Script, error) {
	entry, ok := item.(mapping)
	if !ok {
		return Script{}, noMethod("has_key?", item, where, "scripts with a location")
	}
	location := Strip(rubyString(entry.get("location")))
	if location == "" {
		return Script{}, errNoLocation
	}
	script := Script{Location: location, Sudo: truthy(entry.get("sudo")), Timeout: defaultTimeout}
	if runAs := entry.get("runas"); runAs != nil {
		name := Strip(rubyString(runAs))
		script.RunAs = &name
	}
	if timeout := entry.get("timeout"); truthy(timeout) {
		seconds, err := rubyInteger(timeout, where+": timeout")
		if err != nil {
			return Script{}, err
		}
		script.Timeout = time.Duration(min(seconds, math.MaxInt64/int64(time.Second))) * time.Second
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
		source, err := index(entry, "source", "files")
		if err != nil {
			return nil, err
		}
		destination, _ := index(entry, "destination", "files") // what has no index has failed before
		if source == nil {
			return nil, errNoSource
		}
		if destination == nil {
			return nil, violation("The deployment failed because the application specification file specifies only a source file (%s). "+
				"Add the name of the destination file to the files section of the AppSpec file, and then try again.", rubyString(source))
		}
		var file File
		var sourceIsText, destinationIsText bool
		file.Source, sourceIsText = source.(string)
		file.Destination, destinationIsText = destination.(string)
		switch {
		case !sourceIsText:
			file.Err = noConversion(source, "String", "files: source", "text")
		case !destinationIsText:
			file.Err = noConversion(destination, "String", "files: destination", "text")
		}
		files = append(files, file)
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

// entries returns the items of a section; an absent one has none.
func entries(section string, v any) ([]any, error) {
	if !truthy(v) {
		return nil, nil
	}
	return each(v, section, "a list")
}
