package iam

import (
	"errors"
	"fmt"
	"strings"

	"cicd/rehearsal/aws/account"
)

// source says where the policies of a service's resources are declared.
type source struct {
	kind Kind
	// token is the type that attaches a policy to a resource, and holder its property that names the resource.
	token, holder string
	// holderOf returns the value of holder for a resource, given its ARN.
	holderOf func(arn string) string
	// owner is the type of resources that always have a policy: their own property, or else what standard returns for
	// the ARN, which is AWS's default. "" if a resource may have none.
	owner    string
	standard func(arn string) string
}

// resourcePolicies are all that are evaluated, by the service in the resource's ARN. Each type has the policy in its
// property policy.
var resourcePolicies = map[string]source{
	"s3":  {kind: BucketPolicy, token: account.BucketPolicy, holder: "bucket", holderOf: bucketOf},
	"ecr": {kind: RepositoryPolicy, token: account.RepositoryPolicy, holder: "repository", holderOf: nameOf},
	"kms": {kind: KeyPolicy, token: account.KMSKeyPolicy, holder: "keyId", holderOf: nameOf,
		owner: account.KMSKey, standard: standardKeyPolicy},
	"sns": {kind: TopicPolicy, token: account.TopicPolicy, holder: "arn", holderOf: func(arn string) string { return arn },
		owner: account.Topic, standard: standardTopicPolicy},
}

// bucketOf returns the bucket of an object or a bucket.
func bucketOf(resourceARN string) string {
	bucket, _, _ := strings.Cut(arnOf(resourceARN).Resource, "/")
	return bucket
}

// nameOf returns what follows the resource's type: "a/b" in "arn:aws:ecr:eu-west-1:123456789012:repository/a/b".
func nameOf(resourceARN string) string {
	_, name, _ := strings.Cut(arnOf(resourceARN).Resource, "/")
	return name
}

// standardKeyPolicy is "the entire default key policy for KMS keys created programmatically" (KMS Developer Guide,
// "Default key policy").
func standardKeyPolicy(keyARN string) string {
	key := arnOf(keyARN)
	return fmt.Sprintf(`{"Version":"2012-10-17","Id":"key-default-1","Statement":[{"Sid":"Enable IAM policies","Effect":"Allow",
		"Principal":{"AWS":"arn:%s:iam::%s:root"},"Action":"kms:*","Resource":"*"}]}`, key.Partition, key.AccountID)
}

// standardTopicPolicy is what SNS gives a new topic (as quoted in airbnb/binaryalert issue 169; SNS Developer Guide,
// "aws:SourceAccount versus aws:SourceOwner", explains it).
func standardTopicPolicy(topicARN string) string {
	return fmt.Sprintf(`{"Version":"2008-10-17","Id":"__default_policy_ID","Statement":[{"Sid":"__default_statement_ID","Effect":"Allow",
		"Principal":{"AWS":"*"},"Action":["SNS:GetTopicAttributes","SNS:SetTopicAttributes","SNS:AddPermission","SNS:RemovePermission",
		"SNS:DeleteTopic","SNS:Subscribe","SNS:ListSubscriptionsByTopic","SNS:Publish","SNS:Receive"],
		"Resource":%q,"Condition":{"StringEquals":{"AWS:SourceOwner":%q}}}]}`, topicARN, arnOf(topicARN).AccountID)
}

// outsideKeyID is the id of OutsideKey.
const outsideKeyID = "00000000-0000-4000-8000-000000000000"

// OutsideKey returns the ARN of a customer managed key of the account that the stack does not declare. It stands for
// every key that encrypts what the stack only reads. Its policy is the standard one, which leaves all to IAM policies:
// no other key demands more of a role's own policies.
func (a *Authority) OutsideKey() string { return a.account.ARN("kms", "key/"+outsideKeyID) }

// notEvaluated lists properties that would change what a role may do, but that nothing here evaluates.
var notEvaluated = []string{"managedPolicyArns", "inlinePolicies", "permissionsBoundary"}

// identityPolicies returns the policies attached to the role.
func (a *Authority) identityPolicies(role account.Resource) ([]Policy, error) {
	if role.ID == administrator {
		policy, violations := Parse(IdentityPolicy, administratorAccess)
		return []Policy{policy}, joined(violations)
	}
	var docs []Policy
	var errs []error
	for _, property := range notEvaluated {
		value := role.Properties[property]
		if items, ok := value.([]any); value != nil && value != "" && (!ok || len(items) > 0) {
			errs = append(errs, fmt.Errorf("role %q: its %s is not evaluated: declare an aws.iam.RolePolicy", role.Name, property))
		}
	}
	for _, r := range a.account.ByType(account.RolePolicy) {
		if attached := r.String("role"); attached == role.ID || attached == role.String("name") {
			doc, err := declared(IdentityPolicy, r, "policy")
			doc.spreading = a.spreading(r)
			docs, errs = append(docs, doc), append(errs, err)
		}
	}
	return docs, errors.Join(errs...)
}

// unevaluated says, for a denial, which managed policies are attached to the role: what AWS or somebody else wrote
// there is not declared in the stack, and counts as nothing.
func (a *Authority) unevaluated(role account.Resource) string {
	var attached []string
	for _, r := range a.account.ByType(account.RolePolicyAttachment) {
		if holder := r.String("role"); holder == role.ID || holder == role.String("name") {
			attached = append(attached, r.String("policyArn"))
		}
	}
	if len(attached) == 0 {
		return ""
	}
	return fmt.Sprintf("; a rehearsal does not know what is in the managed policies attached to the role, and does not evaluate them: %s",
		strings.Join(attached, ", "))
}

// policiesOf returns the policy of the resource with this ARN, or none if it has none.
func (a *Authority) policiesOf(resourceARN string) ([]Policy, error) {
	source, ok := resourcePolicies[arnOf(resourceARN).Service]
	if !ok {
		return nil, nil
	}
	var declaring []account.Resource
	owner, ok := a.account.Find(source.owner, "arn", resourceARN)
	switch {
	case source.kind == KeyPolicy && resourceARN == a.OutsideKey():
		owner.Name = "a key that the stack does not declare"
	case source.owner != "" && !ok:
		return nil, fmt.Errorf("there is no %s with this ARN whose policy could be evaluated: declare it, or correct the reference to it", source.owner)
	case owner.String("policy") != "":
		declaring = append(declaring, owner)
	}
	for _, r := range a.account.ByType(source.token) {
		if r.String(source.holder) == source.holderOf(resourceARN) {
			declaring = append(declaring, r)
		}
	}
	var doc Policy
	var err error
	switch {
	case len(declaring) > 1:
		return nil, fmt.Errorf("both %s %q and %s %q declare its policy, but a resource has only one: remove one of them",
			declaring[0].Type, declaring[0].Name, declaring[1].Type, declaring[1].Name)
	case len(declaring) == 1:
		doc, err = declared(source.kind, declaring[0], "policy")
	case source.owner != "":
		var violations []Violation
		doc, violations = Parse(source.kind, source.standard(resourceARN))
		err = joined(violations)
		doc.name, doc.urn = owner.Name, owner.URN
	default:
		return nil, nil
	}
	return []Policy{doc}, err
}

// declared parses the policy in a resource's property.
func declared(k Kind, r account.Resource, property string) (Policy, error) {
	doc, violations := Parse(k, r.String(property))
	doc.name, doc.urn = r.Name, r.URN
	if err := joined(violations); err != nil {
		return doc, fmt.Errorf("%s %q, property %s, as %s: %w", r.Type, r.Name, property, k, err)
	}
	return doc, nil
}
