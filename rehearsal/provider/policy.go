package provider

import (
	"fmt"
	"regexp"
	"strings"
	"unicode/utf8"

	awspolicy "github.com/hashicorp/awspolicyequivalence"

	"cicd/rehearsal/aws/account"
	"cicd/rehearsal/aws/iam"
)

// policyKind describes the policies of one service. Package iam has the grammar.
type policyKind struct {
	kind  iam.Kind
	limit int    // characters, not counting white space
	fault string // the service's error for an invalid policy
	latin bool   // characters above U+00FF are not allowed
	// actions matches the allowed actions, and foreign is the error for others; nil allows all.
	actions *regexp.Regexp
	foreign string
}

// Sources: IAM User Guide, "IAM and AWS STS quotas"; S3 User Guide, "Policies and permissions in Amazon S3". "The
// prefix and the action name are case insensitive" (IAM User Guide, "IAM JSON policy elements: Action").
var (
	identityPolicy = policyKind{kind: iam.IdentityPolicy, limit: inlineLimit, fault: "MalformedPolicyDocument", latin: true}
	trustPolicy    = policyKind{kind: iam.TrustPolicy, limit: 2048, fault: "MalformedPolicyDocument", latin: true,
		actions: regexp.MustCompile(`(?i)^sts:`), foreign: "AssumeRole policy may only specify STS AssumeRole actions"}
	bucketPolicy = policyKind{kind: iam.BucketPolicy, limit: 20480, fault: "MalformedPolicy",
		actions: regexp.MustCompile(`(?i)^(s3:|\*$)`), foreign: "Policy has invalid action"}
)

// latin is botocore's pattern for policies of IAM and KMS (shapes policyDocumentType and PolicyType).
var latin = regexp.MustCompile(`^[\t\n\r\x20-\x{ff}]+$`)

// policyDocument is a policy in JSON. The provider compares two as IAM does, with this library (terraform-provider-aws,
// internal/verify/json.go, PolicyStringsEquivalent): one value equals a list of one, and order does not matter.
func policyDocument() property {
	return text().same(func(before, after string) bool {
		same, err := awspolicy.PoliciesAreEquivalent(before, after)
		return err == nil && same
	})
}

// checkInput checks the policy in an input, once it is known.
func (k policyKind) checkInput(c *call, name string, r *report) {
	if policy, ok := c.in[name].(string); ok {
		k.check(name, policy, r)
	}
}

// check reports every violation in a policy document.
func (k policyKind) check(path, policy string, r *report) {
	if size := policySize(policy); size > k.limit {
		r.add(path, "LimitExceeded: policy has %d characters, want at most %d", size, k.limit)
	}
	document, violations := iam.Parse(k.kind, policy)
	for _, v := range violations {
		if v.OwnRule {
			r.add(path, "%v", v)
		} else {
			r.add(path, "%s: %v", k.fault, v)
		}
	}
	if k.latin && !latin.MatchString(policy) {
		r.add(path, "%s: Member must satisfy regular expression pattern: %s; replace characters above U+00FF", k.fault, latin)
	}
	for _, s := range document.Statements {
		k.checkStatement(s, func(format string, args ...any) {
			r.add(path, "%s: %s: %s", k.fault, s, fmt.Sprintf(format, args...))
		})
	}
}

func (k policyKind) checkStatement(s iam.Statement, fault func(format string, args ...any)) {
	for _, action := range s.Actions {
		if k.actions != nil && !k.actions.MatchString(action) {
			fault("%s: %q", k.foreign, action)
			return
		}
	}
	if k.kind == iam.BucketPolicy {
		checkS3Actions(s, fault)
	}
	for _, resource := range s.Resources {
		if problem := misshapen(resource); problem != "" {
			fault("%s", problem)
		}
	}
	if s.Principals == nil {
		return
	}
	for _, service := range s.Principals.Services {
		if !knownService(service) {
			fault("Invalid principal in policy: \"SERVICE\":%q", service)
		}
	}
}

// policySize is a policy's length as quotas count it: without white space.
func policySize(policy string) int {
	return utf8.RuneCountInString(strings.Join(strings.Fields(policy), ""))
}

// statements returns the statements of the policy in an input: none if it is absent or rejected by check.
func (k policyKind) statements(c *call, name string) []iam.Statement {
	document, violations := iam.Parse(k.kind, c.in.text(name))
	if len(violations) > 0 {
		return nil
	}
	return document.Statements
}

// verifyRoles reports principals of the policy in an input that are roles of this account and do not exist: services
// reject those, each with its own error.
func (k policyKind) verifyRoles(c *call, name, fault string, r *report) {
	for _, s := range k.statements(c, name) {
		for _, principal := range s.Principals.AWS {
			_, ok := c.acct.Find(account.Role, "arn", principal)
			if !ok && strings.HasPrefix(principal, c.globalARN("iam", "role/")) {
				r.add(name, "%s: %s names %s, but no such role is declared", fault, s, principal)
			}
		}
	}
}
