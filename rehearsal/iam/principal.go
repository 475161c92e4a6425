package iam

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// principal is who makes a request: a role session, or for sts:AssumeRole an AWS service. One with an account alone
// stands for that account, see document.leavesToAccount.
type principal struct {
	service       string // such as "codebuild.amazonaws.com"; else
	account       string // the 12 digits,
	role, session string // and the ARNs of both
	via           string // the service that makes the call for the session, such as "s3"; "" for none
}

// String is how AWS's messages name the principal.
func (p principal) String() string {
	if p.service != "" {
		return p.service
	}
	return "User: " + p.session
}

// sessionPrincipal returns the principal of a role session.
func sessionPrincipal(s Session) principal {
	role := segment(s.RoleARN, 5)
	account := segment(s.RoleARN, 4)
	return principal{
		account: account,
		role:    s.RoleARN,
		// A role's path is no part of its sessions' ARNs.
		session: fmt.Sprintf("arn:%s:sts::%s:assumed-role/%s/%s", segment(s.RoleARN, 1), account,
			role[strings.LastIndex(role, "/")+1:], s.Name),
		via: s.Via,
	}
}

// principals is a Principal or NotPrincipal element.
type principals struct {
	everyone bool
	aws      []string // account ids and ARNs
	services []string
}

var (
	accountForm      = regexp.MustCompile(`^([0-9]{12}|arn:aws[a-z-]*:iam::[0-9]{12}:root)$`)
	principalARNForm = regexp.MustCompile(`^arn:aws[a-z-]*:(iam|sts)::[0-9]{12}:[^*?]+$`)
)

// parsePrincipals reads the element (IAM User Guide, "AWS JSON policy elements: Principal").
func parsePrincipals(raw rawJSON) (*principals, error) {
	if text, err := stringValue(raw); err == nil {
		if text != "*" {
			return nil, fmt.Errorf("principal %q must be \"*\" or an object such as {\"Service\": \"ec2.amazonaws.com\"}", text)
		}
		return &principals{everyone: true}, nil
	}
	byType, err := object(raw, "AWS", "Service", "Federated")
	if err != nil {
		return nil, fmt.Errorf("element Principal: %w", err)
	}
	if len(byType) == 0 {
		return nil, errors.New("element Principal is empty")
	}
	p := &principals{}
	for _, name := range []string{"AWS", "Service", "Federated"} {
		if raw, ok := byType[name]; ok {
			values, err := stringValues(raw)
			if err != nil {
				return nil, fmt.Errorf("principal %s: %w", name, err)
			}
			if err := p.add(name, values); err != nil {
				return nil, err
			}
		}
	}
	return p, nil
}

// add records the principals of one type. Federated ones are none of the services and sessions of a rehearsal.
func (p *principals) add(name string, values []string) error {
	for _, value := range values {
		switch {
		case name == "Service" && !strings.ContainsAny(value, "*?"):
			p.services = append(p.services, value)
		case name == "AWS" && value == "*":
			p.everyone = true
		case name == "AWS" && (accountForm.MatchString(value) || principalARNForm.MatchString(value)):
			p.aws = append(p.aws, value)
		case name != "Federated":
			return fmt.Errorf("principal %s %q: want the full name; a wildcard may not stand for a part of it", name, value)
		}
	}
	return nil
}

// lists reports which of the names that p goes by the element lists. A session goes by three: its own ARN, its role's
// and its account.
func (list *principals) lists(p principal) (direct, role, account bool) {
	if list.everyone {
		return true, true, true
	}
	if p.service != "" {
		listed := slices.Contains(list.services, p.service)
		return listed, listed, listed
	}
	account = slices.ContainsFunc(list.aws, func(name string) bool {
		return accountForm.MatchString(name) && (name == p.account || segment(name, 4) == p.account)
	})
	if p.session == "" {
		return account, account, account
	}
	return slices.Contains(list.aws, p.session), slices.Contains(list.aws, p.role), account
}

// concerns reports whether the statement is about p.
//
// An account in Principal only hands the decision to that account's identity-based policies, so such an Allow gives
// a role of the same account nothing by itself, while a Deny reaches all of it. An exception from NotPrincipal is
// sure to work only if the session, its role and its account are all listed (IAM User Guide, "AWS JSON policy
// elements: NotPrincipal").
func (s statement) concerns(p principal) bool {
	if s.principals == nil {
		return true
	}
	direct, role, account := s.principals.lists(p)
	switch {
	case s.notPrincipals && s.allow:
		return !direct && !role && !account
	case s.notPrincipals:
		return !(direct && role && account)
	case s.allow:
		return direct || role
	}
	return direct || role || account
}
