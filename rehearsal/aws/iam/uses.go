package iam

import (
	"reflect"
	"slices"
)

// Use is one decision: whether a role may perform an action on a resource, and by which statements.
type Use struct {
	// Role is the role's ARN.
	Role string
	// Action and Resource are as requested: no wildcards, except "*" for no particular resource.
	Action, Resource string
	// Service and Source are who assumed the role, and on behalf of which resource; "" except for sts:AssumeRole.
	Service, Source string
	// Via is the service that made the call on the role's behalf, as in Session; "" for none.
	Via string
	// Keys are the call's own condition keys, as in Session; nil for none.
	Keys map[string][]string
	// Administrator says that a person with all permissions asked, see Authority.Administrator.
	Administrator bool
	// Grants are the statements that allowed the request; none if it was denied.
	Grants []Grant
}

// Grant is a statement of a declared policy that allowed a request.
type Grant struct {
	// Policy is the URN of the resource that declares the policy.
	Policy string
	// Statement is the statement's position in the policy, from 0.
	Statement int
	// Sid is the statement's id, "" if it has none.
	Sid string
}

// Uses returns every decision so far, in order of first occurrence. A repeated question counts once, with its latest
// answer.
func (a *Authority) Uses() []Use {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Clone(a.uses)
}

// record remembers a decision for Uses.
func (a *Authority) record(use Use) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for i, old := range a.uses {
		if old.asks(use) {
			a.uses[i] = use
			return
		}
	}
	a.uses = append(a.uses, use)
}

// asks reports whether both are the same question.
func (u Use) asks(other Use) bool {
	return u.Role == other.Role && u.Action == other.Action && u.Resource == other.Resource &&
		u.Service == other.Service && u.Source == other.Source && u.Via == other.Via &&
		reflect.DeepEqual(u.Keys, other.Keys)
}

// Recheck decides a recorded request again, by the policies as they are declared now. Its errors are those of
// AssumeRole and Authorize.
func (a *Authority) Recheck(u Use) error {
	if u.Service != "" {
		_, err := a.AssumeRole(u.Role, u.Service, "again", u.Source)
		return err
	}
	return a.Authorize(Session{RoleARN: u.Role, Name: "again", Via: u.Via, Keys: u.Keys, Credentials: newCredentials()}, u.Action, u.Resource)
}
