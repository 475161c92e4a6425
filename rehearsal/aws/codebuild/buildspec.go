package codebuild

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Buildspec is a parsed and checked buildspec (AWS CodeBuild User Guide, "Build specification reference").
type Buildspec struct {
	// Version is "0.1" or "0.2".
	Version string
	// Shell is env.shell, or "" for the image's sh.
	Shell string
	// Variables are env.variables.
	Variables map[string]string
	// ParameterStore and SecretsManager say where the values of more variables are stored.
	ParameterStore, SecretsManager map[string]string
	// ExportedVariables name the variables that the build exports.
	ExportedVariables []string
	// Runtimes are install.runtime-versions, in order.
	Runtimes []Runtime
	// Phases are the phases that are present, by their names in the buildspec.
	Phases map[string]Phase
	// Artifacts is nil if the build has none.
	Artifacts *Artifacts
	// CachePaths are cache.paths.
	CachePaths []string
	// Notes are what AWS would act on but a rehearsal ignores, one sentence each.
	Notes []string
	// Warnings are what AWS ignores and the author may not have meant, one sentence each.
	Warnings []string
}

// Phase is one of install, pre_build, build and post_build.
type Phase struct {
	Commands, Finally []string
	OnFailure         OnFailure
}

// OnFailure is what happens when a phase fails.
type OnFailure struct {
	// Action is ABORT, CONTINUE or RETRY; "" for the default.
	Action string
	// Retries is how many more times to try, and Pattern which failures to retry. Only for RETRY.
	Retries int
	Pattern *regexp.Regexp
}

// Artifacts says which files become the build's output. There are no Files if the buildspec has secondary artifacts alone.
type Artifacts struct {
	Files, ExcludePaths []string
	BaseDirectory       string
	DiscardPaths        bool
	EnableSymlinks      bool
}

// ParseBuildspec parses a buildspec. The error joins everything that is wrong with it, with line numbers. name is the
// buildspec's name in errors.
func ParseBuildspec(name string, content []byte) (*Buildspec, error) {
	var document yaml.Node
	if err := yaml.Unmarshal(content, &document); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	if len(document.Content) == 0 {
		return nil, fmt.Errorf("%s: empty; want at least version and phases", name)
	}
	p := &parser{}
	spec := p.buildspec(document.Content[0])
	spec.Warnings = p.warnings
	for i, problem := range p.problems {
		p.problems[i] = fmt.Errorf("%s: %w", name, problem)
	}
	return spec, errors.Join(p.problems...)
}

var phaseNames = []string{"install", "pre_build", "build", "post_build"}

func (p *parser) buildspec(n *yaml.Node) *Buildspec {
	spec := &Buildspec{Phases: map[string]Phase{}}
	seen := p.mapping(n, "buildspec", fields{
		"version": func(n *yaml.Node) { spec.Version = p.oneOf(n, "version", "0.1", "0.2") },
		"run-as":  func(n *yaml.Node) { p.runAs(spec, "run-as", n) },
		"env":     func(n *yaml.Node) { p.env(spec, n) },
		"proxy":   func(n *yaml.Node) { p.proxy(spec, n) },
		"batch": func(n *yaml.Node) {
			spec.note(n, "only batch builds use batch, and a pipeline's build is not one unless BatchEnabled is set")
		},
		"phases":    func(n *yaml.Node) { p.phases(spec, n) },
		"reports":   func(n *yaml.Node) { p.reports(spec, n) },
		"artifacts": func(n *yaml.Node) { spec.Artifacts = p.artifacts(spec, "artifacts", n) },
		"cache":     func(n *yaml.Node) { p.cache(spec, n) },
	})
	p.require(n, "buildspec", seen, "version", "phases")
	return spec
}

func (p *parser) env(spec *Buildspec, n *yaml.Node) {
	p.mapping(n, "env", fields{
		"shell":           func(n *yaml.Node) { spec.Shell = p.oneOf(n, "env.shell", "bash", "/bin/sh") },
		"variables":       func(n *yaml.Node) { spec.Variables = p.variables(n, "env.variables") },
		"parameter-store": func(n *yaml.Node) { spec.ParameterStore = p.variables(n, "env.parameter-store") },
		"secrets-manager": func(n *yaml.Node) { spec.SecretsManager = p.variables(n, "env.secrets-manager") },
		"exported-variables": func(n *yaml.Node) {
			spec.ExportedVariables = p.texts(n, "env.exported-variables")
			for _, name := range spec.ExportedVariables {
				if strings.HasPrefix(name, "AWS_") {
					p.fail(n, "env.exported-variables: %s: a variable whose name starts with AWS_ cannot be exported", name)
				}
			}
		},
		"git-credential-helper": func(n *yaml.Node) {
			if p.yes(n, "env.git-credential-helper") {
				spec.note(n, "env.git-credential-helper: a rehearsal has no Git credentials")
			}
		},
	})
}

// variables reads a mapping of environment variables, as written: NO stays NO.
func (p *parser) variables(n *yaml.Node, where string) map[string]string {
	values := map[string]string{}
	for key, value := range p.pairs(n, where) {
		if err := checkVariableName(key.Value); err != nil {
			p.fail(key, "%s: %v", where, err)
			continue
		}
		values[key.Value] = p.text(value, where+"."+key.Value)
	}
	return values
}

func (p *parser) proxy(spec *Buildspec, n *yaml.Node) {
	note := func(key string) func(*yaml.Node) {
		return func(n *yaml.Node) {
			if p.yes(n, "proxy."+key) {
				spec.note(n, "proxy.%s: a rehearsed build runs behind no proxy", key)
			}
		}
	}
	p.mapping(n, "proxy", fields{"upload-artifacts": note("upload-artifacts"), "logs": note("logs")})
}

