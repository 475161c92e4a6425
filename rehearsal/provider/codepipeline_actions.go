package provider

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
)

const (
	providerConnection = "CodeStarSourceConnection"
	providerCodeBuild  = "CodeBuild"
	providerCodeDeploy = "CodeDeploy"
	providerManual     = "Manual"
)

// actionType describes a type of action in CodePipeline.
type actionType struct {
	inputs, outputs    [2]int // minimum and maximum number of artifacts
	required, optional []string
	// variables are what the action writes to its namespace; nil if the buildspec decides.
	variables []string
}

// actionTypes are those that the rehearsal can run, by category and provider; all have owner AWS and version 1.
// Source: CodePipeline User Guide, "Action structure reference" and "Valid action providers".
var actionTypes = map[string]actionType{
	"Source/" + providerConnection: {
		outputs:   [2]int{1, 1},
		required:  []string{"ConnectionArn", "FullRepositoryId", "BranchName"},
		optional:  []string{"OutputArtifactFormat", "DetectChanges"},
		variables: []string{"AuthorDate", "BranchName", "CommitId", "CommitMessage", "ConnectionArn", "FullRepositoryName"},
	},
	"Build/" + providerCodeBuild: codeBuildAction,
	"Test/" + providerCodeBuild:  codeBuildAction,
	"Deploy/" + providerCodeDeploy: {
		inputs:    [2]int{1, 1},
		required:  []string{"ApplicationName", "DeploymentGroupName"},
		variables: []string{"DeploymentId"},
	},
	"Approval/" + providerManual: {
		optional:  []string{"NotificationArn", "CustomData", "ExternalEntityLink"},
		variables: []string{"ApprovalSummary"},
	},
}

var codeBuildAction = actionType{
	inputs: [2]int{1, 5}, outputs: [2]int{0, 5},
	required: []string{"ProjectName"},
	optional: []string{"PrimarySource", "BatchEnabled", "CombineArtifacts", "EnvironmentVariables"},
}

// checkAction reports what is wrong with an action, given what ran before it.
func (s *structure) checkAction(stage int, action values, path string) {
	category := action.text("category")
	if category != "" && (stage == 0) != (category == "Source") {
		s.fault(path+".category", "the first stage has source actions only, and no other stage has any; this is a %s action in stage %d", category, stage+1)
	}
	if region := action.text("region"); region != "" && region != s.c.region {
		s.fault(path+".region", "an action in %s needs an artifact store there; the rehearsal runs pipelines of one region", region)
	}
	if action.has("timeoutInMinutes") && category != "Approval" {
		s.fault(path+".timeoutInMinutes", "only manual approvals use it")
	}
	for i, artifact := range action.texts("inputArtifacts") {
		if artifact != "" && !s.artifacts[artifact] {
			s.fault(fmt.Sprintf("%s.inputArtifacts[%d]", path, i), "no earlier action produces artifact %s", artifact)
		}
	}
	s.checkActionType(action, path)
	s.checkConfiguration(action, path)
}

func (s *structure) checkActionType(action values, path string) {
	name := action.text("category") + "/" + action.text("provider")
	known, ok := actionTypes[name]
	if !ok || action.text("version") != "1" {
		s.fault(path, "action type %s/%s version %s: the rehearsal knows %s, version 1", action.text("owner"), name, action.text("version"), strings.Join(slices.Sorted(maps.Keys(actionTypes)), ", "))
		return
	}
	for list, want := range map[string][2]int{"inputArtifacts": known.inputs, "outputArtifacts": known.outputs} {
		if got := len(action.texts(list)); got < want[0] || got > want[1] {
			s.fault(path+"."+list, "a %s action has %d to %d of them, got %d", name, want[0], want[1], got)
		}
	}
	configuration := action.block("configuration")
	for _, key := range known.required {
		if !configuration.has(key) && !action.unknown("configuration") {
			s.fault(path+".configuration", "action is missing required configuration %s", key)
		}
	}
	for _, key := range slices.Sorted(maps.Keys(configuration)) {
		if !slices.Contains(known.required, key) && !slices.Contains(known.optional, key) {
			s.fault(join(path+".configuration", key), "a %s action has no such configuration", name)
		}
	}
}

