package permissions

import (
	"fmt"
	"strings"

	"cicd/rehearsal/aws/account"
	"cicd/rehearsal/aws/iam"
)

// audit sets what the declared roles are granted against what was used of it.
type audit struct {
	grants []grant
	// refused counts the requests that must be refused, and are.
	refused int
	// problems say what is wrong with the policies: in which component, with which statement, and what to do.
	problems []string
}

// grant is one action on one resource that a role is granted.
type grant struct {
	iam.Granted
	// narrower is what would have been enough in place of a wildcard, "" when nothing is wider than its use.
	narrower string
	// reason is why it may be unused, or wider than its use; "" when it must not be.
	reason string
}

// The words for a grant. The capitals are what catches the eye in the table.
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

// newAudit decides the recorded uses again by the policies that are declared now. Every request that was allowed must
// still be, all that is granted must be used, or excused with its reason, and what must be refused has to be.
func newAudit(acct *account.Account, uses []iam.Use, excuses []exemption) (audit, error) {
	var a audit
	authority := iam.NewAuthority(acct)
	var allowed []iam.Use
	for _, u := range uses {
		if len(u.Grants) == 0 {
			continue // it was an answer, such as which of two errors S3 gives
		}
		allowed = append(allowed, u)
		if err := authority.Recheck(u); err != nil {
			a.problems = append(a.problems, "what a release does is no longer allowed: "+err.Error())
		}
	}
	granted, err := authority.Granted()
	if err != nil {
		return audit{}, err
	}
	a.compare(granted, excuses)
	for _, p := range probes(allowed) {
		if err := p.refused(authority); err != nil {
			a.problems = append(a.problems, err.Error())
		} else {
			a.refused++
		}
	}
	return a, nil
}

// compare finds grants that are unused or wider than their use, and excuses that excuse nothing.
func (a *audit) compare(granted []iam.Granted, excuses []exemption) {
	excused := make([]map[string]bool, len(excuses)) // the actions of each that do excuse something
	for _, g := range granted {
		one := grant{Granted: g, narrower: g.Narrower()}
		for i, e := range excuses {
			if e.excuses(one) {
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
			a.problems = append(a.problems, where+", and nothing uses it: remove it from the program, or excuse it in rehearsal/permissions/exempt.go")
		case wide:
			a.problems = append(a.problems, where+", and "+one.narrower+" would be enough: narrow it in the program, or excuse it in rehearsal/permissions/exempt.go")
		}
	}
	for i, e := range excuses {
		for _, action := range e.actions {
			if !excused[i][action] {
				a.problems = append(a.problems, fmt.Sprintf("rehearsal/permissions/exempt.go excuses that role %s has %s, and there is nothing to excuse: remove it there", e.role, action))
			}
		}
	}
}

// err returns the problems as one error, nil if there are none.
func (a audit) err() error {
	if len(a.problems) == 0 {
		return nil
	}
	return fmt.Errorf("the permissions are not in order:\n  %s", strings.Join(a.problems, "\n  "))
}
