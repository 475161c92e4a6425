package ssm

import (
	"regexp"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws/arn"

	"cicd/rehearsal/aws/awserror"
)

const validation = "ValidationException"

// errNotFound has no message, in AWS too (awslabs/aws-simple-cicd issue 10).
var errNotFound = awserror.New("ParameterNotFound", "")

// The rules of names (service model, PutParameter, Name).
const (
	levelsLimit = 15
	lengthLimit = 1011 // characters, of the ARN
)

var (
	nameForm  = regexp.MustCompile(`^[a-zA-Z0-9_.\-/]+$`)
	labelForm = regexp.MustCompile(`^[a-zA-Z0-9_.\-]+$`)
)

// checkName returns an error for a name that no parameter of the account can have. The texts are as users report them:
// getmoto/moto, moto/ssm/models.py, put_parameter; localstack/localstack issue 11048.
func (s *Store) checkName(name string) error {
	lower := strings.ToLower(strings.TrimPrefix(name, "/"))
	reserved := strings.HasPrefix(lower, "aws") || strings.HasPrefix(lower, "ssm")
	isPath := strings.Count(name, "/") > 1
	switch {
	case reserved && isPath && strings.HasPrefix(lower, "aws"):
		return awserror.New("AccessDeniedException", "No access to reserved parameter name: %s.", name)
	case reserved && !isPath:
		return awserror.New(validation, `Parameter name: can't be prefixed with "aws" or "ssm" (case-insensitive).`)
	case reserved, !nameForm.MatchString(name), strings.Contains(name, "//"), strings.HasSuffix(name, "/"):
		return awserror.New(validation, `Parameter name: can't be prefixed with "ssm" (case-insensitive). If formed as a path, it can `+
			`consist of sub-paths divided by slash symbol; each sub-path can be formed as a mix of letters, numbers and the following 3 symbols .-_`)
	case strings.Contains(name, "/") && !strings.HasPrefix(name, "/"):
		return awserror.New(validation, "Parameter name must be a fully qualified name.")
	case strings.Count(name, "/") > levelsLimit:
		return awserror.New("HierarchyLevelLimitExceededException", "A hierarchy can have a maximum of %d levels.", levelsLimit)
	case len(s.arn(name)) > lengthLimit:
		return awserror.Constraint(validation, name, "name", "Member must have length less than or equal to 1011, with the ARN that precedes it")
	}
	return nil
}

// split returns the name and the version in "name", "name:version" and the same with an ARN.
func (s *Store) split(reference string) (name, selector string, err error) {
	reference = strings.TrimSpace(reference)
	name = reference
	if a, failed := arn.Parse(reference); failed == nil {
		path, ofParameter := strings.CutPrefix(a.Resource, "parameter/")
		if a.Service != "ssm" || !ofParameter {
			return "", "", awserror.New(validation, "%s is not the ARN of a parameter.", reference)
		}
		if own := s.account.ARN("ssm", a.Resource); own != reference {
			return "", "", awserror.New("AccessDeniedException", "%s is of another account or region: no such parameter is shared with this account.", reference)
		}
		name = s.nameIn(path)
	}
	name, selector, selected := strings.Cut(name, ":")
	if selected && !labelForm.MatchString(selector) {
		return "", "", awserror.New(validation, "Parameter name: %s: want a version after the colon.", reference)
	}
	if strings.HasPrefix(name, "/aws/") {
		return "", "", awserror.New(validation, "a rehearsal has no public parameters, so not %s.", name)
	}
	return name, selector, s.checkName(name)
}

// nameIn returns the name that an ARN has without its slash, which every path has, and a single name may have.
func (s *Store) nameIn(rest string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	name, _, _ := strings.Cut(rest, ":")
	_, withSlash := s.parameters["/"+name]
	if strings.Contains(name, "/") || withSlash {
		return "/" + rest
	}
	return rest
}

// nameOf returns the name in a name or an ARN.
func (s *Store) nameOf(reference string) (string, error) {
	name, selector, err := s.split(reference)
	if err == nil && selector != "" {
		err = awserror.New(validation, "Parameter name: %s: want no version.", reference)
	}
	return name, err
}
