package codepipeline

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"

	"cicd/rehearsal/aws/account"
	"cicd/rehearsal/aws/awserror"
)

// Execution modes, see "How pipeline executions work" in the AWS CodePipeline user guide.
const (
	modeSuperseded = "SUPERSEDED"
	modeQueued     = "QUEUED"
	modeParallel   = "PARALLEL"
)

// definition is a declared pipeline.
type definition struct {
	Name           string    `json:"name"`
	ARN            string    `json:"arn"`
	ExecutionMode  string    `json:"executionMode"`
	RoleARN        string    `json:"roleArn"`
	Stages         []stage   `json:"stages"`
	Triggers       []trigger `json:"triggers"`
	ArtifactStores []struct {
		Location      string `json:"location"`
		EncryptionKey struct {
			ID string `json:"id"`
		} `json:"encryptionKey"`
	} `json:"artifactStores"`
}

type stage struct {
	Name    string   `json:"name"`
	Actions []action `json:"actions"`
	// OnFailure asks for one retry of the stage if Result is RETRY.
	OnFailure struct {
		Result             string `json:"result"`
		RetryConfiguration struct {
			RetryMode string `json:"retryMode"`
		} `json:"retryConfiguration"`
	} `json:"onFailure"`
}

type action struct {
	Name            string            `json:"name"`
	Category        string            `json:"category"`
	Provider        string            `json:"provider"`
	Configuration   map[string]string `json:"configuration"`
	InputArtifacts  []string          `json:"inputArtifacts"`
	OutputArtifacts []string          `json:"outputArtifacts"`
	Namespace       string            `json:"namespace"`
	RoleARN         string            `json:"roleArn"`
	RunOrder        int               `json:"runOrder"`
}

// bucket is the pipeline's artifact bucket.
func (d definition) bucket() string { return d.ArtifactStores[0].Location }

// encryptionKey is the KMS key for the pipeline's artifacts. Without one "the default key for Amazon S3 is used"
// (CodePipeline API Reference, ArtifactStore), which is taken to be the bucket's: "".
func (d definition) encryptionKey() string { return d.ArtifactStores[0].EncryptionKey.ID }

// sources returns the actions of the first stage, which are all sources.
func (d definition) sources() []action { return d.Stages[0].Actions }

// definitionOf reads the pipeline as declared now: an update of the stack affects the next execution.
func definitionOf(acct *account.Account, name string) (definition, error) {
	r, ok := acct.Find(account.Pipeline, "name", name)
	if !ok {
		return definition{}, awserror.New("PipelineNotFoundException", "Account '%s' does not have a pipeline with name '%s'", acct.ID(), name)
	}
	d, err := account.Decode[definition](r)
	if err != nil {
		return definition{}, err
	}
	if d.ExecutionMode == "" {
		d.ExecutionMode = modeSuperseded
	}
	return d, nil
}

var variable = regexp.MustCompile(`#\{([A-Za-z0-9@\-_]+)\.([A-Za-z0-9@\-_]+)\}`)

// resolve replaces each #{namespace.variable} in the configuration with its value. Inside a JSON list of environment
// variables the value is part of a JSON string, so it is escaped.
func resolve(configuration map[string]string, variables map[string]map[string]string) (map[string]string, error) {
	resolved := make(map[string]string, len(configuration))
	var missing []string
	for key, value := range configuration {
		resolved[key] = variable.ReplaceAllStringFunc(value, func(reference string) string {
			m := variable.FindStringSubmatch(reference)
			v, ok := variables[m[1]][m[2]]
			if !ok {
				missing = append(missing, reference)
			}
			if key == "EnvironmentVariables" {
				quoted, _ := json.Marshal(v) // strings always marshal
				v = string(quoted[1 : len(quoted)-1])
			}
			return v
		})
	}
	if missing != nil {
		return nil, fmt.Errorf("the configuration uses %s, which no earlier action of this execution has set", strings.Join(missing, " and "))
	}
	return resolved, nil
}
