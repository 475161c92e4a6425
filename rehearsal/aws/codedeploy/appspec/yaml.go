package appspec

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"regexp"
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
		if rubyInspect(k) == rubyInspect(key) {
			m.values[i] = value
			return
		}
	}
	m.keys = append(m.keys, key)
	m.values = append(m.values, value)
}

// parseYAML returns the first document of text, or nil if there is none. Later documents are not even parsed.
func parseYAML(text []byte) (*yaml.Node, error) {
	var document yaml.Node
	err := yaml.NewDecoder(bytes.NewReader(text)).Decode(&document)
	if errors.Is(err, io.EOF) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return document.Content[0], nil
}

// value converts a node to nil, bool, int64, float64, string, symbol, []any or mapping.
func value(n *yaml.Node) (any, error) {
	switch n.Kind {
	case yaml.AliasNode:
		return nil, fmt.Errorf("line %d: unknown alias %q: the agent loads YAML without aliases, write the value out", n.Line, n.Value)
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
			m.set(k, v)
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
		return nil, fmt.Errorf("line %d: tried to load unspecified class %s: the agent loads plain data only", n.Line, n.Tag)
	}
	v, err := plain(n.Value)
	if err != nil {
		return nil, fmt.Errorf("line %d: %w", n.Line, err)
	}
	return v, nil
}

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
	case timePattern.MatchString(s):
		return nil, fmt.Errorf("tried to load unspecified class: Date or Time (%s): quote the value", s)
	case len(s) > 1 && s[0] == ':':
		return symbol(strings.Trim(s[1:], `"'`)), nil
	}
	return s, nil
}

// integer parses digits, with an optional sign before prefix; a number beyond 64 bits stays as written.
func integer(digits, prefix string, base int) any {
	sign := ""
	if digits[0] == '-' || digits[0] == '+' {
		sign, digits = digits[:1], digits[1:]
	}
	i, err := strconv.ParseInt(sign+strings.TrimPrefix(digits, prefix), base, 64)
	if err != nil {
		return sign + digits
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

// rubyString is Ruby's to_s, which the agent uses in messages and conversions.
func rubyString(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		return v
	case symbol:
		return string(v)
	case float64:
		s := strconv.FormatFloat(v, 'f', -1, 64)
		if !strings.ContainsAny(s, ".IN") {
			s += ".0"
		}
		return s
	case bool, int64:
		return fmt.Sprint(v)
	}
	return rubyInspect(v)
}

// rubyInspect is Ruby's inspect, which the agent uses for containers in messages.
func rubyInspect(v any) string {
	switch v := v.(type) {
	case nil:
		return "nil"
	case string:
		return strconv.Quote(v)
	case symbol:
		return ":" + string(v)
	case []any:
		parts := make([]string, len(v))
		for i, item := range v {
			parts[i] = rubyInspect(item)
		}
		return "[" + strings.Join(parts, ", ") + "]"
	case mapping:
		parts := make([]string, len(v.keys))
		for i, k := range v.keys {
			parts[i] = rubyInspect(k) + "=>" + rubyInspect(v.values[i])
		}
		return "{" + strings.Join(parts, ", ") + "}"
	}
	return rubyString(v)
}
