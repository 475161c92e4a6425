package permissions

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"cicd/rehearsal/aws/account"
	"cicd/rehearsal/aws/iam"
)

// audit compares what the declared roles are granted with what was used.
type audit struct {
	grants []grant
	// refused counts the requests that must be refused and are.
	refused int
	// problems say what is wrong with the policies: in which component, in which statement, and what to do.
	problems []string
}

// grant is one action on one resource that a role is granted.
type grant struct {
	iam.Granted
	// narrower is what would have been enough instead of a wildcard, or "" if the grant is not wider than its use.
	narrower string
	// reason says why it may be unused, or wider than its use; "" if it may not.
	reason string
}

// The statuses of a grant. Capitals catch the eye in the table.
const (
	used   = "used"
	exempt = "exempt"
	unused = "UNUSED"
	wide   = "WIDE"
)

func (g grant) status() string {
	switch {
	case g.reason != "":
		return exempt
	case len(g.Uses) == 0:
		return unused
	case g.narrower != "":
		return wide
	}
	return used
}

// newAudit replays the recorded requests against the current policies: allowed requests must stay allowed, each grant must
// be used or exempted with a reason, and each probe must be denied.
func newAudit(acct *account.Account, uses []iam.Use, exemptions []exemption) (audit, error) {
	var a audit
	authority := iam.NewAuthority(acct)
	var allowed []iam.Use
	for _, u := range uses {
		if len(u.Grants) == 0 || u.Administrator {
			continue // it only decided an answer, such as which of two errors S3 returns; or it is a person's
		}
		allowed = append(allowed, u)
		if err := authority.Recheck(u); err != nil {
			a.problems = append(a.problems, "a request of the releases is no longer allowed: "+err.Error())
		}
	}
	granted, err := authority.Granted()
	if err != nil {
		return audit{}, err
	}
	a.compare(granted, exemptions)
	for _, p := range probes(allowed) {
		if err := p.refused(authority); err != nil {
			a.problems = append(a.problems, err.Error())
		} else {
			a.refused++
		}
	}
	return a, nil
}

// compare finds grants that are unused or wider than their use, and exemptions that excuse nothing.
func (a *audit) compare(granted []iam.Granted, exemptions []exemption) {
	excused := make([]map[string]bool, len(exemptions)) // the actions of each that excuse something
	for _, g := range granted {
		one := grant{Granted: g, narrower: g.Narrower()}
		for _, h := range hiddenUses {
			one.reason = cmp.Or(one.reason, h.reasonFor(g, granted))
		}
		for i, e := range exemptions {
			if e.covers(one) {
				one.reason = e.reason
				if excused[i] == nil {
					excused[i] = map[string]bool{}
				}
				excused[i][g.Action] = true
			}
		}
		a.grants = append(a.grants, one)
		where := fmt.Sprintf("statement %q of role %q in component %s grants %s on %s", g.Sid, g.RoleName, g.Component, g.Action, g.Resource)
		switch one.status() {
		case unused:
			a.problems = append(a.problems, where+", but nothing uses it: remove it from the program, or exempt it in rehearsal/permissions/exempt.go")
		case wide:
			a.problems = append(a.problems, where+", and "+one.narrower+" would be enough: narrow it in the program, or exempt it in rehearsal/permissions/exempt.go")
		}
	}
	for i, e := range exemptions {
		for _, action := range e.actions {
			about := func(g iam.Granted) bool { return g.Action == action && e.about(g) }
			optional := e.key != "" && !slices.ContainsFunc(granted, about) ||
				e.filled+e.sometimes != "" && slices.ContainsFunc(granted, func(g iam.Granted) bool { return about(g) && len(g.Uses) > 0 })
			if !excused[i][action] && !optional {
				a.problems = append(a.problems, fmt.Sprintf("rehearsal/permissions/exempt.go exempts %s of role %s, but there is nothing to exempt: remove it there", action, e.role))
			}
		}
	}
}

// err returns the problems as one error, or nil if there are none.
func (a audit) err() error {
	if len(a.problems) == 0 {
		return nil
	}
	return fmt.Errorf("the policies have problems:\n  %s", strings.Join(a.problems, "\n  "))
}
