package appspec

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// ParseTyped reads an application specification as the agent 2 does: the same rules and messages, but each value has a
// type, and YAML is 1.2. So an unquoted mode 0755 is what it says, and timeout: "10" is an error
// (aws-codedeploy-agent 2, src/application_specification/parse.rs; serde_yaml's own wording is only approximated).
func ParseTyped(text []byte) (AppSpec, error) {
	if strings.TrimSpace(string(text)) == "" {
		return AppSpec{}, errEmpty
	}
	node, err := parseYAML(text)
	if err != nil {
		return AppSpec{}, yamlError(err.Error())
	}
	if node == nil {
		return AppSpec{}, errEmpty
	}
	if err := checkTypes(node, rootType, ""); err != nil {
		return AppSpec{}, err
	}
	asText(node, rootType)
	spec, err := parseNode(node)
	for _, scripts := range spec.Hooks {
		for i := range scripts {
			if scripts[i].RunAs != nil && *scripts[i].RunAs == "" {
				scripts[i].RunAs = nil
			}
		}
	}
	return spec, err
}

func yamlError(format string, args ...any) error {
	return violation("The deployment failed because of a YAML parsing error: "+format, args...)
}

// valueType is the type of a value in the AppSpec: of Rust's, or a list or mapping of others.
type valueType struct {
	name   string               // "a string", "u32", "f64", "a boolean", "a sequence" or "a map"
	items  *valueType           // of a list
	fields map[string]valueType // of a mapping; "" stands for every other key
	needed []string             // keys of a mapping
	null   bool                 // null is allowed
}

var (
	textType   = valueType{name: "a string", null: true}
	textList   = valueType{name: "a sequence", items: &valueType{name: "a string"}, null: true}
	scriptType = valueType{name: "a map", fields: map[string]valueType{"location": textType, "runas": textType,
		"sudo": {name: "a boolean", null: true}, "timeout": {name: "u32", null: true}}}
	fileType       = valueType{name: "a map", fields: map[string]valueType{"source": textType, "destination": textType}}
	contextType    = valueType{name: "a map", fields: map[string]valueType{"name": textType, "type": textType, "range": textType}, null: true}
	permissionType = valueType{name: "a map", fields: map[string]valueType{"object": textType, "pattern": textType, "except": textList, "type": textList,
		"owner": textType, "group": textType, "mode": textType, "acls": textList, "context": contextType}}
	rootType = valueType{name: "a map", needed: []string{"version", "os"}, fields: map[string]valueType{
		"version": {name: "f64"}, "os": {name: "a string"}, "file_exists_behavior": textType,
		"hooks":       {name: "a map", fields: map[string]valueType{"": {name: "a sequence", items: &scriptType, null: true}}},
		"files":       {name: "a sequence", items: &fileType},
		"permissions": {name: "a sequence", items: &permissionType},
	}}
)

// checkTypes returns the error for the first value of a wrong type. path is where n is, "" for the whole appspec.
func checkTypes(n *yaml.Node, t valueType, path string) error {
	if n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	if t.null && isNull(n) {
		return nil
	}
	if !fits(n, t.name) {
		return yamlError("%sinvalid type: %s, expected %s at line %d column %d", prefix(path), described(n), t.name, n.Line, n.Column)
	}
	switch n.Kind {
	case yaml.SequenceNode:
		for i, item := range n.Content {
			if err := checkTypes(item, *t.items, fmt.Sprintf("%s[%d]", path, i)); err != nil {
				return err
			}
		}
	case yaml.MappingNode:
		return checkFields(n, t, path)
	}
	return nil
}

func checkFields(n *yaml.Node, t valueType, path string) error {
	var seen []string
	for i := 0; i < len(n.Content); i += 2 {
		key := n.Content[i].Value
		field, known := t.fields[key]
		if !known {
			field, known = t.fields[""]
		}
		if !known {
			continue
		}
		if slices.Contains(seen, key) {
			return yamlError("%sduplicate field `%s` at line %d column %d", prefix(path), key, n.Content[i].Line, n.Content[i].Column)
		}
		seen = append(seen, key)
		if err := checkTypes(n.Content[i+1], field, strings.TrimPrefix(path+"."+key, ".")); err != nil {
			return err
		}
	}
	for _, key := range t.needed {
		if !slices.Contains(seen, key) {
			return yamlError("missing field `%s`", key)
		}
	}
	return nil
}

// prefix puts a path in front of a message.
func prefix(path string) string {
	if path == "" {
		return ""
	}
	return path + ": "
}

func isNull(n *yaml.Node) bool {
	return n.Kind == yaml.ScalarNode && n.Style == 0 && slices.Contains([]string{"", "~", "null", "Null", "NULL"}, n.Value)
}

func fits(n *yaml.Node, name string) bool {
	plain := n.Kind == yaml.ScalarNode && n.Style == 0
	switch name {
	case "a string":
		return n.Kind == yaml.ScalarNode // as it is written, even if it looks like a number
	case "u32":
		_, err := strconv.ParseUint(n.Value, 0, 32)
		return plain && err == nil
	case "f64":
		_, err := strconv.ParseFloat(n.Value, 64)
		return plain && err == nil
	case "a boolean":
		return plain && (n.Value == "true" || n.Value == "false")
	case "a sequence":
		return n.Kind == yaml.SequenceNode
	}
	return n.Kind == yaml.MappingNode
}

func described(n *yaml.Node) string {
	switch {
	case n.Kind == yaml.SequenceNode:
		return "sequence"
	case n.Kind == yaml.MappingNode:
		return "map"
	case isNull(n):
		return "unit value"
	case n.Style == 0 && (n.Value == "true" || n.Value == "false"):
		return "boolean `" + n.Value + "`"
	}
	if _, err := strconv.ParseInt(n.Value, 0, 64); err == nil && n.Style == 0 {
		return "integer `" + n.Value + "`"
	}
	return strconv.Quote(n.Value)
}

// asText marks every value that is text by its type as text, whatever it looks like, and replaces aliases.
func asText(n *yaml.Node, t valueType) {
	if n.Kind == yaml.AliasNode {
		*n = *n.Alias
	}
	switch {
	case n.Kind == yaml.ScalarNode && t.name == "a string" && !isNull(n):
		n.Style = yaml.DoubleQuotedStyle
	case n.Kind == yaml.SequenceNode && t.items != nil:
		for _, item := range n.Content {
			asText(item, *t.items)
		}
	case n.Kind == yaml.MappingNode:
		for i := 0; i < len(n.Content); i += 2 {
			n.Content[i].Style = yaml.DoubleQuotedStyle
			field, known := t.fields[n.Content[i].Value]
			if !known {
				field = t.fields[""]
			}
			asText(n.Content[i+1], field)
		}
	}
}
