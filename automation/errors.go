package automation

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/auto"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
)

// ErrLocked means that another update of the stack is running, or that one died without unlocking it (F45).
var ErrLocked = errors.New("locked by another update")

// explain turns an error of the SDK into one that says what went wrong with which resource; the SDK's own text is
// everything the engine printed. err must be unwrapped, because IsConcurrentUpdateError does not unwrap.
func (s *Stack) explain(ctx context.Context, operation string, err error, problems []problem) error {
	if ctx.Err() != nil {
		return fmt.Errorf("%s of stack %q was interrupted: %w", operation, s.name, ctx.Err())
	}
	if auto.IsConcurrentUpdateError(err) {
		return fmt.Errorf("stack %q is %w:\n  %s\nWait for it to end. If it is dead, such as a CI job that was killed, run this first:\n"+
			"  %s cancel --stack %s", s.name, ErrLocked, indent(lockOwners(s.command.stderr), 2), s.command.engine.Path, s.name)
	}
	messages := describe(problems)
	if len(messages) == 0 && s.command.stderr != "" {
		messages = []string{strings.TrimPrefix(s.command.stderr, "error: ")}
	}
	if len(messages) == 0 {
		return fmt.Errorf("%s of stack %q: %w", operation, s.name, err)
	}
	messages = append(messages, remedyOf(messages)...)
	return fmt.Errorf("%s of stack %q:\n  %s", operation, s.name, indent(strings.Join(messages, "\n"), 2))
}

// describe returns one message per problem, in order of occurrence.
func describe(problems []problem) []string {
	var messages []string
	for _, p := range problems {
		message := p.message
		for _, wrapping := range []string{
			"an unhandled error occurred: ", // Pulumi, pkg/resource/deploy/source_eval.go: around the program's own error
			"go inline source runtime error, an unhandled error occurred: ",
			"1 error occurred:\n\t* ", // go-multierror, around one error
		} {
			message = strings.TrimPrefix(message, wrapping)
		}
		message = strings.TrimSpace(message)
		if resource := about(p.urn); resource != "" {
			message = resource + indent(message, 2)
		}
		if !slices.Contains(messages, message) {
			messages = append(messages, message)
		}
	}
	if len(messages) > 1 { // the engine's summary, which adds nothing to other messages
		messages = slices.DeleteFunc(messages, func(m string) bool { return m == "update failed" || m == "preview failed" })
	}
	return messages
}

// lockOwners returns who holds the lock, for backends that say (Pulumi, pkg/backend/diy/lock.go: a line per lock).
func lockOwners(stderr string) string {
	if _, owners, found := strings.Cut(stderr, "\n"); found {
		return strings.TrimSpace(owners)
	}
	return strings.TrimPrefix(stderr, "error: ")
}

// remedies say what to do about provider and backend messages that do not say it themselves. They only add text: no
// decision depends on another program's wording. The first three are pulumi-aws's (provider/resources.go).
var remedies = []struct{ symptom, remedy string }{
	{"No valid credential sources found", awsCredentials},
	{"unable to validate AWS credentials", awsCredentials},
	{"missing region information", "To do: pulumi config set aws:region <region>, or add aws:region to the stack's Pulumi.<stack>.yaml."},
	{"PULUMI_ACCESS_TOKEN must be set", "To do: set PULUMI_ACCESS_TOKEN, or keep the state elsewhere: PULUMI_BACKEND_URL=s3://<bucket>, or file://<folder>."},
}

const awsCredentials = "To do: run `aws sso login` or `aws configure`, or set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY."

// remedyOf returns the remedies for the messages, without duplicates.
func remedyOf(messages []string) []string {
	var found []string
	text := strings.Join(messages, "\n")
	for _, r := range remedies {
		if strings.Contains(text, r.symptom) && !slices.Contains(found, r.remedy) {
			found = append(found, r.remedy)
		}
	}
	return found
}

// about returns "type name: " of the resource, or "" for the stack itself or no resource.
func about(urn string) string {
	if urn == "" || resource.URN(urn).QualifiedType() == resource.RootStackType {
		return ""
	}
	return resourceType(urn) + " " + resourceName(urn) + ": "
}

func resourceName(urn string) string { return resource.URN(urn).Name() }

// resourceType returns a resource's type as Pulumi displays it: "aws:ecr:Repository" for "aws:ecr/repository:Repository".
func resourceType(urn string) string {
	parts := strings.Split(string(resource.URN(urn).Type()), ":")
	if len(parts) == 3 {
		parts[1], _, _ = strings.Cut(parts[1], "/")
	}
	return strings.Join(parts, ":")
}

// indent indents every line of s but the first by n columns.
func indent(s string, n int) string { return strings.ReplaceAll(s, "\n", "\n"+strings.Repeat(" ", n)) }
