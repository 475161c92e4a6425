package operations

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"
)

const (
	// recordName is the parameter in which a host notes what its release runs with (deploy-scripts/hooks/start.sh).
	// No secret can have this name, because no variable can.
	recordName = "running-release"
	// batch is the most names that DeleteParameters takes (Systems Manager API reference, DeleteParameters).
	batch = 10
)

// ErrNoSecret means that a stack has no value of that name.
var ErrNoSecret = errors.New("there is no such secret")

// Secrets are a stack's own secrets: the parameters /<project>/<stack>/NAME of Parameter Store, encrypted with the
// account's key for it, aws/ssm. Its methods never return a value, and no error quotes one.
type Secrets struct {
	stack  Stack
	client *ssm.Client
}

// OpenSecrets finds credentials for a stack's secrets.
func OpenSecrets(ctx context.Context, stack Stack) (*Secrets, error) {
	settings, err := stack.connect(ctx)
	if err != nil {
		return nil, err
	}
	return &Secrets{stack, ssm.NewFromConfig(settings)}, nil
}

// Parameter returns the parameter's name of a secret.
func (s *Secrets) Parameter(name string) string { return s.stack.path() + "/" + name }

// Set stores a value, and returns its version: 1 for a new secret. CheckValue says which values can be stored.
//
// A new parameter gets the tags of all that the stack has. A request that overwrites may not have any (Systems
// Manager API reference, PutParameter), so the first one does not.
func (s *Secrets) Set(ctx context.Context, name, value string) (version int64, err error) {
	request := ssm.PutParameterInput{
		Name:  aws.String(s.Parameter(name)),
		Value: aws.String(value),
		Type:  types.ParameterTypeSecureString,
		Tier:  types.ParameterTierStandard, // the account's default may be the advanced one, which costs
		Tags: []types.Tag{
			{Key: aws.String("Project"), Value: aws.String(s.stack.Project)},
			{Key: aws.String("Stack"), Value: aws.String(s.stack.Name)},
			{Key: aws.String("ManagedBy"), Value: aws.String("cicd")},
		},
	}
	answer, err := s.client.PutParameter(ctx, &request)
	if exists := new(types.ParameterAlreadyExists); errors.As(err, &exists) {
		request.Tags, request.Overwrite = nil, aws.Bool(true)
		answer, err = s.client.PutParameter(ctx, &request)
	}
	if err != nil {
		return 0, s.stack.explain(ctx, "secret "+name, discreet(err), parameterRemedies)
	}
	return answer.Version, nil
}

// Stored is a secret that has a value.
type Stored struct {
	Name    string
	Version int64
	Changed time.Time
}

// Release is what a host noted about the release that it runs.
type Release struct {
	// Commit is its id, 40 hexadecimal digits.
	Commit string `json:"commit"`
	// Secrets are the versions of the stack's own secrets that its containers have, by name.
	Secrets map[string]int64 `json:"secrets"`
}

// List returns the secrets that have a value, by name, and what the last release noted. Before a release with
// secrets, that is empty.
func (s *Secrets) List(ctx context.Context) (stored []Stored, running Release, err error) {
	parameters, err := s.parameters(ctx)
	if err != nil {
		return nil, Release{}, err
	}
	for _, p := range parameters {
		name := strings.TrimPrefix(aws.ToString(p.Name), s.Parameter(""))
		if name != recordName {
			stored = append(stored, Stored{name, p.Version, aws.ToTime(p.LastModifiedDate)})
			continue
		}
		if err := json.Unmarshal([]byte(aws.ToString(p.Value)), &running); err != nil {
			return nil, Release{}, fmt.Errorf("parameter %s: it should be what a host wrote there about its release, as JSON: %w\n"+
				"To do: delete it; the next release writes it again: aws ssm delete-parameter --name %[1]s --region %[3]s",
				aws.ToString(p.Name), err, s.stack.Region)
		}
	}
	slices.SortFunc(stored, func(a, b Stored) int { return strings.Compare(a.Name, b.Name) })
	return stored, running, nil
}

// parameters returns what the stack has in Parameter Store. The values of secrets in it are still encrypted.
func (s *Secrets) parameters(ctx context.Context) ([]types.Parameter, error) {
	var found []types.Parameter
	pages := ssm.NewGetParametersByPathPaginator(s.client, &ssm.GetParametersByPathInput{Path: aws.String(s.stack.path())})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, s.stack.explain(ctx, "parameters of "+s.stack.path(), err, parameterRemedies)
		}
		found = append(found, page.Parameters...)
	}
	return found, nil
}

// Remove deletes a secret with all its versions. If there is none, the error is ErrNoSecret.
func (s *Secrets) Remove(ctx context.Context, name string) error {
	_, err := s.client.DeleteParameter(ctx, &ssm.DeleteParameterInput{Name: aws.String(s.Parameter(name))})
	if missing := new(types.ParameterNotFound); errors.As(err, &missing) {
		return fmt.Errorf("secret %s: %w in stack %q", name, ErrNoSecret, s.stack.Name)
	}
	return s.stack.explain(ctx, "secret "+name, err, parameterRemedies)
}

// RemoveAll deletes all that the stack has in Parameter Store, for when the stack is gone, and returns how many
// parameters it deleted, also if some are left.
func (s *Secrets) RemoveAll(ctx context.Context) (deleted int, err error) {
	parameters, err := s.parameters(ctx)
	if err != nil {
		return 0, err
	}
	for some := range slices.Chunk(parameters, batch) {
		var names []string
		for _, p := range some {
			names = append(names, aws.ToString(p.Name))
		}
		answer, err := s.client.DeleteParameters(ctx, &ssm.DeleteParametersInput{Names: names})
		if err != nil {
			return deleted, s.stack.explain(ctx, "parameters of "+s.stack.path(), err, parameterRemedies)
		}
		deleted += len(answer.DeletedParameters)
	}
	return deleted, nil
}
