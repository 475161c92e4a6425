package appspec

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode"
)

// Error is an exception that Ruby raises when the agent uses a value of the wrong type: its message, which the agent
// reports, and what to do.
type Error struct{ Message, Hint string }

func (e *Error) Error() string { return e.Message }

// noMethod is the NoMethodError for a method that a value does not have.
func noMethod(method string, v any, where, want string) error {
	return &Error{fmt.Sprintf("undefined method `%s' for %s:%s", method, Inspect(v), rubyClass(v)), wrongType(where, want, v)}
}

// noConversion is the TypeError for a value that is not of the class that a method of Ruby takes.
func noConversion(v any, class, where, want string) error {
	from := rubyClass(v)
	if v == nil || v == true || v == false {
		from = Inspect(v)
	}
	return &Error{fmt.Sprintf("no implicit conversion of %s into %s", from, class), wrongType(where, want, v)}
}

func wrongType(where, want string, got any) string {
	return fmt.Sprintf("%s: want %s, not %s", where, want, Inspect(got))
}

// index is v[key]. Text has a key that it contains, and everything else but a mapping has none.
func index(v any, key, where string) (any, error) {
	switch v := v.(type) {
	case mapping:
		return v.get(key), nil
	case string:
		return substring(v, key), nil
	case symbol:
		return substring(string(v), key), nil
	case []any, int64, bignum:
		return nil, noConversion("", "Integer", where, "a mapping")
	}
	return nil, noMethod("[]", v, where, "a mapping")
}

func substring(text, key string) any {
	if strings.Contains(text, key) {
		return key
	}
	return nil
}

// each is the items of v.each: of a list its elements, of a mapping lists of key and value.
func each(v any, where, want string) ([]any, error) {
	switch v := v.(type) {
	case []any:
		return v, nil
	case mapping:
		var pairs []any
		for i, key := range v.keys {
			pairs = append(pairs, []any{key, v.values[i]})
		}
		return pairs, nil
	}
	return nil, noMethod("each", v, where, want)
}

func rubyClass(v any) string {
	switch v.(type) {
	case nil:
		return "NilClass"
	case string:
		return "String"
	case symbol:
		return "Symbol"
	case int64, bignum:
		return "Integer"
	case float64:
		return "Float"
	case []any:
		return "Array"
	case mapping:
		return "Hash"
	case bool:
		if v == true {
			return "TrueClass"
		}
	}
	return "FalseClass"
}

// truthy is Ruby's truth: everything but nil and false.
func truthy(v any) bool { return v != nil && v != false }

// Strip is Ruby's String#strip: without ASCII white space and null characters on both sides (string.c).
func Strip(s string) string { return strings.Trim(s, "\x00\t\n\v\f\r ") }

// rubyInteger is to_i, which stops at the first character that is not a digit ("10m" is 10, "soon" is 0).
func rubyInteger(v any, where string) (int64, error) {
	switch v := v.(type) {
	case int64:
		return v, nil
	case bignum:
		return bounded(string(v)), nil
	case float64:
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return 0, &Error{rubyString(v), wrongType(where, "a number of seconds", v)} // FloatDomainError
		}
		return int64(v), nil
	case string:
		s := strings.TrimLeft(v, "\t\n\v\f\r ")
		end := 0
		for end < len(s) && (isDigit(s[end]) || end == 0 && (s[0] == '-' || s[0] == '+') ||
			s[end] == '_' && end > 0 && isDigit(s[end-1]) && end+1 < len(s) && isDigit(s[end+1])) {
			end++
		}
		return bounded(strings.ReplaceAll(s[:end], "_", "")), nil
	}
	return 0, noMethod("to_i", v, where, "a number of seconds")
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

// bounded parses digits; without any it is 0, and beyond 64 bits the largest number of its sign.
func bounded(digits string) int64 {
	n, _ := strconv.ParseInt(digits, 10, 64) // ParseInt's value is what is wanted, whatever its error
	return n
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
	case bignum:
		return string(v)
	case float64:
		return rubyFloat(v)
	case bool, int64:
		return fmt.Sprint(v)
	}
	return Inspect(v)
}

// rubyFloat is Float#to_s: with an exponent below 0.0001 and from 1.0e+15 on.
func rubyFloat(v float64) string {
	switch size := math.Abs(v); {
	case math.IsNaN(v):
		return "NaN"
	case math.IsInf(v, 0):
		return strings.Replace(fmt.Sprint(v), "Inf", "Infinity", 1)[strings.Index(fmt.Sprint(v), "+")+1:]
	case v != 0 && (size < 1e-4 || size >= 1e15):
		digits, exponent, _ := strings.Cut(strconv.FormatFloat(v, 'e', -1, 64), "e")
		if !strings.Contains(digits, ".") {
			digits += ".0"
		}
		return digits + "e" + exponent
	}
	s := strconv.FormatFloat(v, 'f', -1, 64)
	if !strings.Contains(s, ".") {
		s += ".0"
	}
	return s
}

// Inspect is Ruby's inspect, which the agent uses for containers in messages.
func Inspect(v any) string {
	switch v := v.(type) {
	case nil:
		return "nil"
	case string:
		return inspectString(v)
	case symbol:
		return ":" + string(v)
	case []any:
		parts := make([]string, len(v))
		for i, item := range v {
			parts[i] = Inspect(item)
		}
		return "[" + strings.Join(parts, ", ") + "]"
	case mapping:
		parts := make([]string, len(v.keys))
		for i, k := range v.keys {
			parts[i] = Inspect(k) + "=>" + Inspect(v.values[i])
		}
		return "{" + strings.Join(parts, ", ") + "}"
	}
	return rubyString(v)
}

// inspectString is String#inspect.
func inspectString(s string) string {
	escapes := map[rune]string{'"': `\"`, '\\': `\\`, '\n': `\n`, '\r': `\r`, '\t': `\t`, '\f': `\f`, '\v': `\v`, '\b': `\b`, '\a': `\a`, 0x1b: `\e`}
	var out strings.Builder
	out.WriteByte('"')
	runes := []rune(s)
	for i, r := range runes {
		switch escape, special := escapes[r]; {
		case special:
			out.WriteString(escape)
		case r == '#' && i+1 < len(runes) && slices.Contains([]rune("{$@"), runes[i+1]):
			out.WriteString(`\#`)
		case unicode.IsPrint(r):
			out.WriteRune(r)
		case r <= 0xffff:
			fmt.Fprintf(&out, `\u%04X`, r)
		default:
			fmt.Fprintf(&out, `\u{%X}`, r)
		}
	}
	return out.String() + `"`
}
