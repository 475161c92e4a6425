package provider

import (
	"regexp"
	"slices"

	"github.com/google/uuid"

	"cicd/rehearsal/aws/account"
	"cicd/rehearsal/aws/iam"
)

var (
	keyByID = named(account.KMSKey, "keyId", "NotFoundException: Key '%s' does not exist; name a declared key by its keyId")
	// keyByName is for services, which accept both, and AWS's own key; another alias cannot be declared.
	keyByName = reference{fault: "KMS.NotFoundException: Key '%s' does not exist; name a declared key by its arn or keyId",
		exists: func(acct *account.Account, value string) bool {
			_, byARN := acct.Find(account.KMSKey, "arn", value)
			_, byID := acct.Find(account.KMSKey, "keyId", value)
			return byARN || byID || managedKey.MatchString(value)
		}}
	// managedKey matches the key that AWS keeps for S3 in every account. Source: KMS Developer Guide, "AWS managed keys".
	managedKey = regexp.MustCompile(`^(arn:aws[a-z-]*:kms:[a-z0-9-]+:\d{12}:)?alias/aws/s3$`)
)

// keyPolicy follows the KMS Developer Guide, "Creating a key policy".
var keyPolicy = policyKind{kind: iam.KeyPolicy, limit: 32768, fault: "MalformedPolicyDocumentException", latin: true,
	actions: regexp.MustCompile(`(?i)^(kms:|\*$)`), foreign: "an action of another service"}

// keyKinds are KMS's types: symmetric encryption keys in one region, which is what buckets and pipelines accept.
// Source: KMS API Reference, CreateKey and PutKeyPolicy. Like AWS, it deletes a key whatever it has encrypted.
var keyKinds = map[string]kind{
	account.KMSKey: {
		source: "kms/key.go",
		inputs: schema{
			"description":                    text().length(0, 8192).keeps("").at(77),
			"policy":                         policyDocument().keeps(nil).at(110),
			"bypassPolicyLockoutSafetyCheck": flag().or(false).at(54),
			"deletionWindowInDays":           number().length(7, 30).at(72),
			"enableKeyRotation":              flag().or(false).at(83),
			"rotationPeriodInDays":           number().length(90, 2560).keeps(nil).from(sdk + "kms/key.go:578"),
		},
		tagged: true,
		check:  checkKey,
		verify: verifyKey,
		id:     func(*call) string { return uuid.NewString() },
		computed: map[string]output{
			"arn":   arnOf("kms", "key/%s"),
			"keyId": func(c *call) any { return c.id },
		},
	},
	account.KMSKeyPolicy: {
		source: "kms/key_policy.go",
		inputs: schema{
			"keyId":                          text().need().names(keyByID).at(38),
			"policy":                         policyDocument().need().at(43),
			"bypassPolicyLockoutSafetyCheck": flag().or(false).at(33),
		},
		check:  checkKeyPolicy,
		verify: verifyKeyPolicy,
		unique: []string{"keyId"}, taken: "key %s already has a policy from another resource, which this one would silently overwrite",
		id: input("keyId"),
	},
}

func checkKey(c *call, r *report) {
	checkKeyPolicy(c, r)
	if c.in.has("rotationPeriodInDays") && !c.in.flag("enableKeyRotation") && !c.in.pending("enableKeyRotation") {
		r.add("rotationPeriodInDays", "goes with enableKeyRotation, and only with it")
	}
}

// checkKeyPolicy also requires that somebody can still change the policy. KMS requires that of the caller, whom a
// rehearsal does not know, so here any account, user or role will do.
func checkKeyPolicy(c *call, r *report) {
	keyPolicy.checkInput(c, "policy", r)
	statements := keyPolicy.statements(c, "policy")
	if statements == nil || c.in.flag("bypassPolicyLockoutSafetyCheck") || c.in.pending("bypassPolicyLockoutSafetyCheck") {
		return
	}
	if !slices.ContainsFunc(statements, allowsPolicyChange) {
		r.add("policy", "MalformedPolicyDocumentException: The new key policy will not allow you to update the key policy in the future; "+
			"allow kms:PutKeyPolicy, or all of kms:*, to the account: arn:aws:iam::<account>:root")
	}
}

func allowsPolicyChange(s iam.Statement) bool {
	return s.Allows("kms:PutKeyPolicy") && (s.Principals.Everyone || len(s.Principals.AWS) > 0)
}

const invalidKeyPrincipal = "MalformedPolicyDocumentException: Policy contains a statement with one or more invalid principals" // from memory

// verifyKey also rejects a policy for a key whose policy is a separate resource: the later of the two would win.
func verifyKey(c *call, r *report) {
	keyPolicy.verifyRoles(c, "policy", invalidKeyPrincipal, r)
	if other, ok := c.acct.Find(account.KMSKeyPolicy, "keyId", c.id); ok && c.in.has("policy") {
		r.add("policy", "the key already has a policy from %s %q, which this one would silently overwrite: keep one of the two", account.KMSKeyPolicy, other.Name)
	}
}

func verifyKeyPolicy(c *call, r *report) {
	keyPolicy.verifyRoles(c, "policy", invalidKeyPrincipal, r)
	// terraform-provider-aws, kms/key_policy.go, resourceKeyPolicyUpdate
	if before := c.old.text("keyId"); before != "" && before != c.in.text("keyId") {
		r.add("keyId", "the provider would put the policy on the old key, %s, again and again: give the resource for another key another logical name", before)
	}
	if key, ok := c.acct.Find(account.KMSKey, "keyId", c.in.text("keyId")); ok && key.String("policy") != "" {
		r.add("policy", "key %q already has a policy in its property policy, which this one would silently overwrite: keep one of the two", key.Name)
	}
}
