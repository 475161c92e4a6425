package iam

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// condition is one operator with one key of a Condition element.
type condition struct {
	name     string // the operator as written in the policy, for messages
	operator operator
	set      string // forAllValues, forAnyValue or ""
	ifExists bool
	key      string
	values   []string // one of which must match
}

const (
	forAllValues = "ForAllValues:"
	forAnyValue  = "ForAnyValue:"
)

// conditions reads a Condition element. Its order has no meaning, so they are sorted.
func (p *parser) conditions(raw rawJSON) []condition {
	var all []condition
	byOperator, _ := p.object(raw, "element Condition: ")
	for _, operator := range slices.Sorted(maps.Keys(byOperator)) {
		byKey, ok := p.object(byOperator[operator], "condition "+operator+": ")
		if ok && len(byKey) == 0 { // nothing says whether such a condition holds
			p.decline("condition %s has no condition key", operator)
		}
		for _, key := range slices.Sorted(maps.Keys(byKey)) {
			if c, ok := p.condition(operator, key, byKey[key]); ok {
				all = append(all, c)
			}
		}
	}
	return all
}

// condition reads one key of a condition operator. Forms of the operator's name: IAM User Guide, "IAM JSON policy
// elements: Condition operators" and "Set operators for multivalued context keys".
func (p *parser) condition(name, key string, raw rawJSON) (c condition, ok bool) {
	c = condition{name: name, key: key}
	base := name
	for _, set := range []string{forAllValues, forAnyValue} {
		if rest, ok := strings.CutPrefix(base, set); ok {
			c.set, base = set, rest
			break
		}
	}
	base, c.ifExists = strings.CutSuffix(base, "IfExists")
	c.operator, ok = operators[base]
	switch {
	case base == binary:
		p.decline("condition %s %s: no condition key that a rehearsal knows is binary", name, key)
		return c, false
	case !ok || base == null && c.ifExists:
		p.refuse("Invalid Condition type : %s; there are %s and %s, all but %s also with ...IfExists, and %s and %s before all of them", name,
			strings.Join(slices.Sorted(maps.Keys(operators)), ", "), binary, null, forAllValues, forAnyValue)
		return c, false
	}
	c.values = p.conditionValues(c, raw)
	return c, true
}

// conditionValues reads a condition's values. IAM rejects a value that no request could match only if it should be a
// date.
func (p *parser) conditionValues(c condition, raw rawJSON) []string {
	values, err := scalarValues(raw)
	switch {
	case errors.Is(err, errEmpty):
		p.decline("condition %s %s: %v", c.name, c.key, err)
	case err != nil:
		p.refuse("Syntax errors in policy: condition %s %s: %v", c.name, c.key, err)
	}
	for _, value := range values {
		if c.operator.check == nil {
			continue
		}
		switch err := c.operator.check(value); {
		case err != nil && c.operator.checkedByAWS:
			p.refuse("The policy failed legacy parsing: condition %s %s: %v", c.name, c.key, err)
		case err != nil:
			p.decline("condition %s %s: %v", c.name, c.key, err)
		}
	}
	return values
}

// holds reports whether the condition is true for the request.
func (c condition) holds(vars variables) (bool, error) {
	got, err := vars.context.lookup(c.key)
	switch {
	case err != nil:
		return false, err
	case c.operator.absence && c.set != "":
		// "ForAllValues […] always returns true", "ForAnyValue […] always returns false" (IAM User Guide, "IAM policy
		// validation check reference", "Null with qualifier").
		return c.set == forAllValues, nil
	case c.operator.absence:
		return c.matches(fmt.Sprint(len(got) == 0), vars)
	case len(got) > 1 && c.set == "":
		return false, fmt.Errorf("condition key %q has several values and needs %s or %s", c.key, forAllValues, forAnyValue)
	case len(got) == 0 && c.set == forAnyValue && !c.ifExists:
		return false, nil
	case len(got) == 0:
		return c.ifExists || c.set == forAllValues || c.operator.negated, nil
	}
	for _, value := range got {
		ok, err := c.matches(value, vars)
		if err != nil {
			return false, err
		}
		if ok != (c.set == forAllValues) { // a single value decides the same under either set operator
			return ok, nil
		}
	}
	return c.set == forAllValues, nil
}

// matches reports whether one value of the request satisfies the operator: it equals one of the policy's values or,
// for a negated operator, none of them. A policy variable without a value equals nothing: StringEquals and StringLike
// "do not match", while inverted operators "do match against a null value" (IAM User Guide, "Policy variables with no
// value").
func (c condition) matches(got string, vars variables) (bool, error) {
	for _, want := range c.values {
		ok, err := c.operator.compare(want, got, vars)
		if err != nil && !errors.Is(err, errNoValue) {
			return false, fmt.Errorf("condition %s %s: %w", c.name, c.key, err)
		}
		if ok {
			return !c.operator.negated, nil
		}
	}
	return c.operator.negated, nil
}

// describe says what the condition wants and what the request has.
func (c condition) describe(context requestContext) string {
	got, _ := context.lookup(c.key)
	has := "does not have it"
	if len(got) > 0 {
		has = fmt.Sprintf("has %q", got)
	}
	return fmt.Sprintf("its condition %s %s wants %q, but the request %s", c.name, c.key, c.values, has)
}
