package provider

import (
	"encoding/json"
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"cicd/rehearsal/aws/account"
	"cicd/rehearsal/aws/iam"
)

// repositoryName matches a repository's name. Source: ECR API Reference, CreateRepository.
const repositoryName = `[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*(/[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*)*`

var repositoryByName = named(account.Repository, "name", "RepositoryNotFoundException: The repository with name '%s' does not exist")

// invalidRepositoryPolicy is ECR's answer to anything wrong with a policy, including a Resource element (ECR API
// Reference, SetRepositoryPolicy; awsdocs/amazon-ecr-user-guide pull request 20).
const invalidRepositoryPolicy = "InvalidParameterException: Invalid parameter at 'PolicyText' failed to satisfy constraint: 'Invalid repository policy provided'"

var repositoryPolicy = policyKind{kind: iam.RepositoryPolicy, limit: 10240, fault: invalidRepositoryPolicy,
	actions: regexp.MustCompile(`(?i)^(ecr:|\*$)`), foreign: "an action of another service"}

var registryKinds = map[string]kind{
	account.Repository: {
		source: "ecr/repository.go",
		inputs: schema{
			"name":                       text().length(2, 256).match(repositoryName).replaces().at(98),
			"forceDelete":                flag().or(false).at(74),
			"imageTagMutability":         text().oneOf("MUTABLE", "IMMUTABLE").or("MUTABLE").at(92),
			"imageScanningConfiguration": block(schema{"scanOnPush": flag().need().at(84)}).suppresses().at(78),
			"encryptionConfigurations": blocks(schema{
				"encryptionType": text().oneOf("AES256", "KMS", "KMS_DSSE").or("AES256").replaces().at(56),
			}).length(0, 1).replaces().suppresses().at(51),
		},
		autoname: &autoname{"name", 256},
		tagged:   true,
		unique:   []string{"name"}, taken: "RepositoryAlreadyExistsException: The repository with name '%s' already exists",
		id: input("name"),
		computed: map[string]output{
			"arn":           arnOf("ecr", "repository/%s"),
			"registryId":    ownAccount,
			"repositoryUrl": func(c *call) any { return c.server.options.RegistryHost + "/" + c.id },
		},
		remove: removeRepository,
	},
	account.LifecyclePolicy: {
		source: "ecr/lifecycle_policy.go",
		inputs: schema{
			"repository": text().need().names(repositoryByName).replaces().at(40),
			"policy":     text().need().length(100, 30720).replaces().same(sameExpiry).at(45),
		},
		deleteFirst: true, // pulumi-aws, provider/resources.go, aws_ecr_lifecycle_policy
		check: func(c *call, r *report) {
			if policy, ok := c.in["policy"].(string); ok {
				checkExpiry(policy, r)
			}
		},
		unique: []string{"repository"}, taken: "repository %s already has a lifecycle policy from another resource, which this one would silently overwrite",
		id:       input("repository"),
		computed: map[string]output{"registryId": ownAccount},
	},
	account.RepositoryPolicy: {
		source: "ecr/repository_policy.go",
		inputs: schema{
			"repository": text().need().names(repositoryByName).replaces().at(36),
			"policy":     policyDocument().need().at(41),
		},
		check:  func(c *call, r *report) { repositoryPolicy.checkInput(c, "policy", r) },
		verify: func(c *call, r *report) { repositoryPolicy.verifyRoles(c, "policy", invalidRepositoryPolicy, r) },
		unique: []string{"repository"}, taken: "repository %s already has a policy from another resource, which this one would silently overwrite",
		id:       input("repository"),
		computed: map[string]output{"registryId": ownAccount},
	},
}

// removeRepository refuses to delete images unless the stack allows it (F43).
func removeRepository(s *Server, r account.Resource) error {
	count := s.options.Images.ImageCount(r.ID)
	if count > 0 && !values(r.Properties).flag("forceDelete") {
		return fmt.Errorf("RepositoryNotEmptyException: The repository with name '%s' in registry with id '%s' cannot be deleted because it still contains images (%d); run an update with forceDelete first", r.ID, r.String("registryId"), count)
	}
	if err := s.options.Images.DeleteRepository(r.ID); err != nil {
		return fmt.Errorf("delete repository %s: %w", r.ID, err)
	}
	return nil
}

