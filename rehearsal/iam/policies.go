package iam

import (
	"errors"
	"fmt"
	"strings"

	"cicd/rehearsal/account"
)

// Pulumi type tokens of what declares identity-based policies.
const (
	roleToken       = "aws:iam/role:Role"
	rolePolicyToken = "aws:iam/rolePolicy:RolePolicy"
)

// resourcePolicies tells, for each service whose resources have policies in the account, which resource type declares
// one, and in which properties it keeps the policy and what it is attached to.
var resourcePolicies = map[string]struct {
	token, policy, holder string
	// holderOf returns what holder is for a resource, given the last segment of its ARN.
	holderOf func(resource string) string
}{
	"s3": {token: "aws:s3/bucketPolicy:BucketPolicy", policy: "policy", holder: "bucket", holderOf: bucketOf},
}

// bucketOf returns the bucket of "bucket" or "bucket/object".
func bucketOf(resource string) string {
	bucket, _, _ := strings.Cut(resource, "/")
	return bucket
}

// notEvaluated lists properties of a role that would change what it may do, and that nothing here evaluates.
var notEvaluated = []string{"managedPolicyArns", "inlinePolicies", "permissionsBoundary"}

// identityPolicies returns the policies that are attached to the role.
func (a *Authority) identityPolicies(role account.Resource) ([]document, error) {
	var docs []document
	var errs []error
	for _, property := range notEvaluated {
		value := role.Properties[property]
		if items, ok := value.([]any); value != nil && value != "" && (!ok || len(items) > 0) {
			errs = append(errs, fmt.Errorf("role %q: its %s is not evaluated: declare an aws.iam.RolePolicy", role.Name, property))
		}
	}
	for _, r := range a.account.ByType(rolePolicyToken) {
		if attached := r.String("role"); attached == role.ID || attached == role.String("name") {
			doc, err := declared(identityPolicy, r, "policy")
			docs, errs = append(docs, doc), append(errs, err)
		}
	}
	return docs, errors.Join(errs...)
}

// policiesOf returns the policies that are attached to the resource with this ARN.
func (a *Authority) policiesOf(resourceARN string) ([]document, error) {
	source, ok := resourcePolicies[segment(resourceARN, 2)]
	if !ok {
		return nil, nil
	}
	var docs []document
	var errs []error
	for _, r := range a.account.ByType(source.token) {
		if r.String(source.holder) == source.holderOf(segment(resourceARN, 5)) {
			doc, err := declared(resourcePolicy, r, source.policy)
			docs, errs = append(docs, doc), append(errs, err)
		}
	}
	return docs, errors.Join(errs...)
}

// declared parses the policy in a resource's property.
func declared(k kind, r account.Resource, property string) (document, error) {
	doc, err := parse(k, r.String(property))
	doc.name, doc.urn = r.Name, r.URN
	if err != nil {
		return doc, fmt.Errorf("%s %q, property %s, as %s: %w", r.Type, r.Name, property, k, err)
	}
	return doc, nil
}
