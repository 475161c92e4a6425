package iam

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// request is one action on one resource.
type request struct {
	principal principal
	action    string
	resource  string
	context   requestContext
	keys      map[string][]string // those of context that are the call's own
}

// verdict is the policies' decision on a request.
type verdict struct {
	allowedBy []Grant
	deniedBy  *denial
	// blockedBy is the key policy that makes identity-based Allows ineffective; nil if none.
	blockedBy *Policy
	// nearMisses says, for statements that allow the action but not this request, why they do not apply.
	nearMisses []string
}

// denial is the first applicable Deny statement. AWS also names only one.
type denial struct {
	kind      Kind
	policy    string // name of the declaring resource
	urn       string
	statement string
}

// allowed reports whether the request may proceed: an explicit deny wins, and what nothing allows is denied (IAM User
// Guide, "Policy evaluation logic").
func (v verdict) allowed() bool { return v.deniedBy == nil && len(v.allowedBy) > 0 }

// evaluate checks every statement of the policies. Within one account any Allow is enough, so it does not matter
// whether a policy is attached to the role or to the resource, except for keys, see delegatesToAccount. A statement that
// a rehearsal cannot evaluate fails the whole request, rather than count as a yes or a no.
func evaluate(docs []Policy, r request) (verdict, error) {
	var v verdict
	var errs []error
	for i, doc := range docs {
		if doc.kind == KeyPolicy {
			left, err := doc.delegatesToAccount(r)
			if errs = append(errs, err); !left {
				v.blockedBy = &docs[i]
			}
		}
	}
	for _, doc := range docs {
		for _, s := range doc.Statements {
			applies, obstacle, err := s.applies(r)
			switch {
			case err != nil:
				errs = append(errs, doc.failed(s, err))
			case applies && s.Allow && doc.kind == IdentityPolicy && v.blockedBy != nil:
				v.nearMisses = append(v.nearMisses, fmt.Sprintf("%s of %q allows it, which has no effect on a key whose policy does not delegate %s to the account",
					s, doc.name, r.action))
			case applies && s.Allow:
				v.allowedBy = append(v.allowedBy, Grant{Policy: doc.urn, Statement: s.index, Sid: s.Sid})
			case applies && v.deniedBy == nil:
				v.deniedBy = &denial{kind: doc.kind, policy: doc.name, urn: doc.urn, statement: s.String()}
			case s.Allow && obstacle != "":
				v.nearMisses = append(v.nearMisses, fmt.Sprintf("%s of %q allows the action, but %s", s, doc.name, obstacle))
			}
		}
	}
	return v, errors.Join(errs...)
}

// failed says which statement could not be evaluated.
func (d Policy) failed(s Statement, err error) error {
	return fmt.Errorf("%s %q: %s: %w", d.kind, d.name, s, err)
}

// delegatesToAccount reports whether a key policy lets identity-based policies allow the request. It must allow the
// action to the account: "Without permission from the key policy, IAM policies that allow permissions have no
// effect", while those that deny do (KMS Developer Guide, "Key policies in AWS KMS", and "Default key policy",
// "Allows access to the AWS account and enables IAM policies").
func (d Policy) delegatesToAccount(r request) (bool, error) {
	session := r.principal
	r.principal = principal{account: session.account}
	left := false
	var errs []error
	for _, s := range d.Statements {
		if !s.Allow || s.concerns(session) { // a statement that concerns the session allows directly
			continue
		}
		applies, _, err := s.applies(r)
		if err != nil {
			errs = append(errs, d.failed(s, err))
		}
		left = left || applies
	}
	return left, errors.Join(errs...)
}

// applies reports whether the statement covers the request. If only its actions do, obstacle says what does not.
func (s Statement) applies(r request) (applies bool, obstacle string, err error) {
	vars := variables{enabled: s.variables, context: r.context}
	if s.matchesAction(r.action) == s.NotActions {
		return false, "", nil
	}
	if len(s.Resources) > 0 {
		matches, missing, err := s.matchesResource(r.resource, vars)
		switch {
		case err != nil:
			return false, "", err
		case matches == s.NotResources && missing != nil:
			return false, "not on this resource: " + missing.Error(), nil
		case matches == s.NotResources:
			return false, "not on this resource", nil
		}
	}
	if !s.concerns(r.principal) {
		return false, "not to this principal", nil
	}
	var obstacles []string
	var errs []error
	for _, c := range s.conditions { // all of them: an unknown key after a false condition is also an error
		holds, err := c.holds(vars)
		if err != nil {
			errs = append(errs, err)
		} else if !holds {
			obstacles = append(obstacles, c.describe(r.context))
		}
	}
	return len(obstacles) == 0, strings.Join(obstacles, ", "), errors.Join(errs...)
}

// matchesAction reports whether one of the statement's actions covers action, ignoring case.
func (s Statement) matchesAction(action string) bool {
	return slices.ContainsFunc(s.Actions, func(want string) bool {
		p, err := compile(strings.ToLower(want), variables{}) // cannot fail without policy variables
		return err == nil && p.match(strings.ToLower(action))
	})
}

// matchesResource reports whether one of the statement's resources covers resource; case matters. A request without a
// particular resource has "*", which only "*" covers. One with a policy variable that has no value "will not match any
// resource" (IAM User Guide, "Policy variables with no value"); missing says which, if none of the others matches.
func (s Statement) matchesResource(resource string, vars variables) (matches bool, missing, err error) {
	for _, want := range s.Resources {
		p, err := compileResource(want, vars)
		switch {
		case errors.Is(err, errNoValue):
			missing = err
		case err != nil:
			return false, nil, err
		case p.match(resource):
			return true, nil, nil
		}
	}
	return false, missing, nil
}