// expiryRule is a rule of a lifecycle policy. Source: ECR User Guide, "Lifecycle policy properties in Amazon ECR".
type expiryRule struct {
	RulePriority int    `json:"rulePriority"`
	Description  string `json:"description"`
	Selection    struct {
		TagStatus      string   `json:"tagStatus"`
		TagPrefixList  []string `json:"tagPrefixList"`
		TagPatternList []string `json:"tagPatternList"`
		CountType      string   `json:"countType"`
		CountUnit      string   `json:"countUnit"`
		CountNumber    int      `json:"countNumber"`
	} `json:"selection"`
	Action struct {
		Type string `json:"type"`
	} `json:"action"`
}

// sameExpiry compares lifecycle policies whatever the order of their rules and tags. Source: terraform-provider-aws,
// ecr/lifecycle_policy.go, equivalentLifecyclePolicyJSON.
func sameExpiry(before, after string) bool {
	sorted := func(text string) (rules []expiryRule, err error) {
		document := struct {
			Rules *[]expiryRule `json:"rules"`
		}{&rules}
		err = json.Unmarshal([]byte(text), &document)
		slices.SortFunc(rules, func(a, b expiryRule) int { return a.RulePriority - b.RulePriority })
		for _, rule := range rules {
			slices.Sort(rule.Selection.TagPrefixList)
			slices.Sort(rule.Selection.TagPatternList)
		}
		return rules, err
	}
	a, errA := sorted(before)
	b, errB := sorted(after)
	return errA == nil && errB == nil && reflect.DeepEqual(a, b)
}

// checkExpiry reports every violation in a lifecycle policy.
func checkExpiry(policy string, r *report) {
	var document struct {
		Rules []expiryRule `json:"rules"`
	}
	decoder := json.NewDecoder(strings.NewReader(policy))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&document); err != nil {
		r.add("policy", "InvalidParameterException: Invalid parameter at 'LifecyclePolicyText': %v", err)
		return
	}
	if len(document.Rules) < 1 || len(document.Rules) > 50 {
		r.add("policy", "InvalidParameterException: Lifecycle policy has %d rules, want 1 to 50", len(document.Rules))
	}
	priorities := map[int]bool{}
	highest, catchAll := 0, -1
	for _, rule := range document.Rules {
		rule.check(func(format string, args ...any) {
			r.add("policy", "InvalidParameterException: Lifecycle policy validation failure: rule %d: "+format, append([]any{rule.RulePriority}, args...)...)
		})
		if priorities[rule.RulePriority] {
			r.add("policy", "InvalidParameterException: Lifecycle policy validation failure: rule priority %d is not unique", rule.RulePriority)
		}
		priorities[rule.RulePriority] = true
		highest = max(highest, rule.RulePriority)
		if rule.Selection.TagStatus == "any" {
			catchAll = rule.RulePriority
		}
	}
	if catchAll >= 0 && catchAll != highest {
		r.add("policy", "InvalidParameterException: Lifecycle policy validation failure: the rule for any image must have the highest priority number, %d is not %d", catchAll, highest)
	}
}

func (rule expiryRule) check(fault func(format string, args ...any)) {
	s := rule.Selection
	if rule.RulePriority < 1 {
		fault("rulePriority must be 1 or more")
	}
	if rule.Action.Type != "expire" {
		fault("action.type must be expire, got %q", rule.Action.Type)
	}
	if !slices.Contains([]string{"tagged", "untagged", "any"}, s.TagStatus) {
		fault("selection.tagStatus must be tagged, untagged or any, got %q", s.TagStatus)
	}
	if tagged := len(s.TagPrefixList)+len(s.TagPatternList) > 0; tagged != (s.TagStatus == "tagged") {
		fault("tagPrefixList or tagPatternList goes with tagStatus tagged, and only with it")
	}
	switch {
	case s.CountType == "sinceImagePushed" && s.CountUnit != "days":
		fault("countType sinceImagePushed wants countUnit days, got %q", s.CountUnit)
	case s.CountType == "imageCountMoreThan" && s.CountUnit != "":
		fault("countType imageCountMoreThan takes no countUnit")
	case s.CountType != "sinceImagePushed" && s.CountType != "imageCountMoreThan":
		fault("countType must be imageCountMoreThan or sinceImagePushed, got %q", s.CountType)
	}
	if s.CountNumber < 1 {
		fault("countNumber must be 1 or more")
	}
}
