package provider

import (
	"crypto/rand"
	"fmt"
	"math/big"
	"strings"
	"time"

	"github.com/google/uuid"

	"cicd/rehearsal/aws/account"
)

// githubKinds are the GitHub side of a stack. Sources: pulumi-github doc comments; GitHub REST API, "Rules",
// "Variables" and "Deployment environments".
var githubKinds = map[string]kind{
	account.RepositoryRuleset: {
		inputs: schema{
			"name":        text().length(1, 255),
			"repository":  text().need().match(`[A-Za-z0-9._-]{1,100}`).replaces(),
			"enforcement": text().need().oneOf("disabled", "active", "evaluate"),
			"target":      text().need().oneOf("branch", "tag"),
			"bypassActors": blocks(schema{
				"actorId":    number().need(),
				"actorType":  text().need().oneOf("RepositoryRole", "Team", "Integration", "OrganizationAdmin"),
				"bypassMode": text().need().oneOf("always", "pull_request"),
			}),
			"conditions": block(schema{
				"refName": block(schema{"includes": list(text()).need(), "excludes": list(text()).need()}).need(),
			}),
			"rules": block(schema{
				"creation": flag(), "update": flag(), "deletion": flag(), "nonFastForward": flag(),
				"requiredLinearHistory": flag(), "requiredSignatures": flag(),
				"pullRequest": block(schema{
					"dismissStaleReviewsOnPush":      flag().or(false),
					"requireCodeOwnerReview":         flag().or(false),
					"requireLastPushApproval":        flag().or(false),
					"requiredApprovingReviewCount":   number().length(0, 10).or(0.0),
					"requiredReviewThreadResolution": flag().or(false),
				}),
				"requiredStatusChecks": block(schema{
					"requiredChecks":                   set(block(schema{"context": text().need().length(1, 255), "integrationId": number()})).need().length(1, 100),
					"strictRequiredStatusChecksPolicy": flag().or(false),
					"doNotEnforceOnCreate":             flag().or(false),
				}),
			}).need(),
		},
		autoname: &autoname{"name", 255},
		check:    checkRuleset,
		unique:   []string{"repository", "name"}, taken: "422 Validation Failed: Name must be unique: %s",
		id: func(*call) string {
			n, _ := rand.Int(rand.Reader, big.NewInt(1e9)) // never fails, see crypto/rand
			return n.String()
		},
		computed: map[string]output{
			"nodeId": once("nodeId", func(c *call) any { return "RRS_" + c.id }),
			"etag":   func(*call) any { return fmt.Sprintf(`W/"%s"`, uuid.NewString()) },
		},
	},
	account.ActionsVariable: {
		inputs: schema{
			"repository":   text().need().match(`[A-Za-z0-9._-]{1,100}`).replaces(),
			"variableName": text().need().match(`[A-Za-z_][A-Za-z0-9_]*`).replaces().rule(checkVariableName),
			"value":        text().need().length(1, 48<<10),
		},
		unique: []string{"repository", "variableName"}, taken: "409 Already exists - Variable already exists: %s",
		id: func(c *call) string { return c.in.text("repository") + ":" + c.in.text("variableName") },
		computed: map[string]output{
			"createdAt": once("createdAt", now),
			"updatedAt": func(*call) any { return time.Now().UTC().Format(time.RFC3339) },
		},
	},
	account.RepositoryEnvironment: {
		inputs: schema{
			"repository":        text().need().match(`[A-Za-z0-9._-]{1,100}`).replaces(),
			"environment":       text().need().length(1, 255).replaces(),
			"canAdminsBypass":   flag().or(true),
			"preventSelfReview": flag().or(false),
			"waitTimer":         number().length(0, 43200),
			"reviewers":         blocks(schema{"teams": set(number()), "users": set(number())}).length(0, 6),
			"deploymentBranchPolicy": block(schema{
				"protectedBranches":    flag().need(),
				"customBranchPolicies": flag().need(),
			}),
		},
		check: func(c *call, r *report) {
			policy := c.in.block("deploymentBranchPolicy")
			if policy != nil && !c.in.pending("deploymentBranchPolicy") && policy.flag("protectedBranches") == policy.flag("customBranchPolicies") {
				r.add("deploymentBranchPolicy", "422 Validation Failed: protectedBranches and customBranchPolicies cannot have the same value")
			}
		},
		unique: []string{"repository", "environment"}, taken: "another resource already manages environment %s, which this one would silently overwrite",
		id: func(c *call) string { return c.in.text("repository") + ":" + c.in.text("environment") },
	},
}

// checkRuleset reports conditions and rules that do not fit the target.
func checkRuleset(c *call, r *report) {
	prefix := map[string]string{"branch": "refs/heads/", "tag": "refs/tags/"}[c.in.text("target")]
	names := c.in.block("conditions").block("refName")
	for _, list := range []string{"includes", "excludes"} {
		for i, pattern := range names.texts(list) {
			if prefix != "" && pattern != "" && !strings.HasPrefix(pattern, prefix) && pattern != "~ALL" && pattern != "~DEFAULT_BRANCH" {
				r.add(fmt.Sprintf("conditions.refName.%s[%d]", list, i), "422 Validation Failed: %q must begin with %s, or be ~ALL or ~DEFAULT_BRANCH", pattern, prefix)
			}
		}
	}
	if c.in.text("target") == "tag" {
		for _, rule := range []string{"pullRequest", "requiredStatusChecks"} {
			if c.in.block("rules").has(rule) {
				r.add("rules."+rule, "422 Validation Failed: the rule is for target branch")
			}
		}
	}
}

func checkVariableName(v any) string {
	if name, _ := v.(string); strings.HasPrefix(strings.ToUpper(name), "GITHUB_") {
		return fmt.Sprintf("422: variable names must not begin with GITHUB_, got %q", name)
	}
	return ""
}
