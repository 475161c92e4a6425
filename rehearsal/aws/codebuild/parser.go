package codebuild

import (
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"cicd/internal/nearest"
)

// parser walks a YAML document and collects everything wrong with it.
type parser struct {
	problems []error
	// warnings concern what CodeBuild takes, although its User Guide does not allow it: keys that it does not know, which
	// it ignores with the log line "Found possible syntax errors in buildspec" (as of aws/aws-toolkit-vscode#4008), and
	// phases without commands ("No commands found for phase name: install", as of awslabs/aws-simple-cicd#58; a build of
	// 0x4447/0x4447_product_s3_email has a post_build with only a finally).
	warnings []string
}

// fields are the known keys of a mapping, each with a function that reads its value.
type fields map[string]func(*yaml.Node)

func (p *parser) fail(n *yaml.Node, format string, args ...any) {
	p.problems = append(p.problems, fmt.Errorf("line %d: %w", n.Line, fmt.Errorf(format, args...)))
}

func (p *parser) warn(n *yaml.Node, format string, args ...any) {
	p.warnings = append(p.warnings, fmt.Sprintf("line %d: ", n.Line)+fmt.Sprintf(format, args...))
}

// mapping reads a mapping of known keys and returns those present.
func (p *parser) mapping(n *yaml.Node, where string, known fields) map[string]bool {
	seen := map[string]bool{}
	names := slices.Sorted(maps.Keys(known))
	for key, value := range p.pairs(n, where) {
		read, ok := known[key.Value]
		if !ok {
			p.warn(key, "%s: CodeBuild ignores the unknown key %q%s; known keys: %s",
				where, key.Value, didYouMean(key.Value, names), strings.Join(names, ", "))
			continue
		}
		seen[key.Value] = true
		read(value)
	}
	return seen
}

func (p *parser) require(n *yaml.Node, where string, seen map[string]bool, keys ...string) {
	for _, key := range keys {
		if !seen[key] {
			p.fail(n, "%s: %s is required", where, key)
		}
	}
}

// pairs yields the keys and values of a mapping, including those of its merge keys ("<<"); none for an empty value.
func (p *parser) pairs(n *yaml.Node, where string) iter.Seq2[*yaml.Node, *yaml.Node] {
	return func(yield func(key, value *yaml.Node) bool) {
		seen := map[string]int{}
		var merged []*yaml.Node
		n := resolve(n)
		if n.Tag == "!!null" {
			return
		}
		if n.Kind != yaml.MappingNode {
			p.fail(n, "%s: want keys and values", where)
			return
		}
		for i := 0; i < len(n.Content); i += 2 {
			key, value := n.Content[i], resolve(n.Content[i+1])
			if key.Tag == "!!merge" {
				merged = append(merged, mergedMappings(value)...)
				continue
			}
			if line, twice := seen[key.Value]; twice {
				p.fail(key, "%s: key %q is already set in line %d", where, key.Value, line)
				continue
			}
			seen[key.Value] = key.Line
			if !yield(key, value) {
				return
			}
		}
		for _, m := range merged {
			for i := 0; i+1 < len(m.Content); i += 2 {
				key := m.Content[i]
				if _, set := seen[key.Value]; set {
					continue
				}
				seen[key.Value] = key.Line
				if !yield(key, resolve(m.Content[i+1])) {
					return
				}
			}
		}
	}
}

// mergedMappings returns the mappings in a merge key's value: one, or a list of them.
func mergedMappings(value *yaml.Node) []*yaml.Node {
	if value.Kind == yaml.MappingNode {
		return []*yaml.Node{value}
	}
	var all []*yaml.Node
	for _, item := range value.Content {
		if item = resolve(item); item.Kind == yaml.MappingNode {
			all = append(all, item)
		}
	}
	return all
}

// text reads a scalar as written.
func (p *parser) text(n *yaml.Node, where string) string {
	n = resolve(n)
	switch {
	case n.Kind != yaml.ScalarNode:
		p.fail(n, "%s: want text", where)
	case n.Tag == "!!null":
		return ""
	}
	return n.Value
}

// texts reads a list of scalars, or a single one; none for an empty value.
func (p *parser) texts(n *yaml.Node, where string) []string {
	n = resolve(n)
	switch {
	case n.Tag == "!!null":
		return nil
	case n.Kind == yaml.ScalarNode:
		return []string{n.Value}
	case n.Kind != yaml.SequenceNode:
		p.fail(n, "%s: want a list", where)
		return nil
	}
	var all []string
	for i, item := range n.Content {
		all = append(all, p.text(item, fmt.Sprintf("%s[%d]", where, i)))
	}
	return all
}

// someTexts is texts for a list that must not be empty.
func (p *parser) someTexts(n *yaml.Node, where string) []string {
	all := p.texts(n, where)
	if len(all) == 0 {
		p.fail(n, "%s: want at least one", where)
	}
	return all
}

func (p *parser) oneOf(n *yaml.Node, where string, values ...string) string {
	text := p.text(n, where)
	if !slices.Contains(values, text) {
		p.fail(n, "%s: %q: want one of %s", where, text, strings.Join(values, ", "))
	}
	return text
}

// yes reads "no | yes", and YAML's booleans for them.
func (p *parser) yes(n *yaml.Node, where string) bool {
	switch text := strings.ToLower(p.text(n, where)); text {
	case "yes", "true", "on":
		return true
	case "no", "false", "off", "":
		return false
	default:
		p.fail(n, "%s: %q: want yes or no", where, text)
		return false
	}
}

func resolve(n *yaml.Node) *yaml.Node {
	for n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	return n
}

// didYouMean returns "; did you mean …?" with the nearest known name, or "".
func didYouMean(name string, known []string) string {
	near := nearest.Word(name, known)
	if near == "" {
		return ""
	}
	return fmt.Sprintf("; did you mean %q?", near)
}
