package iam

import (
	"fmt"
	"strings"
	"testing"
)

// checkOutcome compares an outcome; for an error, want is a part of its text.
func checkOutcome(t *testing.T, name, got, want string) {
	t.Helper()
	if got != want && !(strings.HasPrefix(got, "error: ") && strings.Contains(got, want)) {
		t.Errorf("%s: %s, want %s", name, got, want)
	}
}

// Every operator, with a value that matches and one that does not.
func TestOperators(t *testing.T) {
	tests := []struct {
		operator, want string
		yes, no        string
	}{
		{"StringEquals", "a*", "a*", "ab"},
		{"StringNotEquals", "a*", "ab", "a*"},
		{"StringEquals", "a", "a", "A"},
		{"StringEqualsIgnoreCase", "a*", "A*", "ab"},
		{"StringNotEqualsIgnoreCase", "a", "b", "A"},
		{"StringLike", "a*c?", "abbcd", "Abbcd"},
		{"StringNotLike", "a*c?", "abbc", "abbcd"},
		{"StringLike", "arn:aws:someservice:*:111122223333:finance/*", "arn:aws:someservice:us-east-2:999999999999:store/abc:111122223333:finance/document.txt", "x"},
		{"ArnEquals", "arn:aws:codebuild:*:123456789012:project/p*", "arn:aws:codebuild:eu-west-1:123456789012:project/p:1", "arn:aws:codebuild:eu-west-1:999999999999:project/p"},
		{"ArnLike", "arn:aws:someservice:*:111122223333:finance/*", "arn:aws:someservice:us-east-2:111122223333:finance/a:b", "arn:aws:someservice:us-east-2:999999999999:store/abc:111122223333:finance/document.txt"},
		{"ArnEquals", "arn:aws:x:*:1:y", "arn:aws:x::1:y", "arn:aws:x:2:3:1:y"},
		{"ArnLike", "arn:aws:s3:::b", "arn:aws:s3:::b", "arn:aws:s3:::B"},
		{"ArnLike", "arn:aws:s3:::b", "arn:aws:s3:::b", "b"},
		{"ArnNotEquals", "arn:aws:s3:::b*", "arn:aws:s3:::c", "arn:aws:s3:::bc"},
		{"ArnNotLike", "arn:aws:s3:::b*", "arn:aws:s3:::c", "arn:aws:s3:::bc"},
		{"NumericEquals", "1.20", "1.2", "1.3"},
		{"NumericNotEquals", "1.20", "1.3", "1.2"},
		{"NumericLessThan", "10", "9.5", "10"},
		{"NumericLessThanEquals", "10", "10", "10.5"},
		{"NumericGreaterThan", "10", "10.5", "10"},
		{"NumericGreaterThanEquals", "10", "10", "9.5"},
		{"DateEquals", "2025-01-31T12:00:00Z", "2025-01-31T13:00+01:00", "2025-01-31"},
		{"DateNotEquals", "2025-01-31", "2025-02-01", "2025-01-31T00:00:00.0Z"},
		{"DateLessThan", "1738324800", "2025-01-31T11:59:59Z", "2025-01-31T12:00:00Z"},
		{"DateLessThanEquals", "1738324800", "2025-01-31T12:00:00Z", "2025-01-31T12:00:01Z"},
		{"DateGreaterThan", "1738324800", "2025-01-31T12:00:01Z", "2025-01-31T12:00:00Z"},
		{"DateGreaterThanEquals", "1738324800", "2025-01-31T12:00:00Z", "2025-01-31T11:59:59Z"},
		{"Bool", "true", "true", "false"},
		{"Bool", "False", "false", "true"},
		{"IpAddress", "203.0.113.7", "203.0.113.7", "203.0.113.8"},
		{"IpAddress", "203.0.113.0/24", "203.0.113.8", "2001:db8::1"},
		{"NotIpAddress", "203.0.113.0/24", "203.0.114.8", "203.0.113.8"},
	}
	tested := map[string]bool{null: true} // has no values to compare, see TestAbsentKeys
	for _, tt := range tests {
		tested[tt.operator] = true
		for value, want := range map[string]string{tt.yes: allowed, tt.no: implicitDeny} {
			checkOutcome(t, fmt.Sprintf("%s %q of %q", tt.operator, tt.want, value), condition1(t, tt.operator, tt.want, value), want)
		}
	}
	for name := range operators {
		if !tested[name] {
			t.Errorf("operator %s has no case", name)
		}
	}
}

