package codebuild

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws/arn"

	"cicd/rehearsal/aws/secretsmanager"
	"cicd/rehearsal/aws/ssm"
)

// lookUp returns the values of variables that are stored elsewhere, read with the build role's permissions. For what is
// not there or denied, the build's log and error have CodeBuild's words (cloudposse/terraform-aws-cicd issue 107,
// aws/aws-cdk issue 9980, aws/aws-codebuild-docker-images issue 475).
func (b *build) lookUp(references map[string]EnvironmentVariable) (map[string]string, error) {
	values := map[string]string{}
	parameters, secrets := map[string]string{}, map[string]string{}
	for name, v := range references {
		switch v.Type {
		case "PARAMETER_STORE":
			parameters[name] = v.Value
		case "SECRETS_MANAGER":
			secrets[name] = v.Value
		default:
			return nil, contextError{"INVALID_INPUT", fmt.Errorf("environment variable %s: type %q: want PLAINTEXT, PARAMETER_STORE or SECRETS_MANAGER", name, v.Type)}
		}
	}
	if err := b.readParameters(parameters, values); err != nil {
		return nil, contextError{"Decrypted Variables Error", err}
	}
	for _, name := range slices.Sorted(maps.Keys(secrets)) {
		value, err := b.readSecret(secrets[name])
		if err != nil {
			return nil, contextError{"Secrets Manager Error", err}
		}
		values[name] = value
	}
	return values, nil
}

// readParameters adds the values of parameters, given by the variables' names, ten in a call.
func (b *build) readParameters(parameters, values map[string]string) error {
	if len(parameters) == 0 {
		return nil
	}
	b.log.say("Decrypting parameter store environment variables")
	wanted := slices.Sorted(maps.Values(parameters))
	found := map[string]string{}
	var missing []string
	for names := range slices.Chunk(slices.Compact(wanted), 10) {
		out, err := b.runner.Parameters.GetParameters(b.session, ssm.GetParametersInput{Names: names, WithDecryption: true})
		if err != nil {
			return err
		}
		for _, p := range out.Parameters {
			found[p.Name], found[p.ARN] = p.Value, p.Value
		}
		missing = append(missing, out.InvalidParameters...)
	}
	if len(missing) > 0 {
		return fmt.Errorf("parameter does not exist: %s", strings.Join(missing, ", "))
	}
	for name, parameter := range parameters {
		values[name] = found[parameter]
	}
	return nil
}

// readSecret returns the value for "secret-id:json-key:version-stage:version-id", whose secret-id is a name or an ARN,
// and of which all but the secret-id can be left out: without a json-key, it is the whole text (User Guide,
// env/secrets-manager).
func (b *build) readSecret(reference string) (string, error) {
	id, rest, _ := strings.Cut(reference, ":")
	if a, err := arn.Parse(reference); err == nil {
		var name string
		name, rest, _ = strings.Cut(strings.TrimPrefix(a.Resource, "secret:"), ":")
		a.Resource = "secret:" + name
		id = a.String()
	}
	parts := append(strings.SplitN(rest, ":", 3), "", "")
	key := parts[0]
	out, err := b.runner.Secrets.GetSecretValue(b.session, secretsmanager.GetSecretValueInput{SecretID: id, VersionStage: parts[1], VersionID: parts[2]})
	switch {
	case err != nil:
		return "", err
	case out.SecretString == "":
		return "", fmt.Errorf("secret %s is binary: a rehearsal does not know what CodeBuild does with it", id)
	case key == "":
		return out.SecretString, nil
	}
	value, err := field(out.SecretString, key)
	if err != nil {
		return "", fmt.Errorf("secret %s: %w", id, err)
	}
	return value, nil
}

// field returns the value of a key of a JSON object: a text as it is, a number or a truth value as it is written.
// Errors do not show what is in the object.
func field(object, key string) (string, error) {
	var fields map[string]json.RawMessage
	if json.Unmarshal([]byte(object), &fields) != nil {
		return "", fmt.Errorf("it should be a JSON object with the key %s, and is none", key)
	}
	raw, ok := fields[key]
	var text string
	switch {
	case !ok:
		return "", fmt.Errorf("its JSON object has no key %s", key)
	case json.Unmarshal(raw, &text) == nil && string(raw) != "null":
		return text, nil
	case strings.ContainsAny(string(raw[:1]), "{[n"):
		return "", errors.New("the value of its key " + key + " is an object, a list or null: a rehearsal does not know what CodeBuild makes of it; use a text")
	}
	return string(raw), nil
}
