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
	name     string // the operator as the policy writes it, for messages
	operator operator
	set      string // forAllValues, forAnyValue or ""
	ifExists bool
	key      string
	values   []string // one of which has to match
}

const (
	forAllValues = "ForAllValues:"
	forAnyValue  = "ForAnyValue:"
)

// parseConditions reads a Condition element; its order has no meaning, so it is sorted.
func parseConditions(raw rawJSON) ([]condition, error) {
	byOperator, err := object(raw)
	if err != nil {
		return nil, fmt.Errorf("element Condition: %w", err)
	}
	var conditions []condition
	var errs []error
	for _, operator := range slices.Sorted(maps.Keys(byOperator)) {
		byKey, err := object(byOperator[operator])
		if err == nil && len(byKey) == 0 {
			err = errors.New("it has no condition key")
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("condition %s: %w", operator, err))
		}
		for _, key := range slices.Sorted(maps.Keys(byKey)) {
			values, err := scalarValues(byKey[key])
			if err != nil {
				errs = append(errs, fmt.Errorf("condition %s %s: %w", operator, key, err))
				continue
			}
			c, err := parseCondition(operator, key, values)
			errs = append(errs, err)
			conditions = append(conditions, c)
		}
	}
	return conditions, errors.Join(errs...)
}

// parseCondition reads one key of a condition operator. The forms of the operator's name: IAM User Guide,
// "IAM JSON policy elements: Condition operators" and "Set operators for multivalued context keys".
func parseCondition(name, key string, values []string) (condition, error) {
	c := condition{name: name, key: key, values: values}
	base := name
	for _, set := range []string{forAllValues, forAnyValue} {
		if rest, ok := strings.CutPrefix(base, set); ok {
			c.set, base = set, rest
			break
		}
	}
	base, c.ifExists = strings.CutSuffix(base, "IfExists")
	operator, ok := operators[base]
	if !ok || base == null && base != name {
		return c, fmt.Errorf("condition operator %q is not evaluated; known are %s, all but %s also with %s, %s and ...IfExists",
			name, strings.Join(slices.Sorted(maps.Keys(operators)), ", "), null, forAllValues, forAnyValue)
	}
	c.operator = operator
	for _, value := range values {
		if operator.check == nil {
			continue
		}
		if err := operator.check(value); err != nil {
			return c, fmt.Errorf("condition %s %s: %w", name, key, err)
		}
	}
	return c, nil
}

// holds reports whether the condition is true of the request.
func (c condition) holds(vars variables) (bool, error) {
	got, err := vars.context.lookup(c.key)
	switch {
	case err != nil:
		return false, err
	case c.operator.absence:
		return c.matches(fmt.Sprint(len(got) == 0), vars)
	case len(got) > 1 && c.set == "":
		return false, fmt.Errorf("condition key %q has several values, which needs %s or %s", c.key, forAllValues, forAnyValue)
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
		if ok != (c.set == forAllValues) { // a single value decides alike under either set operator
			return ok, nil
		}
	}
	return c.set == forAllValues, nil
}

// matches reports whether one value of the request satisfies the operator: it equals one of the policy's values, or
// for a negated operator none of them.
func (c condition) matches(got string, vars variables) (bool, error) {
	for _, want := range c.values {
		ok, err := c.operator.compare(want, got, vars)
		if err != nil {
			return false, fmt.Errorf("condition %s %s: %w", c.name, c.key, err)
		}
		if ok {
			return !c.operator.negated, nil
		}
	}
	return c.operator.negated, nil
}

// describe says what the condition wants and what the request has instead.
func (c condition) describe(context requestContext) string {
	got, _ := context.lookup(c.key)
	has := "does not have it"
	if len(got) > 0 {
		has = fmt.Sprintf("has %q", got)
	}
	return fmt.Sprintf("its condition %s %s wants %q and the request %s", c.name, c.key, c.values, has)
}
