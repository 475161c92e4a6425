package iam

import (
	"cmp"
	"fmt"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws/arn"
)

// operator is a condition operator without its set operator and "IfExists".
type operator struct {
	compare comparison
	negated bool
	// check rejects values that no request could match. Nil if every text is valid.
	check func(want string) error
	// checkedByAWS is set if AWS also rejects such values.
	checkedByAWS bool
	// absence compares whether the key is absent, not its value.
	absence bool
}

// comparison reports whether a value of the request matches one of the policy's.
type comparison func(want, got string, vars variables) (bool, error)

// null is the operator that tests whether a key is absent. binary is the one that is not evaluated: no key that a
// rehearsal knows is binary.
const (
	null   = "Null"
	binary = "BinaryEquals"
)

// operators holds every operator in the IAM User Guide, "IAM JSON policy elements: Condition operators", except
// BinaryEquals. ArnEquals and ArnLike behave identically there.
var operators = map[string]operator{
	"StringEquals":              {compare: equals},
	"StringNotEquals":           not(operator{compare: equals}),
	"StringEqualsIgnoreCase":    {compare: equalsIgnoreCase},
	"StringNotEqualsIgnoreCase": not(operator{compare: equalsIgnoreCase}),
	"StringLike":                {compare: like},
	"StringNotLike":             not(operator{compare: like}),
	"ArnEquals":                 arnOperator,
	"ArnNotEquals":              not(arnOperator),
	"ArnLike":                   arnOperator,
	"ArnNotLike":                not(arnOperator),
	"NumericEquals":             ordered(parseNumber, equal),
	"NumericNotEquals":          not(ordered(parseNumber, equal)),
	"NumericLessThan":           ordered(parseNumber, less),
	"NumericLessThanEquals":     ordered(parseNumber, less, equal),
	"NumericGreaterThan":        ordered(parseNumber, greater),
	"NumericGreaterThanEquals":  ordered(parseNumber, greater, equal),
	"DateEquals":                dated(equal),
	"DateNotEquals":             not(dated(equal)),
	"DateLessThan":              dated(less),
	"DateLessThanEquals":        dated(less, equal),
	"DateGreaterThan":           dated(greater),
	"DateGreaterThanEquals":     dated(greater, equal),
	"IpAddress":                 ipOperator,
	"NotIpAddress":              not(ipOperator),
	"Bool":                      boolOperator,
	null:                        {compare: boolOperator.compare, check: boolOperator.check, absence: true},
}

var (
	arnOperator  = operator{compare: arnLike, check: checkARN}
	ipOperator   = operator{compare: inRange, check: checkRange}
	boolOperator = operator{compare: sameBool, check: checkBool}
)

func not(o operator) operator {
	o.negated = true
	return o
}

// Results of a comparison, as Compare methods return them.
const (
	less    = -1
	equal   = 0
	greater = 1
)

// ordered accepts values of the request whose comparison with the policy's value gives one of orders.
func ordered[T interface{ Compare(T) int }](parse func(string) (T, error), orders ...int) operator {
	return operator{
		check: func(want string) error { _, err := parse(want); return err },
		compare: func(want, got string, _ variables) (bool, error) {
			limit, err := parse(want)
			if err != nil {
				return false, err
			}
			value, err := parse(got)
			return err == nil && slices.Contains(orders, value.Compare(limit)), err
		},
	}
}

// dated is ordered for dates.
func dated(orders ...int) operator {
	o := ordered(parseDate, orders...)
	o.checkedByAWS = true
	return o
}

func equals(want, got string, vars variables) (bool, error) {
	p, err := compile(want, vars)
	return err == nil && p.String() == got, err
}

func equalsIgnoreCase(want, got string, vars variables) (bool, error) {
	p, err := compile(want, vars)
	return err == nil && strings.EqualFold(p.String(), got), err
}

func like(want, got string, vars variables) (bool, error) {
	p, err := compile(want, vars)
	return err == nil && p.match(got), err
}

func arnLike(want, got string, vars variables) (bool, error) {
	p, err := compile(want, vars)
	return err == nil && matchARN(p, got), err
}

func checkARN(want string) error {
	if !arn.IsARN(want) {
		return fmt.Errorf("%q is not an ARN: it needs its six parts, arn:partition:service:region:account:resource", want)
	}
	return nil
}

func sameBool(want, got string, _ variables) (bool, error) {
	return strings.EqualFold(want, got), nil
}

func checkBool(want string) error {
	if !strings.EqualFold(want, "true") && !strings.EqualFold(want, "false") {
		return fmt.Errorf("%q is neither true nor false", want)
	}
	return nil
}

// number is a decimal, with a Compare method as dates have.
type number float64

// Compare returns less, equal or greater.
func (n number) Compare(other number) int { return cmp.Compare(n, other) }

var decimal = regexp.MustCompile(`^[+-]?[0-9]+(\.[0-9]+)?$`)

func parseNumber(text string) (number, error) {
	if !decimal.MatchString(text) {
		return 0, fmt.Errorf("%q is not a decimal number", text)
	}
	value, err := strconv.ParseFloat(text, 64)
	return number(value), err
}

// parseDate reads seconds since 1970 or a date in the W3C's profile of ISO 8601, ignoring case; a bare year is read
// as seconds.
func parseDate(text string) (time.Time, error) {
	if seconds, err := strconv.ParseInt(text, 10, 64); err == nil {
		return time.Unix(seconds, 0), nil
	}
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04Z07:00", time.DateOnly, "2006-01"} {
		if date, err := time.Parse(layout, strings.ToUpper(text)); err == nil {
			return date, nil
		}
	}
	return time.Time{}, fmt.Errorf("%q is neither a date like 2025-01-31T12:00:00Z nor seconds since 1970", text)
}

func inRange(want, got string, _ variables) (bool, error) {
	prefix, err := parseRange(want)
	if err != nil {
		return false, err
	}
	ip, err := netip.ParseAddr(got)
	return err == nil && prefix.Contains(ip), err
}

func checkRange(want string) error {
	_, err := parseRange(want)
	return err
}

// parseRange reads a CIDR block, or an address as a block of one.
func parseRange(text string) (netip.Prefix, error) {
	if ip, err := netip.ParseAddr(text); err == nil {
		return ip.Prefix(ip.BitLen())
	}
	prefix, err := netip.ParsePrefix(text)
	if err != nil {
		return prefix, fmt.Errorf("%q is neither an IP address nor a CIDR block", text)
	}
	return prefix, nil
}
