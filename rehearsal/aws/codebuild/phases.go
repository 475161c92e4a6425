package codebuild

import (
	"fmt"
	"slices"

	"go.yaml.in/yaml/v3"
)

func (p *parser) phases(spec *Buildspec, n *yaml.Node) {
	for key, value := range p.pairs(n, "phases") {
		name := key.Value
		if !slices.Contains(phaseNames, name) {
			p.fail(key, "Invalid buildspec phase name: %s. Expecting: build,install,post_build,pre_build%s", name, didYouMean(name, phaseNames))
			continue
		}
		spec.Phases[name] = p.phase(spec, name, value)
	}
}

func (p *parser) phase(spec *Buildspec, name string, n *yaml.Node) Phase {
	var phase Phase
	where := "phases." + name
	known := fields{
		"run-as":     func(n *yaml.Node) { p.runAs(spec, where+".run-as", n) },
		"on-failure": func(n *yaml.Node) { phase.OnFailure = p.onFailure(n, where+".on-failure") },
		"commands":   func(n *yaml.Node) { phase.Commands = p.commands(n, where+".commands") },
		"finally":    func(n *yaml.Node) { phase.Finally = p.commands(n, where+".finally") },
		"steps":      func(n *yaml.Node) { p.fail(n, "%s.steps: GitHub Actions cannot be rehearsed; use commands", where) },
	}
	if name == "install" {
		known["runtime-versions"] = func(n *yaml.Node) { p.runtimeVersions(spec, n) }
	}
	seen := p.mapping(n, where, known)
	if name != "install" && !seen["commands"] && !seen["steps"] {
		p.warn(n, "%s has no commands, which the User Guide requires; CodeBuild logs that it found none, and goes on", where)
	}
	return phase
}

// runtimeVersions reads versions as written: as a number, the guide's own "golang: 1.20" would be a different version.
func (p *parser) runtimeVersions(spec *Buildspec, n *yaml.Node) {
	for key, version := range p.pairs(n, "phases.install.runtime-versions") {
		text := p.text(version, "phases.install.runtime-versions."+key.Value)
		spec.Runtimes = append(spec.Runtimes, Runtime{Name: key.Value, Version: text, Line: key.Line})
	}
}

// commands reads a list of commands, or a single one. An empty one counts as a command: for "commands:" with only
// comments below, CodeBuild logs "PRE_BUILD: 1 commands" and "Running command", which succeeds. A colon and a space
// turn text into a mapping, the most common mistake in a buildspec, so it gets CodeBuild's own words.
func (p *parser) commands(n *yaml.Node, where string) []string {
	n = resolve(n)
	if n.Kind == yaml.ScalarNode {
		return []string{p.text(n, where)}
	}
	if n.Kind != yaml.SequenceNode {
		p.fail(n, "%s: want a list of commands", where)
		return nil
	}
	var commands []string
	for i, item := range n.Content {
		item = resolve(item)
		if item.Kind != yaml.ScalarNode {
			p.fail(item, "Expected %s[%d] to be of string type: found subkeys instead; put the command in quotation marks", where, i)
			continue
		}
		commands = append(commands, p.text(item, fmt.Sprintf("%s[%d]", where, i)))
	}
	return commands
}
