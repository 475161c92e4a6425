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
		source: "github:resource_github_repository_ruleset.go",
		inputs: schema{
			"name":        text().length(1, 100).at(28),
			"repository":  text().need().match(`[A-Za-z0-9._-]{1,100}`).at(40),
			"enforcement": text().need().oneOf("disabled", "active", "evaluate").at(45),
			"target":      text().need().oneOf("branch", "tag").at(34),
			"bypassActors": set(block(schema{ // a list there, whose order is suppressed
				"actorId":    number().need().at(58),
				"actorType":  text().need().oneOf("RepositoryRole", "Team", "Integration", "OrganizationAdmin").at(63),
				"bypassMode": text().need().oneOf("always", "pull_request").at(69),
			})).at(51),
			"conditions": block(schema{
				"refName": block(schema{"includes": list(text()).need().at(100), "excludes": list(text()).need().at(108)}).need().at(94),
			}).at(87),
			"rules": block(schema{
				"creation": flag().at(129), "update": flag().at(134), "deletion": flag().at(146), "nonFastForward": flag().at(320),
				"requiredLinearHistory": flag().at(151), "requiredSignatures": flag().at(174),
				"pullRequest": block(schema{
					"dismissStaleReviewsOnPush":      flag().or(false).at(186),
					"requireCodeOwnerReview":         flag().or(false).at(192),
					"requireLastPushApproval":        flag().or(false).at(198),
					"requiredApprovingReviewCount":   number().length(0, 10).or(0.0).at(204),
					"requiredReviewThreadResolution": flag().or(false).at(210),
				}).at(179),
				"requiredStatusChecks": block(schema{
					"requiredChecks": set(block(schema{
						"context":       text().need().length(1, 255).at(233),
						"integrationId": number().or(0.0).at(238),
					})).need().length(1, 100).at(226),
					"strictRequiredStatusChecksPolicy": flag().or(false).at(247),
					"doNotEnforceOnCreate":             flag().or(false).at(252),
				}).at(219),
			}).need().at(122),
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
		source: "github:resource_github_actions_variable.go",
		inputs: schema{
			"repository":   text().need().match(`[A-Za-z0-9._-]{1,100}`).at(23),
			"variableName": text().need().match(`[A-Za-z_][A-Za-z0-9_]*`).replaces().rule(checkVariableName).at(28),
			"value":        text().need().length(1, 48<<10).at(35),
		},
		unique: []string{"repository", "variableName"}, taken: "409 Already exists - Variable already exists: %s",
		id: func(c *call) string { return c.in.text("repository") + ":" + c.in.text("variableName") },
		computed: map[string]output{
			"createdAt": once("createdAt", now),
			"updatedAt": func(*call) any { return time.Now().UTC().Format(time.RFC3339) },
		},
	},
	account.RepositoryEnvironment: {
		source: "github:resource_github_repository_environment.go",
		inputs: schema{
			"repository":        text().need().match(`[A-Za-z0-9._-]{1,100}`).replaces().at(24),
			"environment":       text().need().length(1, 255).replaces().at(30),
			"canAdminsBypass":   flag().or(true).at(36),
			"preventSelfReview": flag().or(false).at(42),
			"waitTimer":         number().length(0, 43200).at(48),
			"reviewers":         blocks(schema{"teams": set(number()).at(61), "users": set(number()).at(67)}).length(0, 6).at(54),
			"deploymentBranchPolicy": block(schema{
				"protectedBranches":    flag().need().at(83),
				"customBranchPolicies": flag().need().at(88),
			}).at(76),
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
