package provider

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"cicd/rehearsal/account"
)

// policyKind says which elements a policy must have, and may not have, where it is attached.
type policyKind struct {
	limit     int            // characters, not counting white space
	principal bool           // who: required for policies of a resource, prohibited for policies of an identity
	resource  bool           // what: prohibited in policies that are about what they are attached to
	elements  []string       // what a statement may have; nil for all
	freeSid   bool           // whether a Sid may have more than letters and digits
	action    *regexp.Regexp // what the actions must match besides the general form; nil for all services
	wantMatch string         // AWS's error when they do not
	fault     string         // AWS's error for everything else; "" for IAM's
}

// Sources: IAM User Guide, "IAM JSON policy elements reference" and "IAM and AWS STS quotas";
// S3 User Guide, "Policies and permissions in Amazon S3".
var (
	identityPolicy = policyKind{limit: 10240, resource: true}
	trustPolicy    = policyKind{limit: 2048, principal: true,
		action: regexp.MustCompile(`^sts:`), wantMatch: "AssumeRole policy may only specify STS AssumeRole actions"}
	bucketPolicy = policyKind{limit: 20480, principal: true, resource: true,
		action: regexp.MustCompile(`^(s3:|\*$)`), wantMatch: "Policy has invalid action"}
)

// statementElements are the elements that a statement may have.
var statementElements = []string{"Sid", "Effect", "Principal", "NotPrincipal", "Action", "NotAction", "Resource", "NotResource", "Condition"}

var (
	actionPattern    = regexp.MustCompile(`^[A-Za-z0-9-]+:[A-Za-z0-9*?]+$`)
	sidPattern       = regexp.MustCompile(`^[A-Za-z0-9]*$`)
	conditionPattern = regexp.MustCompile(`^(ForAllValues:|ForAnyValue:)?` +
		`(String(Not)?Equals(IgnoreCase)?|String(Not)?Like|(Numeric|Date)((Not)?Equals|LessThan(Equals)?|GreaterThan(Equals)?)|` +
		`Bool|BinaryEquals|(Not)?IpAddress|Arn(Not)?(Equals|Like))(IfExists)?$|^Null$`)
)

// statement is one statement of a policy, its one-or-many elements as lists.
type statement map[string]any

// parsePolicy returns the statements of a policy.
func parsePolicy(policy string) ([]statement, error) {
	var document map[string]json.RawMessage
	if err := json.Unmarshal([]byte(policy), &document); err != nil {
		return nil, fmt.Errorf("MalformedPolicyDocument: contains an invalid JSON policy: %w", err)
	}
	for _, element := range slices.Sorted(maps.Keys(document)) {
		if !slices.Contains([]string{"Version", "Id", "Statement"}, element) {
			return nil, fmt.Errorf("MalformedPolicyDocument: Syntax errors in policy: unknown element %s", element)
		}
	}
	var version string
	if raw, ok := document["Version"]; ok && json.Unmarshal(raw, &version) != nil || ok && version != "2012-10-17" && version != "2008-10-17" {
		return nil, fmt.Errorf("MalformedPolicyDocument: The policy must contain a valid version string, got %s", raw)
	}
	var statements []statement
	if err := json.Unmarshal(document["Statement"], &statements); err != nil {
		var one statement
		if json.Unmarshal(document["Statement"], &one) != nil {
			return nil, fmt.Errorf("MalformedPolicyDocument: Syntax errors in policy: Statement is no object and no list of objects")
		}
		statements = []statement{one}
	}
	if len(statements) == 0 {
		return nil, fmt.Errorf("MalformedPolicyDocument: Missing required field Statement")
	}
	return statements, nil
}

// check reports every violation in a policy document.
func (k policyKind) check(path, policy string, r *report) {
	if size := len(strings.Join(strings.Fields(policy), "")); size > k.limit {
		r.add(path, "LimitExceeded: policy has %d characters, want at most %d", size, k.limit)
	}
	statements, err := parsePolicy(policy)
	if err != nil {
		r.add(path, "%v", err)
		return
	}
	sids := map[string]bool{}
	for i, s := range statements {
		at := func(format string, args ...any) {
			fault := cmp.Or(k.fault, "MalformedPolicyDocument")
			r.add(path, "%s: statement %d: "+format, append([]any{fault, i + 1}, args...)...)
		}
		k.checkStatement(s, at)
		if sid, _ := s["Sid"].(string); sid != "" && sids[sid] {
			at("Statement IDs (SID) in a single policy must be unique, %q is not", sid)
		} else {
			sids[sid] = true
		}
	}
}

