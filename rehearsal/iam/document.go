package iam

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
)

// kind is what a policy is attached to. It decides which elements the policy must and must not have.
type kind string

// The kinds, as AWS names them in its messages.
const (
	identityPolicy kind = "identity-based policy"
	resourcePolicy kind = "resource-based policy"
	trustPolicy    kind = "role trust policy"
)

// Resource-based policies with rules of their own.
const (
	keyPolicy        kind = "key policy"
	repositoryPolicy kind = "repository policy"
)

// inMessages is how AWS's messages name the kind: they do not tell one resource's policies from another's.
func (k kind) inMessages() kind {
	if k == keyPolicy || k == repositoryPolicy {
		return resourcePolicy
	}
	return k
}

// elements are what a statement may have.
func (k kind) elements() []string {
	known := []string{"Sid", "Effect", "Action", "NotAction", "Condition"}
	switch k {
	case identityPolicy:
		return append(known, "Resource", "NotResource")
	case keyPolicy:
		// KMS Developer Guide, "Creating a key policy": up to six elements, and nothing of NotPrincipal and the like.
		return []string{"Sid", "Effect", "Principal", "Action", "Resource", "Condition"}
	case resourcePolicy:
		known = append(known, "Resource", "NotResource")
	}
	return append(known, "Principal", "NotPrincipal")
}

// namesResources reports whether statements say which resources they are about. A trust policy is about its role, and a
// repository's about the repository: ECR refuses one that has a Resource (ECR User Guide, "Private repository policy
// examples"; awsdocs/amazon-ecr-user-guide pull request 20).
func (k kind) namesResources() bool { return k != trustPolicy && k != repositoryPolicy }

// document is a parsed policy.
type document struct {
	kind       kind
	name       string // the declaring resource's name
	urn        string
	statements []statement
}

// statement is one statement of a policy.
type statement struct {
	index      int // from 0
	sid        string
	allow      bool
	variables  bool // whether ${...} is a policy variable
	actions    []string
	notActions bool
	// resources is empty in policies that are about what they are attached to, see kind.namesResources.
	resources    []string
	notResources bool
	// principals is nil in an identity-based policy, which is about the role that it is attached to.
	principals    *principals
	notPrincipals bool
	conditions    []condition
}

// parse reads a policy document. It is strict: an element that IAM does not define for this kind of policy is an
// error, and all errors are reported at once (IAM User Guide, "Grammar of the IAM JSON policy language").
func parse(k kind, text string) (document, error) {
	doc := document{kind: k}
	known := []string{"Version", "Id", "Statement"}
	if k == identityPolicy {
		known = []string{"Version", "Statement"}
	}
	elements, err := object([]byte(text), known...)
	if err != nil {
		return doc, err
	}
	version := "2008-10-17" // what a document without one is
	if raw, ok := elements["Version"]; ok {
		if version, err = stringValue(raw); err != nil || version != "2012-10-17" && version != "2008-10-17" {
			return doc, fmt.Errorf("element Version is %s, want \"2012-10-17\" or \"2008-10-17\"", raw)
		}
	}
	if _, ok := elements["Statement"]; !ok {
		return doc, errors.New("element Statement is missing")
	}
	raws := list(elements["Statement"])
	if len(raws) == 0 {
		return doc, errors.New("element Statement is empty")
	}
	var errs []error
	sids := map[string]bool{}
	for i, raw := range raws {
		s, err := parseStatement(k, raw)
		if err == nil && s.sid != "" && sids[s.sid] {
			err = errors.New("an earlier statement has the same Sid")
		}
		s.index, s.variables = i, version == "2012-10-17"
		sids[s.sid] = true
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", s, err))
		}
		doc.statements = append(doc.statements, s)
	}
	return doc, errors.Join(errs...)
}

// String names the statement in messages.
func (s statement) String() string {
	if s.sid != "" {
		return fmt.Sprintf("statement %q", s.sid)
	}
	return fmt.Sprintf("statement %d", s.index+1)
}

// alphanumeric is what IAM allows in a Sid; services may allow more in the policies of their resources.
var alphanumeric = regexp.MustCompile(`^[0-9A-Za-z]*$`)

