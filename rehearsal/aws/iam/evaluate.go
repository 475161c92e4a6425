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
}

// verdict is what policies say about a request.
type verdict struct {
	allowedBy []Grant
	deniedBy  *denial
	// closedBy is the key policy because of which it does not count what identity-based policies allow; nil for none.
	closedBy *Policy
	// near says, of statements that allow the action but not this request, what keeps them from it.
	near []string
}

// denial is the first Deny statement found that applies. AWS names no more than one either.
type denial struct {
	kind      Kind
	policy    string // name of the declaring resource
	urn       string
	statement string
}

// allowed reports whether the request may go ahead: an explicit deny wins, and what nobody allows is denied
// (IAM User Guide, "Policy evaluation logic").
func (v verdict) allowed() bool { return v.deniedBy == nil && len(v.allowedBy) > 0 }

// evaluate asks every statement of the policies. In one account an Allow in any of them is enough, so it makes no
// difference here whether they are attached to the role or to the resource, but for keys, see leavesToAccount. A statement
// that cannot be evaluated fails the whole request, as it does in AWS, rather than count as a yes or a no.
func evaluate(docs []Policy, r request) (verdict, error) {
	var v verdict
	var errs []error
	for i, doc := range docs {
		if doc.kind == KeyPolicy {
			left, err := doc.leavesToAccount(r)
			if errs = append(errs, err); !left {
				v.closedBy = &docs[i]
			}
		}
	}
	for _, doc := range docs {
		for _, s := range doc.Statements {
			applies, obstacle, err := s.applies(r)
			switch {
			case err != nil:
				errs = append(errs, doc.failed(s, err))
			case applies && s.Allow && doc.kind == IdentityPolicy && v.closedBy != nil:
				v.near = append(v.near, fmt.Sprintf("%s of %q allows it, which does not count for a key whose policy does not leave %s to the account",
					s, doc.name, r.action))
			case applies && s.Allow:
				v.allowedBy = append(v.allowedBy, Grant{Policy: doc.urn, Statement: s.index, Sid: s.Sid})
			case applies && v.deniedBy == nil:
				v.deniedBy = &denial{kind: doc.kind, policy: doc.name, urn: doc.urn, statement: s.String()}
			case s.Allow && obstacle != "":
				v.near = append(v.near, fmt.Sprintf("%s of %q allows the action, but %s", s, doc.name, obstacle))
			}
		}
	}
	return v, errors.Join(errs...)
}

// failed says which statement could not be evaluated.
func (d Policy) failed(s Statement, err error) error {
	return fmt.Errorf("%s %q: %s: %w", d.kind, d.name, s, err)
}

// leavesToAccount reports whether a key policy lets identity-based policies allow the request. They count for a key only
// where its policy allows the action to the account: "Without permission from the key policy, IAM policies that allow
// permissions have no effect", while those that deny do (KMS Developer Guide, "Key policies in AWS KMS", and "Default key
// policy", "Allows access to the AWS account and enables IAM policies").
func (d Policy) leavesToAccount(r request) (bool, error) {
	session := r.principal
	r.principal = principal{account: session.account}
	left := false
	var errs []error
	for _, s := range d.Statements {
		if !s.Allow || s.concerns(session) { // what concerns the session allows by itself
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

// applies reports whether the statement is about the request; if its actions are, but something else is not,
// obstacle tells what.
func (s Statement) applies(r request) (applies bool, obstacle string, err error) {
	vars := variables{enabled: s.variables, context: r.context}
	if s.matchesAction(r.action) == s.NotActions {
		return false, "", nil
	}
	if len(s.Resources) > 0 {
		matches, err := s.matchesResource(r.resource, vars)
		if err != nil {
			return false, "", err
		}
		if matches == s.NotResources {
			return false, "not on this resource", nil
		}
	}
	if !s.concerns(r.principal) {
		return false, "not to this principal", nil
	}
	var obstacles []string
	var errs []error
	for _, c := range s.conditions { // all of them: an unknown key behind a false condition is an error too
		holds, err := c.holds(vars)
		if err != nil {
			errs = append(errs, err)
		} else if !holds {
			obstacles = append(obstacles, c.describe(r.context))
		}
	}
	return len(obstacles) == 0, strings.Join(obstacles, ", "), errors.Join(errs...)
}

// matchesAction reports whether one of the statement's actions covers action. Case does not matter.
func (s Statement) matchesAction(action string) bool {
	return slices.ContainsFunc(s.Actions, func(want string) bool {
		p, err := compile(strings.ToLower(want), variables{}) // cannot fail without policy variables
		return err == nil && p.match(strings.ToLower(action))
	})
}

// matchesResource reports whether one of the statement's resources covers resource. Case matters. A request that is
// about no resource in particular has "*", which nothing but "*" covers.
func (s Statement) matchesResource(resource string, vars variables) (bool, error) {
	for _, want := range s.Resources {
		p, err := compileResource(want, vars)
		if err != nil {
			return false, err
		}
		if p.match(resource) {
			return true, nil
		}
	}
	return false, nil
}
