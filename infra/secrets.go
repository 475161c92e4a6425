package infra

import (
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws/arn"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// secretSource says where a secret's value is from. Values never come near this program: builds and hosts fetch them.
type secretSource struct {
	arn.ARN        // of a parameter or of a secret of Secrets Manager; empty for the stack's own parameter
	key     string // field of the secret's JSON; "" for all of it
}

// own reports whether the value is in the stack's own parameter.
func (s secretSource) own() bool { return s.Service == "" }

// parseSource reads a source as it is configured: "", or an ARN, to which #key may be added. ok is false for anything
// else.
func parseSource(text string) (source secretSource, ok bool) {
	if text == "" {
		return secretSource{}, true
	}
	name, key, _ := strings.Cut(text, "#")
	parsed, err := arn.Parse(name)
	return secretSource{parsed, key}, err == nil && (parsed.Service == "ssm" || parsed.Service == "secretsmanager")
}

// parameter returns the name of a parameter. A path begins with a slash, which its ARN has anyway (Systems Manager User
// Guide, "Working with parameter hierarchies"). Without a path the ARN does not tell, and stands for the name itself, as
// it may (Systems Manager API Reference, GetParameters).
func (s secretSource) parameter() string {
	if path := strings.TrimPrefix(s.Resource, "parameter"); strings.Count(path, "/") > 1 {
		return path
	}
	return s.String()
}

// hasOwn reports whether one of the secrets is in the stack's own parameters.
func hasOwn(secrets map[string]string) bool {
	return slices.Contains(slices.Collect(maps.Values(secrets)), "")
}

// foreign returns the ARNs of the secrets that are not the stack's own, of these services or else of all; each once,
// sorted.
func foreign(secrets map[string]string, services ...string) []string {
	var arns []string
	for _, text := range secrets {
		source, ok := parseSource(text)
		if ok && !source.own() && (len(services) == 0 || slices.Contains(services, source.Service)) {
			arns = append(arns, source.String())
		}
	}
	slices.Sort(arns)
	return slices.Compact(arns)
}

// ownParameters returns the ARNs of those secrets that are in the stack's own parameters, sorted.
func (s Scope) ownParameters(secrets map[string]string) []string {
	var arns []string
	for _, name := range slices.Sorted(maps.Keys(secrets)) {
		if secrets[name] == "" {
			arns = append(arns, s.parameterArn(name))
		}
	}
	return arns
}

// secretGrants allows reading secrets: the stack's own parameters, by their ARNs, and what others keep for it.
//
// The stack's own are encrypted with the account's key for Parameter Store, whose policy admits whoever may read the
// parameter (KMS Developer Guide, "AWS managed keys"). Those of others may have any key, which must allow it too. The
// conditions keep it to these secrets, read through these services (Systems Manager User Guide, "Parameter Store and
// SecureString encryption context"; Secrets Manager User Guide, "Secret encryption and decryption").
func secretGrants(scope Scope, secrets map[string]string, own []string) []grant {
	var list []grant
	parameters, managed := foreign(secrets, "ssm"), foreign(secrets, "secretsmanager")
	if readable := slices.Concat(own, parameters); len(readable) > 0 {
		list = append(list, allow("ReadParameters", []string{"ssm:GetParameters"}, pulumi.ToStringArray(readable)))
	}
	if len(managed) > 0 {
		list = append(list, allow("ReadSecrets", []string{"secretsmanager:GetSecretValue"}, pulumi.ToStringArray(managed)))
	}
	for _, d := range []struct {
		sid, service, context string
		arns                  []string
	}{
		{"DecryptParameters", "ssm", "PARAMETER_ARN", parameters},
		{"DecryptSecrets", "secretsmanager", "SecretARN", managed},
	} {
		if len(d.arns) > 0 {
			list = append(list, allow(d.sid, []string{"kms:Decrypt"}, on(pulumi.String(scope.arn("kms", "key/*")))).when(condition{
				"StringEquals": {
					"kms:ViaService":                     d.service + "." + scope.Region + ".amazonaws.com",
					"kms:EncryptionContext:" + d.context: d.arns,
				},
			}))
		}
	}
	return list
}
