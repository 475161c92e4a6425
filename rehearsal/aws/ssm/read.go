package ssm

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"cicd/rehearsal/aws/awserror"
	"cicd/rehearsal/aws/iam"
)

// GetParameterInput asks for one parameter.
type GetParameterInput struct {
	Name           string
	WithDecryption bool
}

// GetParameterOutput is the parameter.
type GetParameterOutput struct{ Parameter Parameter }

// GetParameter returns a parameter, by name or ARN, with ssm:GetParameter.
func (s *Store) GetParameter(session iam.Session, in GetParameterInput) (GetParameterOutput, error) {
	found, err := s.read(session, "ssm:GetParameter", []string{in.Name}, in.WithDecryption)
	if err != nil {
		return GetParameterOutput{}, err
	}
	if len(found) == 0 {
		_, err := s.find(in.Name)
		return GetParameterOutput{}, err
	}
	return GetParameterOutput{found[0]}, nil
}

// GetParametersInput asks for up to 10 parameters, by name or ARN.
type GetParametersInput struct {
	Names          []string
	WithDecryption bool
}

// GetParametersOutput has those that exist, in alphabetical order, and as InvalidParameters what was asked for in vain.
type GetParametersOutput struct {
	Parameters        []Parameter
	InvalidParameters []string
}

// GetParameters returns several parameters, with ssm:GetParameters for each.
func (s *Store) GetParameters(session iam.Session, in GetParametersInput) (GetParametersOutput, error) {
	if err := checkNames(in.Names); err != nil {
		return GetParametersOutput{}, err
	}
	found, err := s.read(session, "ssm:GetParameters", in.Names, in.WithDecryption)
	if err != nil {
		return GetParametersOutput{}, err
	}
	out := GetParametersOutput{Parameters: found, InvalidParameters: []string{}}
	for _, name := range in.Names {
		if _, err := s.find(name); err != nil && !slices.Contains(out.InvalidParameters, name) {
			out.InvalidParameters = append(out.InvalidParameters, name)
		}
	}
	return out, nil
}

// checkNames checks a ParameterNameList of the service model.
func checkNames(names []string) error {
	switch {
	case len(names) == 0:
		return awserror.Constraint(validation, "[]", "names", "Member must have length greater than or equal to 1")
	case len(names) > 10:
		return awserror.Constraint(validation, "["+strings.Join(names, ", ")+"]", "names", "Member must have length less than or equal to 10")
	}
	return nil
}

// read returns those of the parameters that exist. One that the session may not read, or whose value it may not
// decrypt, fails the whole call.
func (s *Store) read(session iam.Session, action string, references []string, decrypt bool) ([]Parameter, error) {
	arns, found := []string{}, []located{}
	for _, reference := range references {
		name, _, err := s.split(reference)
		if err != nil {
			return nil, err
		}
		arns = append(arns, s.arn(name))
		v, err := s.find(reference)
		if err == nil && !slices.ContainsFunc(found, func(other located) bool { return other.name == v.name && other.selector == v.selector }) {
			found = append(found, v)
		}
	}
	if err := s.authority.Authorize(session, action, arns...); err != nil {
		return nil, awserror.Denied(err)
	}
	return s.reveal(session, found, decrypt)
}

// reveal returns what the session may see of parameters, in alphabetical order.
func (s *Store) reveal(session iam.Session, found []located, decrypt bool) ([]Parameter, error) {
	slices.SortFunc(found, func(a, b located) int { return strings.Compare(a.name, b.name) })
	parameters := []Parameter{}
	var errs []error
	for _, v := range found {
		if decrypt {
			errs = append(errs, s.decrypt(session, v))
		}
		parameters = append(parameters, s.describe(v, decrypt))
	}
	if err := errors.Join(errs...); err != nil {
		return nil, awserror.Denied(err)
	}
	return parameters, nil
}

