package infra

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// settings is a stack's checked configuration. Pulumi.yaml describes each key.
type settings struct {
	Region               string // aws:region
	AgentVersion         int    // of CodeDeploy's agent
	Repository           string
	Branch               string
	ConnectionArn        string
	ConnectionAuthorized bool
	WatchPaths           []string // sorted
	InstanceType         string
	OperatorIP           string // "" or a CIDR block
	SSHPublicKey         string
	ContainerPort        int
	HealthPath           string
	Approval             bool
	ManageRepository     bool
	KeepImages           int
	LogRetentionDays     int
	Protect              bool
}

// defaultSettings repeats Pulumi.yaml's defaults for runs without that file. A test keeps them equal.
func defaultSettings() settings {
	return settings{
		AgentVersion:     1,
		Branch:           "main",
		WatchPaths:       []string{"webapp/**", "deploy-scripts/**"},
		InstanceType:     "t3.micro",
		ContainerPort:    8080,
		HealthPath:       "/healthz",
		KeepImages:       20,
		LogRetentionDays: 30,
	}
}

// setting is one key of the project's namespace.
type setting struct {
	key string
	// value points into settings: *string, *bool, *int or *[]string.
	value any
	// check returns what is wrong with the value and what is wanted, or "" if valid. Nil accepts every value.
	check func() string
}

// table lists every key of the project's namespace, in alphabetical order.
func (s *settings) table() []setting {
	return []setting{
		{"agentVersion", &s.AgentVersion, func() string { return checkAgentVersion(s.AgentVersion) }},
		{"approval", &s.Approval, nil},
		{"branch", &s.Branch, func() string { return checkBranch(s.Branch) }},
		{"connectionArn", &s.ConnectionArn, func() string { return checkConnectionArn(s.ConnectionArn) }},
		{"connectionAuthorized", &s.ConnectionAuthorized, nil},
		{"containerPort", &s.ContainerPort, func() string { return checkRange(s.ContainerPort, 1, 65535) }},
		{"healthPath", &s.HealthPath, func() string { return checkHealthPath(s.HealthPath) }},
		{"instanceType", &s.InstanceType, func() string { return checkInstanceType(s.InstanceType) }},
		{"keepImages", &s.KeepImages, func() string { return checkRange(s.KeepImages, minKeepImages, 1000) }},
		{"logRetentionDays", &s.LogRetentionDays, func() string { return checkRetention(s.LogRetentionDays) }},
		{"manageRepository", &s.ManageRepository, nil},
		{"operatorIp", &s.OperatorIP, s.checkOperatorIP},
		{"protect", &s.Protect, nil},
		{"repository", &s.Repository, func() string { return checkRepository(s.Repository) }},
		{"sshPublicKey", &s.SSHPublicKey, func() string { return checkPublicKey(s.SSHPublicKey) }},
		{"watchPaths", &s.WatchPaths, func() string { return checkWatchPaths(s.WatchPaths) }},
	}
}

// authorized tells whether the connection to GitHub is AVAILABLE, as far as the configuration says.
func (s *settings) authorized() bool { return s.ConnectionArn != "" || s.ConnectionAuthorized }

// ConfigError lists everything that is wrong with a stack's configuration.
type ConfigError struct {
	Stack string
	// Violations name the key, its value, and what is wanted instead.
	Violations []string
}

// Error puts each violation on its own line.
func (e *ConfigError) Error() string {
	return fmt.Sprintf("configuration of stack %s:\n  %s\ncorrect it in Pulumi.%s.yaml, or with `pulumi config set KEY VALUE --stack %s`",
		e.Stack, strings.Join(e.Violations, "\n  "), e.Stack, e.Stack)
}

// CheckConfig returns a *ConfigError that lists everything the program would reject in a stack's configuration, or
// nil. The keys of config include their namespace ("cicd:branch"), and lists are JSON, as in `pulumi config --json`.
// encrypted lists keys whose values only the program will see.
//
// The program makes the same check. Drivers check before they start the engine because the engine first checks the
// types declared in Pulumi.yaml, and reports only one mismatch.
func CheckConfig(project, stack string, config map[string]string, encrypted []string) error {
	_, err := parseSettings(project, stack, config, encrypted)
	return err
}