func (p *parser) runAs(spec *Buildspec, where string, n *yaml.Node) {
	if user := p.text(n, where); user != "" && user != "root" {
		spec.note(n, "%s: %s: a rehearsal runs every command as the user who started it", where, user)
	}
}

func (p *parser) reports(spec *Buildspec, n *yaml.Node) {
	for key, report := range p.pairs(n, "reports") {
		where := "reports." + key.Value
		seen := p.mapping(report, where, fields{
			"files":          func(n *yaml.Node) { p.someTexts(n, where+".files") },
			"base-directory": func(n *yaml.Node) { p.text(n, where+".base-directory") },
			"discard-paths":  func(n *yaml.Node) { p.yes(n, where+".discard-paths") },
			"file-format": func(n *yaml.Node) {
				n.Value = strings.ToUpper(n.Value) // "This value is not case sensitive."
				p.oneOf(n, where+".file-format", "CUCUMBERJSON", "JUNITXML", "NUNITXML", "NUNIT3XML", "TESTNGXML",
					"VISUALSTUDIOTRX", "CLOVERXML", "COBERTURAXML", "JACOCOXML", "SIMPLECOV")
			},
		})
		p.require(report, where, seen, "files")
		spec.note(key, "%s: a rehearsal uploads no test reports", where)
	}
}

func (p *parser) artifacts(spec *Buildspec, where string, n *yaml.Node) *Artifacts {
	a := &Artifacts{BaseDirectory: "."}
	ignored := func(key string) func(*yaml.Node) {
		return func(n *yaml.Node) {
			p.text(n, where+"."+key)
			spec.note(n, "%s.%s: CodePipeline names and places the artifact itself", where, key)
		}
	}
	seen := p.mapping(n, where, fields{
		"files":           func(n *yaml.Node) { a.Files = p.someTexts(n, where+".files") },
		"name":            ignored("name"),
		"s3-prefix":       ignored("s3-prefix"),
		"discard-paths":   func(n *yaml.Node) { a.DiscardPaths = p.yes(n, where+".discard-paths") },
		"base-directory":  func(n *yaml.Node) { a.BaseDirectory = p.text(n, where+".base-directory") },
		"exclude-paths":   func(n *yaml.Node) { a.ExcludePaths = p.texts(n, where+".exclude-paths") },
		"enable-symlinks": func(n *yaml.Node) { a.EnableSymlinks = p.yes(n, where+".enable-symlinks") },
		"secondary-artifacts": func(n *yaml.Node) {
			for key, secondary := range p.pairs(n, where+".secondary-artifacts") {
				p.artifacts(spec, where+".secondary-artifacts."+key.Value, secondary)
			}
			spec.note(n, "%s.secondary-artifacts: only actions with several output artifacts have these, and a rehearsal's has one", where)
		},
	})
	if !seen["secondary-artifacts"] {
		p.require(n, where, seen, "files")
	}
	return a
}

func (p *parser) cache(spec *Buildspec, n *yaml.Node) {
	s3Only := func(key string) {
		spec.note(n, "cache.%s belongs to a cache in S3; a local cache is always restored and kept", key)
	}
	seen := p.mapping(n, "cache", fields{
		"paths":         func(n *yaml.Node) { spec.CachePaths = p.texts(n, "cache.paths") },
		"key":           func(n *yaml.Node) { p.text(n, "cache.key"); s3Only("key") },
		"fallback-keys": func(n *yaml.Node) { p.fallbackKeys(n); s3Only("fallback-keys") },
		"action":        func(n *yaml.Node) { p.oneOf(n, "cache.action", "restore", "save"); s3Only("action") },
	})
	p.require(n, "cache", seen, "paths")
}

func (p *parser) fallbackKeys(n *yaml.Node) {
	if keys := p.texts(n, "cache.fallback-keys"); len(keys) > 5 {
		p.fail(n, "cache.fallback-keys: %d keys; up to five are supported", len(keys))
	}
}

func (s *Buildspec) note(n *yaml.Node, format string, args ...any) {
	s.Notes = append(s.Notes, fmt.Sprintf("line %d: ", n.Line)+fmt.Sprintf(format, args...))
}

// onFailure parses ABORT, CONTINUE, RETRY, RETRY-count, RETRY-regex or RETRY-count-regex. The guide's own examples
// write only RETRY in several cases.
func (p *parser) onFailure(n *yaml.Node, where string) OnFailure {
	text := p.text(n, where)
	if text == "ABORT" || text == "CONTINUE" {
		return OnFailure{Action: text}
	}
	word, rest, more := strings.Cut(text, "-")
	if !strings.EqualFold(word, "RETRY") || more && rest == "" {
		p.fail(n, "%s: %q: want ABORT, CONTINUE, RETRY, RETRY-count, RETRY-regex or RETRY-count-regex", where, text)
		return OnFailure{}
	}
	retry := OnFailure{Action: "RETRY", Retries: 3}
	number, pattern, _ := strings.Cut(rest, "-")
	if count, err := strconv.Atoi(number); err == nil {
		if count < 0 || count > 100 {
			p.fail(n, "%s: %d retries: want 0 to 100", where, count)
		}
		retry.Retries, rest = count, pattern
	}
	var err error
	if retry.Pattern, err = regexp.Compile(rest); err != nil {
		p.fail(n, "%s: %v", where, err)
	}
	return retry
}
