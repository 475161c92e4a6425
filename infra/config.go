package infra

import (
	"fmt"
	"maps"
	"slices"
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
	WatchPaths           []string // sorted; never empty once parsed
	InstanceType         string
	OperatorIP           string // "" or a CIDR block
	SSHPublicKey         string
	ContainerPort        int
	HealthPath           string
	HealthSeconds        int
	StopSeconds          int
	AppPath              string // in the repository; "." is its root
	DeployScripts        string // scriptsInRepository or scriptsInStack
	Dockerfile           string // in AppPath
	BuildTarget          string
	BuildArgs            map[string]string
	BuildSecrets         map[string]string // see secretSource
	Environment          map[string]string
	Secrets              map[string]string // see secretSource
	ReleaseCommand       string            // see splitCommand
	Processes            map[string]string // commands by name
	Volumes              map[string]string // paths by name
	VolumeGiB            int
	AppPolicyArns        []string
	EgressPorts          []int
	Domain               string // "" for plain HTTP at the host's address
	HostedZoneID         string // "" if the domain's record is made elsewhere
	VpcID                string // "" for the stack's own network
	SubnetIDs            []string
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
		WatchPaths:       []string{},
		InstanceType:     "t3.micro",
		ContainerPort:    8080,
		HealthPath:       "/healthz",
		HealthSeconds:    180,
		StopSeconds:      30,
		AppPath:          defaultAppPath,
		DeployScripts:    scriptsInRepository,
		Dockerfile:       defaultDockerfile,
		BuildArgs:        map[string]string{},
		BuildSecrets:     map[string]string{},
		Environment:      map[string]string{},
		Secrets:          map[string]string{},
		Processes:        map[string]string{},
		Volumes:          map[string]string{},
		VolumeGiB:        10,
		AppPolicyArns:    []string{},
		EgressPorts:      []int{},
		SubnetIDs:        []string{},
		KeepImages:       20,
		LogRetentionDays: 30,
	}
}