// checkConfiguration reports configuration values that the action would reject.
func (s *structure) checkConfiguration(action values, path string) {
	configuration := action.block("configuration")
	path += ".configuration"
	for _, key := range slices.Sorted(maps.Keys(configuration)) {
		s.checkReferences(configuration.text(key), path+"."+key)
	}
	switch action.text("provider") {
	case providerConnection:
		s.checkSource(action, path)
	case providerCodeBuild:
		inputs, primary := action.texts("inputArtifacts"), configuration.text("PrimarySource")
		if len(inputs) > 1 && !configuration.has("PrimarySource") || primary != "" && !slices.Contains(inputs, primary) {
			s.fault(path+".PrimarySource", "must name one of the input artifacts %v when there are several", inputs)
		}
		if variables := configuration.text("EnvironmentVariables"); variables != "" {
			s.checkEnvironment(variables, path+".EnvironmentVariables")
		}
	}
}

// fullRepository matches a GitHub repository's full name.
var fullRepository = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9-]{0,38}/[A-Za-z0-9._-]{1,100}$`)

func (s *structure) checkSource(action values, path string) {
	configuration := action.block("configuration")
	wants := map[string]*regexp.Regexp{
		"FullRepositoryId":     fullRepository,
		"OutputArtifactFormat": regexp.MustCompile(`^(CODE_ZIP|CODEBUILD_CLONE_REF)$`),
		"DetectChanges":        regexp.MustCompile(`^(true|false)$`),
		// Of any region: "connections are a global resource" (Developer Tools console User Guide, "Working with connections").
		"ConnectionArn": regexp.MustCompile(`^arn:aws[a-z-]*:(codeconnections|codestar-connections):[a-z0-9-]+:\d{12}:connection/.+$`),
	}
	for _, key := range slices.Sorted(maps.Keys(wants)) {
		if value := configuration.text(key); value != "" && !wants[key].MatchString(value) {
			s.fault(path+"."+key, "%q does not match %s", value, wants[key])
		}
	}
}

// checkEnvironment checks the JSON of the variables that a CodeBuild action sets. Source: CodePipeline User Guide,
// "AWS CodeBuild build and test action reference".
func (s *structure) checkEnvironment(variables, path string) {
	var parsed []struct{ Name, Value, Type string }
	decoder := json.NewDecoder(strings.NewReader(variables))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&parsed); err != nil {
		s.fault(path, "want a JSON list of objects with name, value and type: %v", err)
	}
	for _, variable := range parsed {
		if variable.Name == "" || !slices.Contains([]string{"", "PLAINTEXT", "PARAMETER_STORE", "SECRETS_MANAGER"}, variable.Type) {
			s.fault(path, "variable %q of type %q: want a name, and type PLAINTEXT, PARAMETER_STORE or SECRETS_MANAGER", variable.Name, variable.Type)
		}
	}
}

// variableReference matches a reference to a variable in a configuration value. Source: CodePipeline User Guide,
// "Variables reference".
var variableReference = regexp.MustCompile(`#\{([^}]*)\}`)

// checkReferences checks that variables which value refers to exist by the time the action runs.
func (s *structure) checkReferences(value, path string) {
	for _, match := range variableReference.FindAllStringSubmatch(value, -1) {
		namespace, variable, ok := strings.Cut(match[1], ".")
		action, produced := s.namespaces[namespace]
		switch {
		case !ok || variable == "":
			s.fault(path, "%s: want #{namespace.variable}", match[0])
		case namespace == "codepipeline":
			if variable != "PipelineExecutionId" {
				s.fault(path, "%s: the pipeline has no such variable", match[0])
			}
		case namespace == "variables":
			if !slices.ContainsFunc(s.c.in.blocks("variables"), func(v values) bool { return v.text("name") == variable }) {
				s.fault(path, "%s: the pipeline declares no such variable", match[0])
			}
		case !produced:
			s.fault(path, "%s: no earlier action has the namespace %s", match[0], namespace)
		default:
			known := actionTypes[action.text("category")+"/"+action.text("provider")].variables
			if known != nil && !slices.Contains(known, variable) {
				s.fault(path, "%s: the %s action produces %s", match[0], action.text("provider"), strings.Join(known, ", "))
			}
		}
	}
}
