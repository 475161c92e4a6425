package appspec

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// The agent reads YAML with Ruby's Psych, which resolves plain scalars by YAML 1.1: 0755 is the number 493, yes is
// true, 12e3 is text. These are its rules (psych/scalar_scanner.rb of Psych 4, which comes with Ruby 3.1 and later).
var (
	octalPattern       = regexp.MustCompile(`^[-+]?0[0-7_,]+$`)
	decimalPattern     = regexp.MustCompile(`^[-+]?(?:0|[1-9](?:[0-9]|,[0-9]|_[0-9])*)$`)
	hexadecimalPattern = regexp.MustCompile(`^[-+]?0[xX][0-9a-fA-F_,]+$`)
	binaryPattern      = regexp.MustCompile(`^[-+]?0[bB][01_,]+$`)
	sexagesimalPattern = regexp.MustCompile(`^[-+]?[0-9][0-9_]*(:[0-5]?[0-9]){1,2}$`)
	floatPattern       = regexp.MustCompile(`^[-+]?([0-9][0-9_,]*)?\.[0-9]*([eE][+-][0-9]+)?$`)
	timePattern        = regexp.MustCompile(`^-?\d{4}-\d{1,2}-\d{1,2}([Tt\s]\s*\d{1,2}:\d\d:\d\d.*)?$`)
)

// merge takes the keys of a mapping, or of a list of mappings, under the key "<<"; they win over those that are there
// (psych/visitors/to_ruby.rb, revive_hash).
func (m *mapping) merge(v any) {
	list, ok := v.([]any)
	if !ok {
		list = []any{v}
	}
	for _, item := range slices.Backward(list) {
		from, ok := item.(mapping)
		if !ok {
			m.set("<<", v)
			return
		}
		for i, key := range from.keys {
			m.set(key, from.values[i])
		}
	}
}

// bignum is an integer beyond 64 bits, as written.
type bignum string

// symbol is Psych's value for a plain scalar such as :linux. It never equals a string.
type symbol string

// mapping is a YAML mapping with its keys in order; a repeated key keeps its place and takes the last value.
type mapping struct {
	keys   []any
	values []any
}

// get returns the value of a string key, or nil if it is absent or null.
func (m mapping) get(key string) any {
	for i, k := range m.keys {
		if k == key {
			return m.values[i]
		}
	}
	return nil
}

func (m *mapping) set(key, value any) {
	for i, k := range m.keys {
		if Inspect(k) == Inspect(key) {
			m.values[i] = value
			return
		}
	}
	m.keys = append(m.keys, key)
	m.values = append(m.values, value)
}

var (
	lineStartBOM = regexp.MustCompile(`(?m)^\x{feff}`)
	yaml12       = regexp.MustCompile(`^%YAML 1\.2\b`)
)

// parseYAML returns the first document of text, or nil if there is none. Later documents are not even parsed.
//
// Psych tells libyaml that the text is UTF-8 (psych_parser.c, transcode_string). So a byte order mark is no sign of an
// encoding: libyaml only skips it, at the start of any line, as a character that takes up a column (scanner.c,
// yaml_parser_scan_to_next_token), so that the line's key is indented; and UTF-16 is an error (reader.c).
func parseYAML(text []byte) (*yaml.Node, error) {
	if bytes.HasPrefix(text, []byte("\xff\xfe")) || bytes.HasPrefix(text, []byte("\xfe\xff")) {
		return nil, &Error{"(<unknown>): invalid leading UTF-8 octet at line 1 column 1", "the appspec is in UTF-16: save it as UTF-8 (F57)"}
	}
	text = lineStartBOM.ReplaceAll(text, []byte(" "))
	text = yaml12.ReplaceAll(text, []byte("%YAML 1.1")) // libyaml 0.2.5 takes it, go-yaml does not
	var document yaml.Node
	err := yaml.NewDecoder(bytes.NewReader(text)).Decode(&document)
	if errors.Is(err, io.EOF) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("appspec: %w", err)
	}
	return document.Content[0], nil
}