// decrypt authorizes the decryption of a SecureString: Parameter Store calls KMS with the caller's permissions and with
// the parameter's ARN as the encryption context (KMS Developer Guide, "How AWS Systems Manager Parameter Store uses AWS
// KMS").
func (s *Store) decrypt(session iam.Session, v located) error {
	if v.kind != typeSecure || v.key == ownKey {
		return nil
	}
	session.Via, session.Keys = "ssm", iam.EncryptionContext(map[string]string{"PARAMETER_ARN": s.arn(v.name)})
	return s.authority.Authorize(session, "kms:Decrypt", v.key)
}

// GetParametersByPathInput asks for the parameters below a path.
type GetParametersByPathInput struct {
	Path           string
	Recursive      bool
	WithDecryption bool
	// MaxResults is 1 to 10; nil for 10.
	MaxResults *int
	NextToken  string
}

// GetParametersByPathOutput is one page of them.
type GetParametersByPathOutput struct {
	Parameters []Parameter
	NextToken  string `json:",omitempty"`
}

// GetParametersByPath returns the parameters below a path, with ssm:GetParametersByPath for the path alone: "If a user
// has access to a path, then the user can access all levels of that path" (service model, Recursive).
func (s *Store) GetParametersByPath(session iam.Session, in GetParametersByPathInput) (GetParametersByPathOutput, error) {
	path := strings.TrimSpace(in.Path)
	if err := s.checkPath(path); err != nil {
		return GetParametersByPathOutput{}, err
	}
	asking := session
	asking.Keys = map[string][]string{"ssm:Recursive": {strconv.FormatBool(in.Recursive)}}
	if err := s.authority.Authorize(asking, "ssm:GetParametersByPath", s.arn(path)); err != nil {
		return GetParametersByPathOutput{}, awserror.Denied(err)
	}
	var names []string
	for _, name := range s.names() {
		if below(path, name, in.Recursive) {
			names = append(names, name)
		}
	}
	page, next, err := pageOf(names, in.MaxResults, 10, in.NextToken)
	if err != nil {
		return GetParametersByPathOutput{}, err
	}
	found, err := s.reveal(session, s.current(page), in.WithDecryption)
	return GetParametersByPathOutput{found, next}, err
}

// checkPath checks the path of a hierarchy. Text: getmoto/moto, moto/ssm/models.py, _validate_parameter_filters.
func (s *Store) checkPath(path string) error {
	if !strings.HasPrefix(path, "/") || !nameForm.MatchString(path) || strings.Contains(path, "//") {
		return awserror.New(validation, `The parameter doesn't meet the parameter name requirements. The parameter name must begin with a forward slash "/". `+
			`It can't be prefixed with "aws" or "ssm" (case-insensitive). It must use only letters, numbers, or the following symbols: . (period), - (hyphen), `+
			`_ (underscore). Special characters are not allowed. All sub-paths, if specified, must use the forward slash symbol "/". `+
			`Valid example: /get/parameters2-/by1./path0_.`)
	}
	return nil
}

// below reports whether a parameter is in a path or, if recursive, anywhere below it.
func below(path, name string, recursive bool) bool {
	rest, ok := strings.CutPrefix("/"+strings.TrimPrefix(name, "/"), strings.TrimSuffix(path, "/")+"/")
	return ok && (recursive || !strings.Contains(rest, "/"))
}

// current returns the current versions of the parameters that exist.
func (s *Store) current(names []string) []located {
	var found []located
	for _, name := range names {
		if v, err := s.find(name); err == nil {
			found = append(found, v)
		}
	}
	return found
}

// pageOf returns a page of names and the token of the next one. A token is the last name of the page before.
func pageOf(names []string, size *int, limit int, token string) (page []string, next string, err error) {
	most := limit
	if size != nil {
		most = *size
	}
	switch {
	case most < 1:
		return nil, "", awserror.Constraint(validation, most, "maxResults", "Member must have value greater than or equal to 1")
	case most > limit:
		return nil, "", awserror.Constraint(validation, most, "maxResults", fmt.Sprintf("Member must have value less than or equal to %d", limit))
	}
	if token != "" {
		last, err := decodeToken(token)
		if err != nil {
			return nil, "", err
		}
		names = slices.DeleteFunc(slices.Clone(names), func(name string) bool { return name <= last })
	}
	if len(names) <= most {
		return names, "", nil
	}
	return names[:most], encodeToken(names[most-1]), nil
}
