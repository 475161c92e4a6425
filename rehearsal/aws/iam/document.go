package iam

import (
	"errors"
	"fmt"
)

// Kind is what a policy is attached to. It decides which elements the policy must and must not have.
type Kind string

// The kinds.
const (
	IdentityPolicy   Kind = "identity-based policy"
	TrustPolicy      Kind = "role trust policy"
	BucketPolicy     Kind = "bucket policy"
	RepositoryPolicy Kind = "repository policy"
	KeyPolicy        Kind = "key policy"
	TopicPolicy      Kind = "topic policy"
)

// awsName is AWS's name for the kind in messages, which do not distinguish between resource policies.
func (k Kind) awsName() string {
	if k == IdentityPolicy || k == TrustPolicy {
		return string(k)
	}
	return "resource-based policy"
}

// elements are those that a statement may have.
func (k Kind) elements() []string {
	switch k {
	case IdentityPolicy:
		return []string{"Sid", "Effect", "Action", "NotAction", "Resource", "NotResource", "Condition"}
	case TrustPolicy:
		// "You cannot use the NotPrincipal element in an IAM identity-based policy nor in an IAM role trust policy" (IAM User
		// Guide, "AWS JSON policy elements: NotPrincipal").
		return []string{"Sid", "Effect", "Principal", "Action", "NotAction", "Condition"}
	case RepositoryPolicy:
		return []string{"Sid", "Effect", "Principal", "NotPrincipal", "Action", "NotAction", "Condition"}
	case KeyPolicy:
		// KMS Developer Guide, "Creating a key policy": up to six elements, none of them a Not form such as NotPrincipal.
		return []string{"Sid", "Effect", "Principal", "Action", "Resource", "Condition"}
	}
	return []string{"Sid", "Effect", "Principal", "NotPrincipal", "Action", "NotAction", "Resource", "NotResource", "Condition"}
}

// namesResources reports whether statements name their resources. A trust policy applies to its role, and a
// repository's to the repository: ECR rejects one that has a Resource (ECR User Guide, "Private repository policy
// examples"; awsdocs/amazon-ecr-user-guide pull request 20).
func (k Kind) namesResources() bool { return k != TrustPolicy && k != RepositoryPolicy }

// Policy is a parsed policy document.
type Policy struct {
	Statements []Statement

	kind Kind
	name string // the declaring resource's name
	urn  string
	// spreading is whether it is, or its role, too new to be known.
	spreading bool
}

// Statement is one statement of a policy. If the policy names exceptions instead (NotAction, NotResource,
// NotPrincipal), the field holds those and the flag beside it is set.
type Statement struct {
	Sid        string
	Allow      bool
	Actions    []string
	NotActions bool
	// Resources is empty in policies that apply to what they are attached to: trust and repository policies.
	Resources    []string
	NotResources bool
	// Principals is nil in an identity-based policy, which applies to the role that it is attached to.
	Principals    *Principals
	NotPrincipals bool

	index      int  // from 0
	variables  bool // whether ${...} is a policy variable
	conditions []condition
}

// Allows reports whether the statement allows an action, for any resource and condition.
func (s Statement) Allows(action string) bool {
	return s.Allow && s.matchesAction(action) != s.NotActions
}

// Conditional reports whether the statement has conditions.
func (s Statement) Conditional() bool { return len(s.conditions) > 0 }

// String names the statement in messages.
func (s Statement) String() string {
	if s.Sid != "" {
		return fmt.Sprintf("statement %q", s.Sid)
	}
	return fmt.Sprintf("statement %d", s.index+1)
}

// Violation is a reason to reject a policy.
type Violation struct {
	// Reason includes the statement and, where known, AWS's words.
	Reason string
	// OwnRule marks what AWS accepts but the rehearsal rejects: it could not evaluate it, or it has no effect.
	OwnRule bool
}

func (v Violation) Error() string {
	if v.OwnRule {
		return "AWS accepts this, but it cannot be rehearsed: " + v.Reason
	}
	return v.Reason
}

// joined returns all violations as one error, or nil if none.
func joined(violations []Violation) error {
	var errs []error
	for _, v := range violations {
		errs = append(errs, v)
	}
	return errors.Join(errs...)
}