// value converts a node to nil, bool, int64, float64, string, symbol, []any or mapping.
func value(n *yaml.Node) (any, error) {
	switch n.Kind {
	case yaml.AliasNode:
		return nil, &Error{"Unknown alias: " + n.Value, fmt.Sprintf("line %d: the agent loads YAML without aliases: write the value out", n.Line)}
	case yaml.SequenceNode:
		list := make([]any, 0, len(n.Content))
		for _, item := range n.Content {
			v, err := value(item)
			if err != nil {
				return nil, err
			}
			list = append(list, v)
		}
		return list, nil
	case yaml.MappingNode:
		var m mapping
		for i := 0; i < len(n.Content); i += 2 {
			k, err := value(n.Content[i])
			if err != nil {
				return nil, err
			}
			v, err := value(n.Content[i+1])
			if err != nil {
				return nil, err
			}
			if k == "<<" {
				m.merge(v)
			} else {
				m.set(k, v)
			}
		}
		return m, nil
	}
	return scalar(n)
}

func scalar(n *yaml.Node) (any, error) {
	tagged := n.Style&yaml.TaggedStyle != 0
	switch {
	case tagged && n.Tag == "!!str", !tagged && n.Style != 0:
		return n.Value, nil // quoted, literal and folded scalars are text
	case tagged && n.Tag == "!!float":
		v, err := plain(n.Value)
		if i, ok := v.(int64); ok {
			return float64(i), err
		}
		return v, err
	case tagged && strings.HasPrefix(n.Tag, "!ruby/"):
		return nil, &Error{"Tried to load unspecified class: " + n.Tag, fmt.Sprintf("line %d: the agent loads plain data only", n.Line)}
	}
	v, err := plain(n.Value)
	if class, ok := err.(unspecifiedClass); ok {
		return nil, &Error{"Tried to load unspecified class: " + string(class), fmt.Sprintf("line %d: quote %s", n.Line, n.Value)}
	}
	return v, err
}

// unspecifiedClass is a class that the agent does not let YAML make an object of.
type unspecifiedClass string

func (c unspecifiedClass) Error() string { return string(c) }

// plain resolves an unquoted scalar.
func plain(s string) (any, error) {
	switch strings.ToLower(s) {
	case "", "~", "null":
		return nil, nil
	case "yes", "true", "on":
		return true, nil
	case "no", "false", "off":
		return false, nil
	case ".inf", "+.inf":
		return math.Inf(1), nil
	case "-.inf":
		return math.Inf(-1), nil
	case ".nan":
		return math.NaN(), nil
	}
	digits := strings.NewReplacer("_", "", ",", "").Replace(s)
	switch {
	case octalPattern.MatchString(s):
		return integer(digits, "0", 8), nil
	case hexadecimalPattern.MatchString(s):
		return integer(strings.ToLower(digits), "0x", 16), nil
	case binaryPattern.MatchString(s):
		return integer(strings.ToLower(digits), "0b", 2), nil
	case decimalPattern.MatchString(s):
		return integer(digits, "", 10), nil
	case sexagesimalPattern.MatchString(s):
		return sexagesimal(digits), nil
	case floatPattern.MatchString(s) && strings.Trim(s, "+-") != ".":
		f, err := strconv.ParseFloat(digits, 64)
		if err != nil {
			return s, nil
		}
		return f, nil
	case timePattern.MatchString(s) && strings.Contains(s, ":"):
		return nil, unspecifiedClass("Time")
	case timePattern.MatchString(s):
		return nil, unspecifiedClass("Date")
	case len(s) > 1 && s[0] == ':':
		return symbol(strings.Trim(s[1:], `"'`)), nil
	}
	return s, nil
}

// integer parses digits, with an optional sign before prefix.
func integer(digits, prefix string, base int) any {
	sign := ""
	if digits[0] == '-' || digits[0] == '+' {
		sign, digits = digits[:1], digits[1:]
	}
	i, err := strconv.ParseInt(sign+strings.TrimPrefix(digits, prefix), base, 64)
	if err != nil {
		return bignum(sign + digits)
	}
	return i
}

// sexagesimal parses 1:30 as Psych does: hours always come first, so it is 5400.
func sexagesimal(digits string) int64 {
	var total int64
	for i, part := range strings.Split(digits, ":") {
		n, _ := strconv.ParseInt(part, 10, 64) // the pattern leaves only digits
		for e := i; e < 2; e++ {
			n *= 60
		}
		total += n
	}
	return total
}