func (k policyKind) checkStatement(s statement, at func(string, ...any)) {
	known := statementElements
	if k.elements != nil {
		known = k.elements
	}
	for _, element := range slices.Sorted(maps.Keys(s)) {
		if !slices.Contains(known, element) {
			at("Syntax errors in policy: unknown element %s", element)
		}
	}
	if sid, ok := s["Sid"].(string); s["Sid"] != nil && (!ok || !k.freeSid && !sidPattern.MatchString(sid)) {
		at("Statement IDs (SID) must be alpha-numeric, got %q", s["Sid"])
	}
	if s["Effect"] != "Allow" && s["Effect"] != "Deny" {
		at("Effect must be Allow or Deny, got %v", s["Effect"])
	}
	k.checkActions(s, at)
	switch {
	case k.principal && !s.oneOf("Principal", "NotPrincipal"):
		at("Missing required field Principal")
	case k.principal:
		checkPrincipal(s["Principal"], at)
	case s["Principal"] != nil || s["NotPrincipal"] != nil:
		at("Policy document should not specify a principal")
	}
	switch {
	case !k.resource && (s["Resource"] != nil || s["NotResource"] != nil):
		at("Has prohibited field Resource")
	case k.resource && !s.oneOf("Resource", "NotResource"):
		at("Policy statement must contain resources")
	case k.resource:
		for _, resource := range append(s.texts("Resource"), s.texts("NotResource")...) {
			if resource != "*" && (!strings.HasPrefix(resource, "arn:") || strings.Count(resource, ":") < 5) {
				at("Resource %s must be in ARN format or \"*\"", resource)
			}
		}
	}
	checkConditions(s["Condition"], at)
}

func (k policyKind) checkActions(s statement, at func(string, ...any)) {
	if !s.oneOf("Action", "NotAction") {
		at("Policy statement must contain actions")
	}
	for _, action := range append(s.texts("Action"), s.texts("NotAction")...) {
		switch {
		case action != "*" && !actionPattern.MatchString(action):
			at("Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.: %q", action)
		case k.action != nil && !k.action.MatchString(action):
			at("%s: %q", k.wantMatch, action)
		}
	}
}

// checkPrincipal accepts "*" and the four kinds of principals.
func checkPrincipal(principal any, at func(string, ...any)) {
	kinds, ok := principal.(map[string]any)
	if !ok {
		if principal != nil && principal != "*" {
			at("Invalid principal in policy: %v", principal)
		}
		return
	}
	for _, kind := range slices.Sorted(maps.Keys(kinds)) {
		for _, name := range oneOrMany(kinds[kind]) {
			valid := name != ""
			switch kind {
			case "Service":
				valid = strings.HasSuffix(name, ".amazonaws.com") || strings.HasSuffix(name, ".amazonaws.com.cn")
			case "AWS":
				valid = name == "*" || regexp.MustCompile(`^(\d{12}|arn:[a-z-]+:(iam|sts)::\d{12}:.+)$`).MatchString(name)
			case "Federated", "CanonicalUser":
			default:
				valid = false
			}
			if !valid {
				at("Invalid principal in policy: %q:%q", kind, name)
			}
		}
	}
}

func checkConditions(conditions any, at func(string, ...any)) {
	if conditions == nil {
		return
	}
	operators, ok := conditions.(map[string]any)
	if !ok {
		at("Syntax errors in policy: Condition is no object")
		return
	}
	for _, operator := range slices.Sorted(maps.Keys(operators)) {
		if !conditionPattern.MatchString(operator) {
			at("Invalid Condition type : %s", operator)
		}
		keys, ok := operators[operator].(map[string]any)
		if !ok || len(keys) == 0 {
			at("Condition %s is no object of condition keys", operator)
		}
		for _, key := range slices.Sorted(maps.Keys(keys)) {
			if !strings.Contains(key, ":") {
				at("Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.: condition key %q", key)
			}
			if len(oneOrMany(keys[key])) == 0 {
				at("Condition %s %s has no value", operator, key)
			}
		}
	}
}

// oneOf reports whether exactly one of two elements is there, with something in it.
func (s statement) oneOf(element, inverse string) bool {
	if (s[element] == nil) == (s[inverse] == nil) {
		return false
	}
	if block, ok := s[element].(map[string]any); ok {
		return len(block) > 0
	}
	if s[inverse] != nil && s[element] == nil {
		return true
	}
	return len(oneOrMany(s[element])) > 0
}

func (s statement) texts(element string) []string { return oneOrMany(s[element]) }

// principals returns the accounts and the ARNs of users and roles that the statement is about, or excepts.
func (s statement) principals() []string {
	var all []string
	for _, element := range []string{"Principal", "NotPrincipal"} {
		kinds, _ := s[element].(map[string]any)
		all = append(all, oneOrMany(kinds["AWS"])...)
	}
	return all
}

// verifyRoles reports principals of the policy in an input that are roles of this account and are not there: services
// refuse those, each with its own fault.
func (c *call) verifyRoles(name, fault string, r *report) {
	statements, err := parsePolicy(c.in.text(name))
	if err != nil {
		return // reported by check, or there is none
	}
	for i, s := range statements {
		for _, principal := range s.principals() {
			_, ok := c.acct.Find(account.Role, "arn", principal)
			if !ok && strings.HasPrefix(principal, c.globalARN("iam", "role/")) {
				r.add(name, "%s: statement %d names %s, and no such role is declared", fault, i+1, principal)
			}
		}
	}
}

// oneOrMany returns the strings of a policy element that is a value or a list of values.
func oneOrMany(v any) []string {
	switch v := v.(type) {
	case nil:
		return nil
	case []any:
		var all []string
		for _, item := range v {
			all = append(all, fmt.Sprint(item))
		}
		return all
	}
	return []string{fmt.Sprint(v)}
}