// table lists every key of the project's namespace, in alphabetical order. checkFields has the checks of the maps.
func (s *settings) table() []setting {
	return []setting{
		{"agentVersion", &s.AgentVersion, func() string { return checkAgentVersion(s.AgentVersion) }},
		{"appPath", &s.AppPath, func() string { return checkAppPath(s.AppPath) }},
		{"appPolicyArns", &s.AppPolicyArns, func() string { return checkPolicyArns(s.Region, s.AppPolicyArns) }},
		{"approval", &s.Approval, nil},
		{"branch", &s.Branch, func() string { return checkBranch(s.Branch) }},
		{"buildArgs", &s.BuildArgs, nil},
		{"buildSecrets", &s.BuildSecrets, nil},
		{"buildTarget", &s.BuildTarget, func() string { return checkBuildTarget(s.BuildTarget) }},
		{"connectionArn", &s.ConnectionArn, func() string { return checkConnectionArn(s.ConnectionArn) }},
		{"connectionAuthorized", &s.ConnectionAuthorized, nil},
		{"containerPort", &s.ContainerPort, func() string { return checkRange(s.ContainerPort, 1, 65535) }},
		{"deployScripts", &s.DeployScripts, func() string { return checkDeployScripts(s.DeployScripts) }},
		{"dockerfile", &s.Dockerfile, func() string { return checkDockerfile(s.Dockerfile) }},
		{"domain", &s.Domain, func() string { return checkDomain(s.Domain) }},
		{"egressPorts", &s.EgressPorts, func() string { return checkEgressPorts(s.EgressPorts) }},
		{"environment", &s.Environment, nil},
		{"healthPath", &s.HealthPath, func() string { return checkHealthPath(s.HealthPath) }},
		{"healthSeconds", &s.HealthSeconds, func() string { return checkRange(s.HealthSeconds, minHealthSeconds, maxHealthSeconds) }},
		{"hostedZoneId", &s.HostedZoneID, func() string { return checkHostedZoneID(s.HostedZoneID) }},
		{"instanceType", &s.InstanceType, func() string { return checkInstanceType(s.InstanceType) }},
		{"keepImages", &s.KeepImages, func() string { return checkRange(s.KeepImages, minKeepImages, 1000) }},
		{"logRetentionDays", &s.LogRetentionDays, func() string { return checkRetention(s.LogRetentionDays) }},
		{"manageRepository", &s.ManageRepository, nil},
		{"operatorIp", &s.OperatorIP, s.checkOperatorIP},
		{"processes", &s.Processes, nil},
		{"protect", &s.Protect, nil},
		{"releaseCommand", &s.ReleaseCommand, func() string { return checkReleaseCommand(s.ReleaseCommand) }},
		{"repository", &s.Repository, func() string { return checkRepository(s.Repository) }},
		{"secrets", &s.Secrets, nil},
		{"sshPublicKey", &s.SSHPublicKey, func() string { return checkPublicKey(s.SSHPublicKey) }},
		{"stopSeconds", &s.StopSeconds, func() string { return checkRange(s.StopSeconds, 1, maxStopSeconds) }},
		{"subnetIds", &s.SubnetIDs, func() string { return checkSubnetIDs(s.SubnetIDs) }},
		{"volumeGiB", &s.VolumeGiB, func() string { return checkRange(s.VolumeGiB, 1, maxVolumeGiB) }},
		{"volumes", &s.Volumes, nil},
		{"vpcId", &s.VpcID, func() string { return checkVpcID(s.VpcID) }},
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
// types declared in Pulumi.yaml, and reports only one mismatch. What only AWS knows, the program checks as well: the
// account, and an existing network.
func CheckConfig(project, stack string, config map[string]string, encrypted []string) error {
	_, err := parseSettings(project, stack, config, encrypted)
	return err
}

// ReadApplication returns what a stack's configuration says of its application, or CheckConfig's error.
func ReadApplication(project, stack string, config map[string]string, encrypted []string) (Application, error) {
	s, err := parseSettings(project, stack, config, encrypted)
	if err != nil {
		return Application{}, err
	}
	return s.application(), nil
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
		violations = append(violations, fmt.Sprintf("aws:region %#q: %s", s.Region, problem))
	}
	table := s.table()
	for _, entry := range table {
		if full := project + ":" + entry.key; slices.Contains(encrypted, full) {
			if entry.mustBePlain() {
				violations = append(violations, fmt.Sprintf("%s: %s", entry.key, fmt.Sprintf(isEncrypted, stack, entry.key)))
			}
			continue
		}
		raw, ok := config[project+":"+entry.key]
		if problem := entry.read(raw, ok); problem != "" {
			violations = append(violations, describe(entry, raw, problem))
		}
	}
	violations = append(violations, s.checkFields()...)
	violations = append(violations, s.checkTogether(project, encrypted)...)
	violations = append(violations, unknownKeys(project, append(slices.Collect(maps.Keys(config)), encrypted...), table)...)
	if len(violations) > 0 {
		return settings{}, &ConfigError{Stack: stack, Violations: violations}
	}
	s.normalize()
	return s, nil
}

// checkTogether returns what is wrong with keys in view of one another.
func (s *settings) checkTogether(project string, encrypted []string) []string {
	var violations []string
	if problem := checkConnection(s.Region, s.ConnectionArn); problem != "" && !slices.Contains(encrypted, project+":connectionArn") {
		violations = append(violations, fmt.Sprintf("connectionArn %#q: %s", s.ConnectionArn, problem))
	}
	half := (s.VpcID == "") != (len(s.SubnetIDs) == 0) && checkVpcID(s.VpcID) == "" && checkSubnetIDs(s.SubnetIDs) == ""
	if half && !slices.Contains(encrypted, project+":vpcId") && !slices.Contains(encrypted, project+":subnetIds") {
		violations = append(violations, "vpcId: want it together with subnetIds, subnets of that VPC, or neither")
	}
	violations = append(violations, s.checkVolumes()...)
	if s.HostedZoneID != "" && s.Domain == "" && checkHostedZoneID(s.HostedZoneID) == "" && !slices.Contains(encrypted, project+":domain") {
		violations = append(violations, "hostedZoneId: want it together with domain, whose record it is to hold, or neither")
	}
	return append(violations, s.checkVariables(project)...)
}

// normalize fills in what follows from other keys, and sorts what the provider compares as a list, where another order
// would show as a change (F10).
func (s *settings) normalize() {
	if len(s.WatchPaths) == 0 {
		s.WatchPaths = watched(s.AppPath, s.DeployScripts)
	}
	slices.Sort(s.WatchPaths)
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

// describe names a key and its value. It omits values that may turn out to be secrets: a public key's, and those of
// maps.
func describe(entry setting, raw, problem string) string {
	const longest = 80
	if entry.key == "sshPublicKey" || entry.isMap() {
		return entry.key + ": " + problem
	}
	if len(raw) > longest {
		raw = raw[:longest] + "..."
	}
	return fmt.Sprintf("%s %#q: %s", entry.key, raw, problem)
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

// encryptedPlain returns the keys that must not be encrypted, and are. The SDK gives the program their values in the
// clear.
func encryptedPlain(ctx *pulumi.Context) []string {
	var encrypted []string
	for _, entry := range new(settings).table() {
		if key := ctx.Project() + ":" + entry.key; entry.mustBePlain() && ctx.IsConfigSecret(key) {
			encrypted = append(encrypted, key)
		}
	}
	return encrypted
}
