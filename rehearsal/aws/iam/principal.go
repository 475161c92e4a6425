package iam

import (
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws/arn"
)

// principal is who makes a request: a role session or, for sts:AssumeRole, an AWS service. One with only an account
// stands for that account, see Policy.delegatesToAccount.
type principal struct {
	service       string // such as "codebuild.amazonaws.com"; else
	account       string // the 12 digits,
	role, session string // and the ARNs of both
	via           string // the service that makes the call for the session, such as "s3"; "" for none
}

// String is AWS's name for the principal in messages.
func (p principal) String() string {
	if p.service != "" {
		return p.service
	}
	return "User: " + p.session
}

// sessionPrincipal returns the principal of a role session.
func sessionPrincipal(s Session) principal {
	role := arnOf(s.RoleARN)
	// A role's path is not part of its sessions' ARNs.
	name := role.Resource[strings.LastIndex(role.Resource, "/")+1:]
	session := arn.ARN{Partition: role.Partition, Service: "sts", AccountID: role.AccountID, Resource: "assumed-role/" + name + "/" + s.Name}
	return principal{account: role.AccountID, role: s.RoleARN, session: session.String(), via: s.Via}
}

// Principals is a Principal or NotPrincipal element.
type Principals struct {
	Everyone bool
	AWS      []string // account ids and ARNs
	Services []string
}

var (
	accountForm      = regexp.MustCompile(`^([0-9]{12}|arn:aws[a-z-]*:iam::[0-9]{12}:root)$`)
	principalARNForm = regexp.MustCompile(`^arn:aws[a-z-]*:(iam|sts)::[0-9]{12}:[^*?]+$`)
	// S3 User Guide, "Principals": "CanonicalUser":"64-digit-alphanumeric-value".
	canonicalUserForm    = regexp.MustCompile(`^[0-9A-Za-z]{64}$`)
	servicePrincipalForm = regexp.MustCompile(`^[^*?]+\.amazonaws\.com(\.cn)?$`)
)

// principals parses the Principal or NotPrincipal element of a statement whose effect is known (IAM User Guide, "AWS
// JSON policy elements: Principal").
func (p *parser) principals(s Statement, raw rawJSON) *Principals {
	if text, err := stringValue(raw); err == nil {
		// "Principal:" "*" is not supported in the principal element of a role trust policy (IAM User Guide, "IAM policy
		// validation check reference"; aws/aws-cdk pull request 5746).
		if text != "*" || p.kind == TrustPolicy {
			p.refuse(`Invalid principal in policy: %q; want an object such as {"Service": "ec2.amazonaws.com"} or {"AWS": "*"}`, text)
		}
		return &Principals{Everyone: text == "*"}
	}
	list := &Principals{}
	byType, ok := p.object(raw, "element Principal: ")
	if ok && len(byType) == 0 {
		p.refuse("%s: element Principal is empty", noPrincipal)
	}
	for _, name := range slices.Sorted(maps.Keys(byType)) {
		values, err := stringValues(byType[name])
		if err != nil {
			p.refuse("Invalid principal in policy: %q: %v", name, err)
		}
		for _, value := range values {
			p.principal(s, list, name, value)
		}
	}
	return list
}

// principal adds one of a type to the list. Federated principals are never a rehearsal's services or sessions.
//
// A canonical user is an account by another name, which most resource-based policies do not support (IAM User Guide,
// "Grammar of the IAM JSON policy language"). A rehearsal does not know which account an id is of. That makes no
// difference to an Allow, which gives a role of that account nothing, see Statement.concerns.
func (p *parser) principal(s Statement, list *Principals, name, value string) {
	switch {
	case name == "AWS" && value == "*":
		list.Everyone = true
	case name == "AWS" && (accountForm.MatchString(value) || principalARNForm.MatchString(value)):
		list.AWS = append(list.AWS, value)
	case name == "Service" && servicePrincipalForm.MatchString(value):
		list.Services = append(list.Services, value)
	case name == "Federated":
	case name == "CanonicalUser" && p.kind == BucketPolicy && canonicalUserForm.MatchString(value):
		if !s.Allow || s.NotPrincipals {
			p.decline("principal CanonicalUser %q: a rehearsal does not know which account it excludes; use the account's number", value)
		}
	default:
		p.refuse("Invalid principal in policy: %q:%q; want a full name without wildcards", name, value)
	}
}

// lists reports which of p's identifiers the element contains. A session has three: its own ARN, its role's and its
// account.
func (list *Principals) lists(p principal) (direct, role, account bool) {
	if list.Everyone {
		return true, true, true
	}
	if p.service != "" {
		listed := slices.Contains(list.Services, p.service)
		return listed, listed, listed
	}
	account = slices.ContainsFunc(list.AWS, func(name string) bool {
		return accountForm.MatchString(name) && (name == p.account || arnOf(name).AccountID == p.account)
	})
	if p.session == "" {
		return account, account, account
	}
	return slices.Contains(list.AWS, p.session), slices.Contains(list.AWS, p.role), account
}

// concerns reports whether the statement covers p.
//
// An account in Principal only delegates the decision to that account's identity-based policies, so such an Allow
// alone gives a role of the same account nothing, while a Deny covers the whole account. An exception in NotPrincipal
// reliably works only if the session, its role and its account are all listed (IAM User Guide, "AWS JSON policy
// elements: NotPrincipal").
func (s Statement) concerns(p principal) bool {
	if s.Principals == nil {
		return true
	}
	direct, role, account := s.Principals.lists(p)
	switch {
	case s.NotPrincipals && s.Allow:
		return !direct && !role && !account
	case s.NotPrincipals:
		return !(direct && role && account)
	case s.Allow:
		return direct || role
	}
	return direct || role || account
}
