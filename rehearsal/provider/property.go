package provider

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/aws/arn"

	"cicd/rehearsal/aws/account"
)

// property describes an input. Its builders return copies, so that a table reads like a sentence:
//
//	"name": text().length(2, 256).match(repositoryName).replaces().at(98)
type property struct {
	shape      shape
	required   bool
	replace    bool // a change replaces the resource: ForceNew
	unordered  bool // a set: order does not matter
	computed   bool // an absent value means "as it is": Optional and Computed
	suppressed bool // an absent block means "as it is": SuppressMissingOptionalConfigurationBlock
	initial    any  // what AWS chooses at creation for an absent computed value; nil if that is not modelled
	fallback   any  // the provider's default for an absent value; nil if it stays absent
	// equivalent reports whether two texts mean the same: the provider's DiffSuppressFunc. Nil if only equal ones do.
	equivalent func(before, after string) bool
	rules      []func(v any) string
	reference  *reference
	item       *property // of a list, set or dictionary
	fields     schema    // of a block
	source     string    // where the provider declares it, see at
}

type shape string

const (
	shapeText       shape = "a string"
	shapeNumber     shape = "a whole number"
	shapeFlag       shape = "a boolean"
	shapeList       shape = "a list"
	shapeDictionary shape = "a map"
	shapeBlock      shape = "an object"
)

// reference says what a value must refer to in the account.
type reference struct {
	exists func(acct *account.Account, value string) bool
	fault  string // AWS's error, with a %s for the value
}

// named returns a reference to a resource of a type by one of its properties.
func named(token, property, fault string) reference {
	return reference{fault: fault, exists: func(acct *account.Account, value string) bool {
		_, ok := acct.Find(token, property, value)
		return ok
	}}
}

func text() property                { return property{shape: shapeText} }
func number() property              { return property{shape: shapeNumber} }
func flag() property                { return property{shape: shapeFlag} }
func list(item property) property   { return property{shape: shapeList, item: &item} }
func block(fields schema) property  { return property{shape: shapeBlock, fields: fields} }
func blocks(fields schema) property { return list(block(fields)) }
func dictionary(item property) property {
	return property{shape: shapeDictionary, item: &item}
}
func set(item property) property {
	p := list(item)
	p.unordered = true
	return p
}

func (p property) need() property             { p.required = true; return p }
func (p property) replaces() property         { p.replace = true; return p }
func (p property) or(fallback any) property   { p.fallback = fallback; return p }
func (p property) names(r reference) property { p.reference = &r; return p }

// keeps marks a property whose absence changes nothing. initial is what AWS chooses if it is absent at creation.
func (p property) keeps(initial any) property { p.computed, p.initial = true, initial; return p }

// suppresses marks a block whose absence changes nothing.
func (p property) suppresses() property { p.suppressed = true; return p }

// same makes texts equal that mean the same.
func (p property) same(equivalent func(before, after string) bool) property {
	p.equivalent = equivalent
	return p
}

// at names the line of the kind's source that declares the property, and from a line of another file.
func (p property) at(line int) property        { p.source = strconv.Itoa(line); return p }
func (p property) from(source string) property { p.source = source; return p }

func (p property) rule(r func(any) string) property {
	p.rules = append(slices.Clone(p.rules), r)
	return p
}

// oneOf allows only these texts.
func (p property) oneOf(allowed ...string) property {
	return p.rule(func(v any) string {
		if s, ok := v.(string); ok && !slices.Contains(allowed, s) {
			return fmt.Sprintf("expected one of %q, got %q", allowed, s)
		}
		return ""
	})
}

// match allows texts that match the whole pattern.
func (p property) match(pattern string) property {
	re := regexp.MustCompile("^(?:" + pattern + ")$")
	return p.rule(func(v any) string {
		if s, ok := v.(string); ok && !re.MatchString(s) {
			return fmt.Sprintf("%q does not match %s", s, pattern)
		}
		return ""
	})
}

// length bounds the number of characters of a text or items of a list or map, or the value of a number.
func (p property) length(low, high int) property {
	return p.rule(func(v any) string {
		size, noun := 0, ""
		switch v := v.(type) {
		case string:
			size, noun = utf8.RuneCountInString(v), "characters"
		case []any:
			size, noun = len(v), "items"
		case map[string]any:
			size, noun = len(v), "entries"
		case float64:
			size, noun = int(v), "as value"
		}
		if size < low || size > high {
			return fmt.Sprintf("has %d %s, want %d to %d", size, noun, low, high)
		}
		return ""
	})
}

// arn allows ARNs of a service, or of any service if "".
func (p property) arn(service string) property {
	return p.rule(func(v any) string {
		s, _ := v.(string)
		a, err := arn.Parse(s)
		if err != nil || a.Resource == "" || service != "" && a.Service != service {
			return fmt.Sprintf("%q is not an ARN of %s", s, service)
		}
		return ""
	})
}

func (s shape) fits(v any) bool {
	if number, ok := v.(float64); ok && number != float64(int(number)) {
		return false
	}
	return shapeOf(v) == s || s == shapeBlock && shapeOf(v) == shapeDictionary
}

// shapeOf returns the shape of a JSON value; blocks look like maps.
func shapeOf(v any) shape {
	switch v.(type) {
	case string:
		return shapeText
	case float64:
		return shapeNumber
	case bool:
		return shapeFlag
	case []any:
		return shapeList
	case map[string]any:
		return shapeDictionary
	}
	return "nothing"
}
