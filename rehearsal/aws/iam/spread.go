package iam

import (
	"fmt"
	"slices"
	"time"

	"cicd/rehearsal/aws/account"
)

// Spread is how long AWS takes to spread a new role or policy (IAM User Guide, "Changes that I make are not always
// immediately visible"). The guide names no figure; OFFENSAI measured about four seconds in two regions in 2025 (quoted
// in ferkakta.dev, "IAM eventual consistency is four seconds").
const Spread = 4 * time.Second

// SetSpread makes roles and policies unknown until they are this old. A new authority knows them at once.
func (a *Authority) SetSpread(d time.Duration) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.spread = d
}

// TooEarly returns the requests that were denied because a role or policy had not spread, in order.
func (a *Authority) TooEarly() []*DeniedError {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.early[:len(a.early):len(a.early)]
}

// spreading reports whether the resource is too new to be known.
func (a *Authority) spreading(r account.Resource) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.account.Age(r) < a.spread
}

// tooEarly says in a denial that the request is allowed once the policies have spread, and remembers it.
func (a *Authority) tooEarly(e *DeniedError, docs []Policy, later verdict) {
	allowing := docs[slices.IndexFunc(docs, func(d Policy) bool { return d.urn == later.allowedBy[0].Policy })]
	e.Remedy = fmt.Sprintf("IAM has not spread the new %s yet, which takes seconds: release again; if it happens each time, declare it in an earlier up", allowing.name)
	a.mu.Lock()
	defer a.mu.Unlock()
	a.early = append(a.early, e)
}
