package appspec

import (
	"fmt"
	"slices"

	"go.yaml.in/yaml/v3"

	"cicd/internal/nearest"
)

// Keys that the agent reads. It silently skips every other key, so a typo means "not set".
var (
	rootKeys       = []string{"version", "os", "files", "permissions", "hooks", "file_exists_behavior"}
	fileKeys       = []string{"source", "destination"}
	permissionKeys = []string{"object", "pattern", "except", "type", "owner", "group", "mode", "acls", "context"}
	contextKeys    = []string{"name", "type", "range"}
	scriptKeys     = []string{"location", "timeout", "runas", "sudo"}
)

// lint collects what the agent would ignore or misread. It ignores what the agent rejects.
func lint(root *yaml.Node) []string {
	warnings := unknownKeys(root, "", rootKeys)
	for _, file := range child(root, "files").Content {
		warnings = append(warnings, unknownKeys(file, "files", fileKeys)...)
	}
	for _, permission := range child(root, "permissions").Content {
		warnings = append(warnings, unknownKeys(permission, "permissions", permissionKeys)...)
		warnings = append(warnings, unknownKeys(child(permission, "context"), "permissions: context", contextKeys)...)
		mode := child(permission, "mode")
		if mode.Style == 0 && octalPattern.MatchString(mode.Value) {
			number, _ := plain(mode.Value) // an octal number always parses
			warnings = append(warnings, fmt.Sprintf("appspec line %d: mode %s: YAML reads an unquoted number with a leading zero as octal, so the agent sees %s; write %q",
				mode.Line, mode.Value, rubyString(number), mode.Value))
		}
	}
	hooks := child(root, "hooks")
	for i := 1; i < len(hooks.Content); i += 2 {
		for _, script := range hooks.Content[i].Content {
			warnings = append(warnings, unknownKeys(script, "hooks: "+hooks.Content[i-1].Value, scriptKeys)...)
		}
	}
	return warnings
}

func unknownKeys(n *yaml.Node, where string, known []string) []string {
	if n.Kind != yaml.MappingNode {
		return nil
	}
	var warnings []string
	for i := 0; i < len(n.Content); i += 2 {
		key := n.Content[i]
		if slices.Contains(known, key.Value) {
			continue
		}
		warning := fmt.Sprintf("appspec line %d: the agent ignores the key %q", key.Line, key.Value)
		if where != "" {
			warning += " in " + where
		}
		if near := nearest.Word(key.Value, known); near != "" {
			warning += fmt.Sprintf("; did you mean %q?", near)
		}
		warnings = append(warnings, warning)
	}
	return warnings
}

// child returns the value under key, or an empty node if n has no such key.
func child(n *yaml.Node, key string) *yaml.Node {
	if n.Kind == yaml.MappingNode {
		for i := 0; i < len(n.Content); i += 2 {
			if n.Content[i].Value == key {
				return n.Content[i+1]
			}
		}
	}
	return &yaml.Node{}
}
