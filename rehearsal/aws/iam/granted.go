package iam

import (
	"slices"
	"strings"

	"cicd/rehearsal/aws/account"
)

// Granted is one action that a policy allows a role on one resource, and its uses.
type Granted struct {
	Grant
	// Role is the role's ARN, RoleName its logical name in the program, and Component the type name of the component
	// that declares it.
	Role, RoleName, Component string
	// Action and Resource are as written in the policy. They are "*" if it names exceptions (NotAction, NotResource):
	// such a statement also allows whatever AWS adds next.
	Action, Resource string
	// Uses are the requests that it allowed.
	Uses []Use
}

// Granted lists everything the declared roles may do, in order of declaration, with what has been used so far.
func (a *Authority) Granted() ([]Granted, error) {
	uses := a.Uses()
	var list []Granted
	for _, role := range a.account.ByType(account.Role) {
		docs, err := a.identityPolicies(role)
		if err != nil {
			return nil, err
		}
		for _, doc := range docs {
			for _, s := range doc.Statements {
				if !s.Allow {
					continue
				}
				for _, g := range s.granted() {
					g.Grant = Grant{Policy: doc.urn, Statement: s.index, Sid: s.Sid}
					g.Role, g.RoleName, g.Component = role.String("arn"), role.Name, component(role.URN)
					for _, u := range uses {
						if u.Role == g.Role && slices.Contains(u.Grants, g.Grant) && g.allows(u) {
							g.Uses = append(g.Uses, u)
						}
					}
					list = append(list, g)
				}
			}
		}
	}
	return list, nil
}

// granted splits the statement into single grants.
func (s Statement) granted() []Granted {
	actions, resources := s.Actions, s.Resources
	if s.NotActions {
		actions = []string{"*"}
	}
	if s.NotResources {
		resources = []string{"*"}
	}
	var list []Granted
	for _, action := range actions {
		for _, resource := range resources {
			list = append(list, Granted{Action: action, Resource: resource})
		}
	}
	return list
}

// allows reports whether a use that the statement allows is covered by this action and resource. A resource with a
// policy variable always is: the request supplied its value.
func (g Granted) allows(u Use) bool {
	one := Statement{Actions: []string{g.Action}, Resources: []string{g.Resource}}
	matches, _, err := one.matchesResource(u.Resource, variables{}) // cannot fail without policy variables
	return one.matchesAction(u.Action) && err == nil && (matches || strings.Contains(g.Resource, "${"))
}

// Narrower returns what would be enough in place of a wildcard that allows more than was used: actions, or a resource.
// It returns "" if nothing is wider than its use.
//
// An action with a wildcard is always too wide, because AWS adds actions. A resource with one is too wide if everything
// used shares a longer prefix than the text before the wildcard. "*" is not if the action has no resource type.
func (g Granted) Narrower() string {
	if len(g.Uses) == 0 {
		return ""
	}
	if strings.ContainsAny(g.Action, "*?") {
		var actions []string
		for _, u := range g.Uses {
			actions = append(actions, u.Action)
		}
		slices.Sort(actions)
		return strings.Join(slices.Compact(actions), ", ")
	}
	wildcard := strings.IndexAny(g.Resource, "*?")
	if wildcard < 0 || g.Uses[0].Resource == g.Resource {
		return ""
	}
	common := g.Uses[0].Resource
	if strings.HasSuffix(common, ":key/"+outsideKeyID) && strings.HasSuffix(g.Resource, ":key/*") {
		return "" // it stands for any key
	}
	if slices.ContainsFunc(g.Uses, func(u Use) bool { return u.Resource != common }) {
		for _, u := range g.Uses {
			for !strings.HasPrefix(u.Resource, common) {
				common = common[:len(common)-1]
			}
		}
		common = common[:strings.LastIndexAny(common, ":/")+1] + "*"
	}
	if strings.TrimSuffix(common, "*") == g.Resource[:wildcard] {
		return ""
	}
	return common
}
