package infra

import (
	"cmp"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"cicd/internal/regions"
)

const (
	// maxSourceCharacters is how much of a role's policy the ARNs of secrets may take. IAM takes 10,240 characters in all
	// inline policies of a role (IAM User Guide, "IAM and AWS STS quotas"), and a test adds up the rest.
	maxSourceCharacters = 7000
	// maxPolicyArns is how many managed policies a role can have (same page).
	maxPolicyArns = 10
)

var (
	// reservedPattern is from the Systems Manager API Reference, PutParameter.
	reservedPattern  = regexp.MustCompile(`^(?i:aws|ssm)`)
	parameterPattern = regexp.MustCompile(`^parameter(/[A-Za-z0-9_.-]+)+$`)
	// secretPattern has the six characters that Secrets Manager adds to a name: a policy must spell them out.
	secretPattern = regexp.MustCompile(`^secret:[A-Za-z0-9/_+=.@-]{1,512}-[A-Za-z0-9]{6}$`)
	// fieldPattern has no colon, by which CodeBuild separates a secret from its field.
	fieldPattern   = regexp.MustCompile(`^[A-Za-z0-9_./@+-]{1,128}$`)
	accountPattern = regexp.MustCompile(`^[0-9]{12}$`)
	policyPattern  = regexp.MustCompile(`^arn:([a-z-]+):iam::(aws|[0-9]{12}):policy/([\w+=,.@/-]*/)?[\w+=,.@-]{1,128}$`)
)

// checkSecret checks a secret's name, and where its value is from.
func (s *settings) checkSecret(name, source string) string {
	return cmp.Or(CheckSecretName(name), s.checkSource(name, source))
}

// CheckSecretName returns what is wrong with the name of a secret, of the containers or of the build, and what is
// wanted instead, or "".
func CheckSecretName(name string) string {
	if problem := checkVariableName(name); problem != "" {
		return problem
	}
	if hostVariables.MatchString(name) {
		return "the shell or Docker on the host reads this variable itself: want another name for a secret"
	}
	return ""
}

// checkSource checks where a secret's value is from. It repeats nothing of it: sooner or later, somebody pastes the
// value.
func (s *settings) checkSource(name, text string) string {
	source, ok := parseSource(text)
	switch {
	case !ok:
		return fmt.Sprintf("want \"\" for this stack's own parameter, which `cicd secrets set %s` writes, or the ARN of a parameter, "+
			"or of a secret of Secrets Manager, with #key for a field; never the value itself", name)
	case source.own():
		return ""
	case source.Service == "ssm" && strings.Contains(text, "#"):
		return "has a #key, which only a secret of Secrets Manager can have: a parameter is one value"
	case source.Service == "ssm" && !parameterPattern.MatchString(source.Resource):
		return "want the ARN of a parameter, without a version, such as arn:aws:ssm:eu-central-1:123456789012:parameter/shared/token"
	case source.Service == "secretsmanager" && !secretPattern.MatchString(source.Resource):
		return "want the whole ARN of a secret, with the six characters after its name, such as arn:aws:secretsmanager:eu-central-1:123456789012:secret:db-a1B2c3"
	case strings.Contains(text, "#") && !fieldPattern.MatchString(source.key):
		return "want a #key of letters, digits and _ . / @ + -, at most 128, such as #password"
	}
	return s.checkPlace(source)
}

// checkPlace checks the region of a secret. Only AWS knows the stack's account.
func (s *settings) checkPlace(source secretSource) string {
	region, known := regions.Find(s.Region)
	switch {
	case !known: // reported already
		return ""
	case source.Partition != region.Partition || source.Region != s.Region:
		return fmt.Sprintf("is in region %s (%s), and the stack in %s: want one of the stack's region", source.Region, source.Partition, s.Region)
	case !accountPattern.MatchString(source.AccountID):
		return "want an ARN with the 12 digits of an account"
	}
	return ""
}

// checkSources returns what is wrong with the secrets of the container, and of the build, as a whole.
func (s *settings) checkSources(project string) []string {
	var violations []string
	for _, m := range []struct {
		key     string
		secrets map[string]string
		length  int
	}{
		{"secrets", s.Secrets, 2 * charactersOf(foreign(s.Secrets))},
		{"buildSecrets", s.BuildSecrets, 2*charactersOf(foreign(s.BuildSecrets)) + charactersOf(s.longest(project).ownParameters(s.BuildSecrets))},
	} {
		if m.length > maxSourceCharacters {
			violations = append(violations, fmt.Sprintf("%s: the ARNs take %d characters in a role's policy, which has room for %d: "+
				"keep several values in one secret, each with its #key", m.key, m.length, maxSourceCharacters))
		}
		if hasOwn(m.secrets) && reservedPattern.MatchString(project) {
			violations = append(violations, fmt.Sprintf("%s: Parameter Store reserves names that begin with aws or ssm, as this stack's do (/%s/...): "+
				"want another project name, or ARNs", m.key, project))
		}
	}
	return violations
}

// longest returns the scope with the longest names that a stack of the project can have.
func (s *settings) longest(project string) Scope {
	return Scope{Project: project, Stack: strings.Repeat("s", max(0, maxPrefix-len(project)-1)), Region: s.Region, Account: "123456789012"}
}

// charactersOf counts ARNs as a policy has them, in quotes and with a comma.
func charactersOf(arns []string) int {
	return len(strings.Join(arns, `","`)) + len(`"",`)
}

// checkPolicyArns checks the managed policies of the application: AWS's own, or the account's.
func checkPolicyArns(stackRegion string, arns []string) string {
	if len(arns) > maxPolicyArns {
		return fmt.Sprintf("want at most %d: IAM attaches no more to a role", maxPolicyArns)
	}
	region, known := regions.Find(stackRegion)
	for i, policy := range arns {
		parts := policyPattern.FindStringSubmatch(policy)
		switch {
		case parts == nil:
			return fmt.Sprintf("%q: want the ARN of a managed policy, such as arn:aws:iam::123456789012:policy/uploads", policy)
		case known && parts[1] != region.Partition:
			return fmt.Sprintf("%q: is of partition %s, and the stack of %s", policy, parts[1], region.Partition)
		case slices.Contains(arns[:i], policy):
			return fmt.Sprintf("%q: want it once", policy)
		}
	}
	return ""
}

// checkAccount returns what is wrong with ARNs in view of the stack's account, which only AWS knows.
func (s *settings) checkAccount(account string) []string {
	var violations []string
	for _, m := range []struct {
		key     string
		secrets map[string]string
	}{{"buildSecrets", s.BuildSecrets}, {"secrets", s.Secrets}} {
		for _, name := range slices.Sorted(maps.Keys(m.secrets)) {
			if source, _ := parseSource(m.secrets[name]); !source.own() && source.AccountID != account {
				violations = append(violations, fmt.Sprintf("%s.%s: is in account %s, and the stack in %s: want one of the stack's account",
					m.key, name, source.AccountID, account))
			}
		}
	}
	for _, policy := range s.AppPolicyArns {
		if owner := policyPattern.FindStringSubmatch(policy)[2]; owner != "aws" && owner != account {
			violations = append(violations, fmt.Sprintf("appPolicyArns: %q: is in account %s, and the stack in %s: want AWS's own, or one of the stack's account",
				policy, owner, account))
		}
	}
	return violations
}