// parseSettings checks the whole configuration and reports all violations at once.
func parseSettings(project, stack string, config map[string]string, encrypted []string) (settings, error) {
	s := defaultSettings()
	var violations []string
	if problem := checkPrefix(project, stack); problem != "" {
		violations = append(violations, problem)
	}
	s.Region = config["aws:region"]
	if problem := checkRegion(s.Region); problem != "" && !slices.Contains(encrypted, "aws:region") {
		violations = append(violations, describe("aws:region", s.Region, problem))
	}
	table := s.table()
	for _, entry := range table {
		if slices.Contains(encrypted, project+":"+entry.key) {
			continue
		}
		raw, ok := config[project+":"+entry.key]
		if problem := entry.read(raw, ok); problem != "" {
			violations = append(violations, describe(entry.key, raw, problem))
		}
	}
	if problem := checkConnection(s.Region, s.ConnectionArn); problem != "" && !slices.Contains(encrypted, project+":connectionArn") {
		violations = append(violations, describe("connectionArn", s.ConnectionArn, problem))
	}
	violations = append(violations, unknownKeys(project, append(slices.Collect(maps.Keys(config)), encrypted...), table)...)
	if len(violations) > 0 {
		return settings{}, &ConfigError{Stack: stack, Violations: violations}
	}
	slices.Sort(s.WatchPaths) // the provider compares lists: another order would show as a change (F10)
	return s, nil
}

// read parses and checks a key's raw value; if the key is not set, it checks the default.
func (e setting) read(raw string, ok bool) string {
	if ok {
		if problem := parse(raw, e.value); problem != "" {
			return problem
		}
	}
	if e.check == nil {
		return ""
	}
	return e.check()
}

// parse stores a raw value in what value points to. If the type is wrong, it returns what is wanted.
func parse(raw string, value any) string {
	switch v := value.(type) {
	case *string:
		*v = raw
	case *bool:
		if raw != "true" && raw != "false" {
			return "want true or false"
		}
		*v = raw == "true"
	case *int:
		n, err := strconv.Atoi(raw)
		if err != nil || strconv.Itoa(n) != raw {
			return "want a whole number"
		}
		*v = n
	case *[]string:
		*v = nil
		if err := json.Unmarshal([]byte(raw), v); err != nil {
			return "want a list of strings, as in `pulumi config set --path 'watchPaths[0]' 'webapp/**'`"
		}
	}
	return ""
}

// unknownKeys reports keys that nothing reads. In the project's namespace they are typos; in a provider's they look
// effective, but explicit providers ignore them.
func unknownKeys(project string, configured []string, table []setting) []string {
	known := make([]string, len(table))
	for i, entry := range table {
		known[i] = entry.key
	}
	var violations []string
	for _, full := range slices.Sorted(slices.Values(configured)) {
		namespace, key, _ := strings.Cut(full, ":")
		switch {
		case namespace == project && !slices.Contains(known, key):
			violations = append(violations, fmt.Sprintf("%s: no such key%s (`pulumi config rm %s` removes it)",
				key, didYouMean(key, known), key))
		case namespace == "aws" && key != "region":
			violations = append(violations, fmt.Sprintf("%s: has no effect here: use the environment instead, such as AWS_PROFILE (`pulumi config rm %s` removes it)", full, full))
		case namespace == "github" && key != "token":
			violations = append(violations, fmt.Sprintf("%s: has no effect here: only github:token has (`pulumi config rm %s` removes it)", full, full))
		}
	}
	return violations
}

// describe names a key and its value. It omits a public key's value, which may turn out to be a private key.
func describe(key, raw, problem string) string {
	const longest = 80
	if key == "sshPublicKey" {
		return key + ": " + problem
	}
	if len(raw) > longest {
		raw = raw[:longest] + "..."
	}
	return fmt.Sprintf("%s %#q: %s", key, raw, problem)
}

// stackConfig returns the stack's configuration: the known keys, and any other key in configured. The SDK can look up
// a key but not list them, and the caller may have listed them before the last change.
func stackConfig(ctx *pulumi.Context, configured []string) map[string]string {
	asked := append([]string{"aws:region"}, configured...)
	for _, entry := range new(settings).table() {
		asked = append(asked, ctx.Project()+":"+entry.key)
	}
	config := map[string]string{}
	for _, key := range asked {
		if value, ok := ctx.GetConfig(key); ok {
			config[key] = value
		}
	}
	return config
}
