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
			"name":        text().length(1, 100).at(36),
			"repository":  text().need().match(`[A-Za-z0-9._-]{1,100}`).at(48),
			"enforcement": text().need().oneOf("disabled", "active", "evaluate").at(54),
			"target":      text().need().oneOf("branch", "tag").at(42),
			"bypassActors": set(block(schema{ // a list there, whose order is suppressed
				"actorId":    number().at(67),
				"actorType":  text().need().oneOf("RepositoryRole", "Team", "Integration", "OrganizationAdmin", "DeployKey").at(73),
				"bypassMode": text().need().oneOf("always", "pull_request", "exempt").at(79),
			})).at(60),
			"conditions": block(schema{
				"refName": block(schema{"includes": list(text()).need().at(111), "excludes": list(text()).need().at(119)}).need().at(105),
			}).at(98),
			"rules": block(schema{
				"creation": flag().at(140), "update": flag().at(145), "deletion": flag().at(157), "nonFastForward": flag().at(385),
				"requiredLinearHistory": flag().at(162), "requiredSignatures": flag().at(185),
				"pullRequest": block(schema{
					"dismissStaleReviewsOnPush":      flag().or(false).at(208),
					"requireCodeOwnerReview":         flag().or(false).at(214),
					"requireLastPushApproval":        flag().or(false).at(220),
					"requiredApprovingReviewCount":   number().length(0, 10).or(0.0).at(226),
					"requiredReviewThreadResolution": flag().or(false).at(233),
				}).at(190),
				"requiredStatusChecks": block(schema{
					"requiredChecks": set(block(schema{
						"context":       text().need().length(1, 255).at(298),
						"integrationId": number().or(0.0).at(303),
					})).need().length(1, 100).at(291),
					"strictRequiredStatusChecksPolicy": flag().or(false).at(312),
					"doNotEnforceOnCreate":             flag().or(false).at(317),
				}).at(284),
			}).need().at(133),
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
			"repository":   text().need().match(`[A-Za-z0-9._-]{1,100}`).at(26),
			"variableName": text().need().match(`[A-Za-z_][A-Za-z0-9_]*`).replaces().rule(checkVariableName).at(36),
			"value":        text().need().length(1, 48<<10).at(43),
		},
		replaces: ofAnotherRepository,
		unique:   []string{"repository", "variableName"}, taken: "409 Already exists - Variable already exists: %s",
		id: func(c *call) string { return c.in.text("repository") + ":" + c.in.text("variableName") },
		computed: map[string]output{
			"createdAt": once("createdAt", now),
			"updatedAt": func(*call) any { return time.Now().UTC().Format(time.RFC3339) },
		},
	},
	account.RepositoryEnvironment: {
		source: "github:resource_github_repository_environment.go",
		inputs: schema{
			"repository":        text().need().match(`[A-Za-z0-9._-]{1,100}`).at(30),
			"environment":       text().need().length(1, 255).replaces().at(40),
			"canAdminsBypass":   flag().or(true).at(46),
			"preventSelfReview": flag().or(false).at(52),
			"waitTimer":         number().length(0, 43200).at(58),
			"reviewers":         blocks(schema{"teams": set(number()).length(0, 6).at(71), "users": set(number()).length(0, 6).at(78)}).length(0, 1).at(64),
			"deploymentBranchPolicy": block(schema{
				"protectedBranches":    flag().need().at(95),
				"customBranchPolicies": flag().need().at(100),
			}).at(88),
		},
		check: func(c *call, r *report) {
			policy := c.in.block("deploymentBranchPolicy")
			if policy != nil && !c.in.pending("deploymentBranchPolicy") && policy.flag("protectedBranches") == policy.flag("customBranchPolicies") {
				r.add("deploymentBranchPolicy", "422 Validation Failed: protectedBranches and customBranchPolicies cannot have the same value")
			}
		},
		replaces: ofAnotherRepository,
		unique:   []string{"repository", "environment"}, taken: "another resource already manages environment %s, which this one would silently overwrite",
		id: func(c *call) string { return c.in.text("repository") + ":" + c.in.text("environment") },
	},
}

// ofAnotherRepository reports a change of the repository, which replaces what is in it. One that was only renamed keeps
// its id, and the resource is updated (util_diff.go, diffRepository), but nothing renames a repository here.
func ofAnotherRepository(path string, _, _ values) bool { return path == "repository" }

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
