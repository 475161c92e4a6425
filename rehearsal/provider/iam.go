package provider

import (
	"crypto/rand"
	"encoding/base32"
	"strings"
	"time"

	"cicd/rehearsal/aws/account"
)

var (
	roleByName = named(account.Role, "name", "NoSuchEntity: The role with name %s cannot be found.")
	// Services give the same answer for a role that does not exist and for one that does not trust them.
	roleByARN = named(account.Role, "arn", "role %s does not exist, so the service is not authorized to perform sts:AssumeRole on it")
)

// iamKinds are IAM's types. Limits: IAM User Guide, "IAM and AWS STS quotas", and on case: "names must be unique within
// an account. Names are not distinguished by case" (IAM API Reference, CreateRole and CreateInstanceProfile).
var iamKinds = map[string]kind{
	account.Role: {
		source: "iam/role.go",
		inputs: schema{
			"name":             iamName(64).keeps(nil).replaces().at(139),
			"path":             iamPath().replaces().at(155),
			"assumeRolePolicy": policyDocument().need().at(60),
			// IAM API Reference, CreateRole
			"description":        text().length(0, 1000).match(`[\t\n\r\x20-\x7e\x{a1}-\x{ff}]*`).at(75),
			"maxSessionDuration": number().length(3600, 43200).or(3600.0).at(133),
		},
		autoname: &autoname{"name", 64},
		tagged:   true,
		check:    func(c *call, r *report) { trustPolicy.checkInput(c, "assumeRolePolicy", r) },
		verify: func(c *call, r *report) {
			trustPolicy.verifyRoles(c, "assumeRolePolicy", "MalformedPolicyDocument: Invalid principal in policy", r)
		},
		unique: []string{"name"}, taken: "EntityAlreadyExists: Role with name %s already exists.", anyCase: true,
		id: input("name"),
		computed: map[string]output{
			"arn":        func(c *call) any { return c.globalARN("iam", "role"+c.in.text("path")+c.id) },
			"createDate": once("createDate", now),
			"uniqueId":   once("uniqueId", uniqueID("AROA")),
		},
		dependents: []dependent{
			{token: account.RolePolicy, property: "role"},
			{account.RolePolicyAttachment, "role", "DeleteConflict: Cannot delete entity, must detach all policies first: role %s"},
		},
		inUse: "DeleteConflict: Cannot delete entity, must delete policies first: role %s",
	},
	account.RolePolicy: {
		source: "iam/role_policy.go",
		inputs: schema{
			"name":   iamName(128).keeps(nil).replaces().at(45),
			"role":   text().need().names(roleByName).replaces().at(72),
			"policy": policyDocument().need().at(61),
		},
		autoname: &autoname{"name", 128},
		check:    func(c *call, r *report) { identityPolicy.checkInput(c, "policy", r) },
		verify:   verifyInlineSize,
		// AWS lets the second overwrite the first, which no program intends.
		unique: []string{"role", "name"}, taken: "the role already has a policy named %s, which this one would silently overwrite",
		id: func(c *call) string { return c.in.text("role") + ":" + c.in.text("name") },
	},
	account.InstanceProfile: {
		source: "iam/instance_profile.go",
		inputs: schema{
			"name": iamName(128).keeps(nil).replaces().at(57),
			"path": iamPath().replaces().at(73),
			"role": text().names(roleByName).at(79),
		},
		autoname: &autoname{"name", 128},
		tagged:   true,
		unique:   []string{"name"}, taken: "EntityAlreadyExists: Instance Profile %s already exists.", anyCase: true,
		id: input("name"),
		computed: map[string]output{
			"arn": func(c *call) any {
				return c.globalARN("iam", "instance-profile"+c.in.text("path")+c.id)
			},
			"createDate": once("createDate", now),
			"uniqueId":   once("uniqueId", uniqueID("AIPA")),
		},
	},
}

func iamName(max int) property { return text().length(1, max).match(`[\w+=,.@-]+`) }

func iamPath() property { return text().length(1, 512).match(`/|/[!-~]+/`).or("/") }

// assumable reports a role that the service may not assume; services try it when given a role.
func (c *call) assumable(path, service, sourceARN, fault string, r *report) {
	role := c.in.text(path)
	if _, ok := c.acct.Find(account.Role, "arn", role); !ok {
		return // resolve reports it
	}
	if _, err := c.server.options.Authority.AssumeRole(role, service, "create", sourceARN); err != nil {
		r.add(path, "%s: %v", fault, err)
	}
}

func now(*call) any { return time.Now().UTC().Format(time.RFC3339) }

// uniqueID returns an id in IAM's format. Source: IAM User Guide, "IAM identifiers", unique identifiers.
func uniqueID(prefix string) output {
	return func(*call) any {
		random := make([]byte, 10)
		rand.Read(random) // never fails, see crypto/rand
		return prefix + strings.ToUpper(base32.StdEncoding.EncodeToString(random)) + "0"
	}
}

// inlineLimit is on each inline policy of a role and on all of them together, in characters other than white space.
// Source: IAM User Guide, "IAM and AWS STS quotas": "Role inline policies: ... the total aggregate policy size".
const inlineLimit = 10240

func verifyInlineSize(c *call, r *report) {
	total := policySize(c.in.text("policy"))
	for _, other := range c.acct.ByType(account.RolePolicy) {
		if other.ID != c.id && other.String("role") == c.in.text("role") {
			total += policySize(other.String("policy"))
		}
	}
	if total > inlineLimit {
		r.add("policy", "LimitExceeded: Maximum policy size of %d bytes exceeded for role %s: all its inline policies together have %d",
			inlineLimit, c.in.text("role"), total)
	}
}