func parseStatement(k kind, raw []byte) (statement, error) {
	var s statement
	elements, err := object(raw, k.elements()...)
	if err != nil {
		return s, err
	}
	var errs []error
	if raw, ok := elements["Sid"]; ok {
		s.sid, err = stringValue(raw)
		if err != nil || k.inMessages() != resourcePolicy && !alphanumeric.MatchString(s.sid) {
			errs = append(errs, fmt.Errorf("element Sid is %s, want letters and digits", raw))
		}
	}
	switch effect := string(elements["Effect"]); effect {
	case `"Allow"`, `"Deny"`:
		s.allow = effect == `"Allow"`
	default:
		errs = append(errs, fmt.Errorf("element Effect is %q, want \"Allow\" or \"Deny\"", effect))
	}
	s.actions, s.notActions, err = patterns(elements, "Action", checkAction)
	errs = append(errs, err)
	if k.namesResources() {
		s.resources, s.notResources, err = patterns(elements, "Resource", checkResource)
		errs = append(errs, err)
	}
	if k != identityPolicy {
		raw, not, err := either(elements, "Principal")
		if err == nil {
			s.notPrincipals = not
			s.principals, err = parsePrincipals(raw)
		}
		errs = append(errs, err)
	}
	if raw, ok := elements["Condition"]; ok {
		s.conditions, err = parseConditions(raw)
		errs = append(errs, err)
	}
	return s, errors.Join(errs...)
}

// patterns reads an element or its Not form, whose values must all pass check.
func patterns(elements map[string]rawJSON, name string, check func(string) error) (values []string, not bool, err error) {
	raw, not, err := either(elements, name)
	if err != nil {
		return nil, false, err
	}
	if values, err = stringValues(raw); err != nil {
		return nil, false, fmt.Errorf("element %s: %w", name, err)
	}
	var errs []error
	for _, value := range values {
		errs = append(errs, check(value))
	}
	return values, not, errors.Join(errs...)
}

// either returns the one of an element and its Not form that is there.
func either(elements map[string]rawJSON, name string) (raw rawJSON, not bool, err error) {
	yes, hasYes := elements[name]
	no, hasNo := elements["Not"+name]
	switch {
	case hasYes && hasNo:
		return nil, false, fmt.Errorf("elements %[1]s and Not%[1]s exclude each other", name)
	case !hasYes && !hasNo:
		return nil, false, fmt.Errorf("element %[1]s (or Not%[1]s) is missing", name)
	case hasNo:
		return no, true, nil
	}
	return yes, false, nil
}

var actionForm = regexp.MustCompile(`^(\*|(\*|[A-Za-z0-9-]+):[A-Za-z0-9*?]+)$`)

func checkAction(action string) error {
	if !actionForm.MatchString(action) {
		return fmt.Errorf("action %q must be \"*\" or a service prefix, a colon and an action's name, such as \"s3:GetObject\"", action)
	}
	return nil
}

var (
	partitionForm = regexp.MustCompile(`^aws(-[a-z]+)*$`)
	serviceForm   = regexp.MustCompile(`^[a-z0-9-]+$`)
)

// checkResource refuses what IAM refuses with "Resource vendor must be fully qualified and cannot contain regexes",
// "must be in ARN format" and the like, and an ARN that lacks segments, which IAM takes but which matches nothing.
func checkResource(resource string) error {
	if resource == "*" {
		return nil
	}
	segments := strings.SplitN(resource, ":", arnSegments)
	switch n := len(segments); {
	case n < 4 || segments[0] != "arn" || n < arnSegments && !strings.HasSuffix(resource, "*"):
		return fmt.Errorf("resource %q must be \"*\" or an ARN, arn:partition:service:region:account:resource", resource)
	case !partitionForm.MatchString(segments[1]):
		return fmt.Errorf("resource %q: partition %q is not one of AWS", resource, segments[1])
	case !serviceForm.MatchString(segments[2]):
		return fmt.Errorf("resource %q: service %q must be named in full, without wildcards", resource, segments[2])
	case strings.Contains(strings.Join(segments[:min(n, arnSegments-1)], ":"), "${"):
		return fmt.Errorf("resource %q: a policy variable may stand only after the fifth colon", resource)
	}
	return nil
}