// condition1 returns the outcome of a statement with one condition, for a request with the key's values.
func condition1(t *testing.T, operator, want string, got ...string) string {
	t.Helper()
	policy := one(fmt.Sprintf(`{"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": {%q: {"x:key": %q}}}`, operator, want))
	return outcome(t, request{action: "x:Do", resource: "*", context: requestContext{"x:Key": got}}, policy)
}

func TestAbsentKeys(t *testing.T) {
	tests := []struct{ operator, value, want string }{
		{"StringEquals", "a", implicitDeny},
		{"StringEqualsIfExists", "a", allowed},
		{"StringNotEquals", "a", allowed},
		{"StringNotEqualsIfExists", "a", allowed},
		{"NumericLessThan", "1", implicitDeny},
		{"NumericLessThanIfExists", "1", allowed},
		{"BoolIfExists", "true", allowed},
		{"ArnNotLike", "arn:aws:s3:::b", allowed},
		{"Null", "true", allowed},
		{"Null", "false", implicitDeny},
		{"ForAllValues:StringEquals", "a", allowed},
		{"ForAnyValue:StringEquals", "a", implicitDeny},
		{"ForAnyValue:StringNotEquals", "a", implicitDeny},
		{"ForAnyValue:StringEqualsIfExists", "a", allowed},
	}
	for _, tt := range tests {
		checkOutcome(t, tt.operator, condition1(t, tt.operator, tt.value), tt.want)
	}
	for _, value := range []string{"true", "false"} {
		checkOutcome(t, "ForAllValues:Null "+value, condition1(t, "ForAllValues:Null", value, "x"), allowed)
		checkOutcome(t, "ForAnyValue:Null "+value, condition1(t, "ForAnyValue:Null", value), implicitDeny)
	}
	checkOutcome(t, "Null false of a present key", condition1(t, "Null", "false", "x"), allowed)
}

func TestSeveralValuesInRequest(t *testing.T) {
	tests := []struct {
		operator string
		got      []string
		want     string
	}{
		{"ForAllValues:StringEquals", []string{"a", "a"}, allowed},
		{"ForAllValues:StringEquals", []string{"a", "b"}, implicitDeny},
		{"ForAnyValue:StringEquals", []string{"b", "a"}, allowed},
		{"ForAnyValue:StringEquals", []string{"b", "c"}, implicitDeny},
		{"ForAllValues:StringNotEquals", []string{"b", "c"}, allowed},
		{"ForAllValues:StringNotEquals", []string{"b", "a"}, implicitDeny},
		{"ForAnyValue:StringNotEquals", []string{"a", "b"}, allowed},
		{"StringEquals", []string{"a", "b"}, `condition key "x:key" has several values`},
	}
	for _, tt := range tests {
		checkOutcome(t, fmt.Sprint(tt.operator, tt.got), condition1(t, tt.operator, "a", tt.got...), tt.want)
	}
}

func TestUnknownKeyIsAnError(t *testing.T) {
	for _, operator := range []string{"StringEquals", "StringEqualsIfExists", "Null", "ForAllValues:StringLike", "StringNotEquals"} {
		policy := one(fmt.Sprintf(`{"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": {%q: {"aws:PrincipalOrgID": "true"}}}`, operator))
		got := outcome(t, request{action: "x:Do", resource: "*", context: requestContext{"aws:SourceArn": nil}}, policy)
		checkOutcome(t, operator, got, `condition key "aws:PrincipalOrgID" cannot be rehearsed for this request; the rehearsal knows aws:SourceArn`)
	}
	hidden := one(`{"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": {"Bool": {"aws:A": "true"}, "StringEquals": {"aws:B": "b"}}}`)
	got := outcome(t, request{action: "x:Do", resource: "*", context: requestContext{"aws:A": {"false"}}}, hidden)
	checkOutcome(t, "behind a false condition", got, `"aws:B" cannot be rehearsed`)
}

func TestValueOfRequestThatOperatorCannotRead(t *testing.T) {
	for operator, want := range map[string]string{"NumericNotEquals": "1", "DateNotEquals": "2025-01-31", "NotIpAddress": "10.0.0.1"} {
		if got := condition1(t, operator, want, "neither"); !strings.HasPrefix(got, "error: ") {
			t.Errorf("%s of \"neither\": %s, want an error", operator, got)
		}
	}
}
