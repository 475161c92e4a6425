// Package iam decides, as AWS would, whether a call is allowed: only by the roles and policies that the stack
// declares. If it cannot decide, it returns an error that names the policy, never a yes.
//
// It knows what can be declared here: inline role policies, role trust policies, and the policies of S3 buckets, ECR
// repositories, KMS keys and SNS topics, all in one account. It has no users, groups, permissions boundaries, session
// policies, key grants or organizations. What a managed policy says is not known here, so it allows nothing.
package iam

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"sync"
	"time"

	"cicd/rehearsal/aws/account"
)

// Session is a role assumed by an AWS service. Its zero value may do nothing.
type Session struct {
	// RoleARN is the assumed role, such as "arn:aws:iam::123456789012:role/cicd-dev-build".
	RoleARN string
	// Name is the role session name, the last part of the assumed-role ARN that errors show.
	Name string
	// Service is the principal that assumed the role, such as "codebuild.amazonaws.com".
	Service string
	// Credentials identify the session in signed requests.
	Credentials Credentials
	// Via is the AWS service that makes the call on the session's behalf and with its permissions, such as "s3" to
	// use a key; "" if the session calls directly (IAM User Guide, "Forward access sessions").
	Via string
	// Keys are condition keys of the call itself, such as "ssm:Overwrite", beside those that every call has.
	Keys map[string][]string
	// PlainHTTP asks what the session could do without TLS. No call in a rehearsal sets it.
	PlainHTTP bool
}

// ARN is the session's name in AWS, such as "arn:aws:sts::123456789012:assumed-role/cicd-dev-build/AWSCodeBuild-1".
func (s Session) ARN() string { return sessionPrincipal(s).session }

// Credentials are what AWS STS would issue for a session.
type Credentials struct {
	AccessKeyID, SecretAccessKey, SessionToken string
	Expiration                                 time.Time
}

// lifetime is how long credentials last: the default of sts:AssumeRole.
const lifetime = time.Hour

// Authority issues sessions and decides what they may do.
type Authority struct {
	account *account.Account

	mu       sync.Mutex
	sessions map[string]Session // by access key id
	uses     []Use
	// See SetSpread and TooEarly.
	spread time.Duration
	early  []*DeniedError
}

// NewAuthority returns an authority over the roles declared in acct.
func NewAuthority(acct *account.Account) *Authority {
	return &Authority{account: acct, sessions: map[string]Session{}}
}

// AssumeRole lets service assume the role if the role is declared and its trust policy allows that service for
// sourceARN: the resource on whose behalf the service acts, which sets aws:SourceArn and, by its account,
// aws:SourceAccount ("" if AWS sends neither, as for EC2 instance profiles). Its errors are those of Authorize.
func (a *Authority) AssumeRole(roleARN, service, sessionName, sourceARN string) (Session, error) {
	r := request{
		principal: principal{service: service},
		action:    "sts:AssumeRole",
		resource:  roleARN,
		context:   serviceContext(a.account.Region(), sourceARN, time.Now()),
	}
	role, ok := a.account.Find(account.Role, "arn", roleARN)
	if !ok {
		return Session{}, undeclared(r, roleARN)
	}
	trust, err := declared(TrustPolicy, role, "assumeRolePolicy")
	if err != nil {
		return Session{}, fmt.Errorf("%s to assume role %q: %w", service, role.Name, err)
	}
	trust.spreading = a.spreading(role)
	if err := a.decide(r, role, TrustPolicy, []Policy{trust}); err != nil {
		return Session{}, err
	}
	s := Session{RoleARN: roleARN, Name: sessionName, Service: service, Credentials: newCredentials()}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.sessions[s.Credentials.AccessKeyID] = s
	return s, nil
}

// SessionFor returns the session whose credentials have this access key id, unless they have expired.
func (a *Authority) SessionFor(accessKeyID string) (Session, bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	s, ok := a.sessions[accessKeyID]
	return s, ok && time.Now().Before(s.Credentials.Expiration)
}

// Authorize returns nil if the session may perform action ("ecr:PutImage") on all of the resources (ARNs, or "*" for
// actions without resource types). Otherwise the error contains a *DeniedError, worded like AWS's, for each denied
// resource. A malformed policy, or one that this package cannot evaluate, is a different error.
func (a *Authority) Authorize(s Session, action string, resources ...string) error {
	if len(resources) == 0 {
		return fmt.Errorf("%s: no resource to authorize it on; use \"*\" for actions without resource types", action)
	}
	now := time.Now()
	p := sessionPrincipal(s)
	role, ok := a.role(s.RoleARN)
	if !ok {
		return undeclared(request{principal: p, action: action, resource: resources[0]}, s.RoleARN)
	}
	attached, err := a.identityPolicies(role)
	if err != nil {
		return fmt.Errorf("%s by role %q: %w", action, role.Name, err)
	}
	issued := s.Credentials.Expiration.Add(-lifetime)
	var errs []error
	for _, resource := range resources {
		docs, err := a.policiesOf(resource)
		if err != nil {
			errs = append(errs, fmt.Errorf("%s on %s: %w", action, resource, err))
			continue
		}
		context := sessionContext(p, action, a.account.Region(), issued, now)
		context["aws:SecureTransport"] = []string{strconv.FormatBool(!s.PlainHTTP)}
		maps.Copy(context, s.Keys)
		r := request{principal: p, action: action, resource: resource, context: context, keys: s.Keys}
		errs = append(errs, a.decide(r, role, IdentityPolicy, append(attached[:len(attached):len(attached)], docs...)))
	}
	return errors.Join(errs...)
}

// decide evaluates r by the policies that have spread, and records the decision. Without an Allow, the error says that
// a policy of kind k is missing one.
func (a *Authority) decide(r request, role account.Resource, k Kind, docs []Policy) error {
	known := slices.DeleteFunc(slices.Clone(docs), func(d Policy) bool { return d.spreading })
	v, err := evaluate(known, r)
	if err != nil {
		return fmt.Errorf("%s on %s by role %q: %w", r.action, r.resource, role.Name, err)
	}
	use := Use{Role: role.String("arn"), Action: r.action, Resource: r.resource, Service: r.principal.service, Via: r.principal.via,
		Keys: r.keys, Administrator: role.ID == administrator}
	if source := r.context["aws:SourceArn"]; len(source) == 1 {
		use.Source = source[0]
	}
	if !v.allowed() {
		a.record(use)
		e := denied(r, role, k, v)
		e.Remedy += a.unevaluated(role)
		if later, err := evaluate(docs, r); err == nil && later.allowed() {
			a.tooEarly(e, docs, later)
		}
		return e
	}
	use.Grants = v.allowedBy
	a.record(use)
	return nil
}

func newCredentials() Credentials {
	random := make([]byte, 48)
	rand.Read(random) // never fails, see crypto/rand
	return Credentials{
		AccessKeyID:     "ASIA" + fmt.Sprintf("%X", random[:8]),
		SecretAccessKey: hex.EncodeToString(random[8:28]),
		SessionToken:    hex.EncodeToString(random[28:]),
		Expiration:      time.Now().Add(lifetime),
	}
}
