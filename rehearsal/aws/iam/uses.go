package iam

import "slices"

// Use is one decision: whether a role may perform an action on a resource, and by which statements.
type Use struct {
	// Role is the role's ARN.
	Role string
	// Action and Resource are as the request had them: no wildcards, but for "*" where no resource is meant.
	Action, Resource string
	// Service and Source are who assumed the role, and for which resource's sake; "" but for sts:AssumeRole.
	Service, Source string
	// Via is the service that made the call for the role, as in Session; "" for none.
	Via string
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

// Uses returns every decision taken so far, in the order in which each was first asked for. The same question
// asked again counts once, with its latest answer.
func (a *Authority) Uses() []Use {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Clone(a.uses)
}

// record keeps a decision for Uses.
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

// asks reports whether both are about the same question.
func (u Use) asks(other Use) bool {
	return u.Role == other.Role && u.Action == other.Action && u.Resource == other.Resource &&
		u.Service == other.Service && u.Source == other.Source && u.Via == other.Via
}

// Again decides a recorded request anew, by the policies as they are declared now. Its errors are those of AssumeRole
// and Authorize.
func (a *Authority) Again(u Use) error {
	if u.Service != "" {
		_, err := a.AssumeRole(u.Role, u.Service, "again", u.Source)
		return err
	}
	return a.Authorize(Session{RoleARN: u.Role, Name: "again", Via: u.Via, Credentials: newCredentials()}, u.Action, u.Resource)
}
