package ssm

import (
	"cmp"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"cicd/rehearsal/aws/awserror"
	"cicd/rehearsal/aws/iam"
)

// The tiers of parameters, and the largest value of each in bytes. KMS, which encrypts a standard SecureString, counts
// bytes too (KMS API Reference, Encrypt, Plaintext).
const (
	tierStandard = "Standard"
	tierAdvanced = "Advanced"
	tierChosen   = "Intelligent-Tiering" // advanced only if it has to be

	standardLimit = 4096
	advancedLimit = 8192
)

// PutParameterInput is a new parameter, or a new version of one.
type PutParameterInput struct {
	Name, Value, Type, Description string
	// Tier is Standard, Advanced or Intelligent-Tiering; "" for that of the former version, or Standard.
	Tier      string
	Overwrite bool
	DataType  string
	// Tags are taken, and shown to nobody.
	Tags []Tag
}

// Tag is a tag of a parameter.
type Tag struct{ Key, Value string }

// PutParameterOutput says what was made.
type PutParameterOutput struct {
	Version int64
	Tier    string
}

// PutParameter makes a parameter or, with Overwrite, a version of one, with ssm:PutParameter, and ssm:AddTagsToResource
// for tags. A SecureString is encrypted with the AWS managed key.
func (s *Store) PutParameter(session iam.Session, in PutParameterInput) (PutParameterOutput, error) {
	in.Name = strings.TrimSpace(in.Name)
	if err := s.checkName(in.Name); err != nil {
		return PutParameterOutput{}, err
	}
	if err := s.mayPut(session, in); err != nil {
		return PutParameterOutput{}, err
	}
	if err := s.check(in); err != nil {
		return PutParameterOutput{}, err
	}
	return s.put(in, ownKey, session.ARN())
}

func (s *Store) mayPut(session iam.Session, in PutParameterInput) error {
	tagging := session
	session.Keys = map[string][]string{"ssm:Overwrite": {strconv.FormatBool(in.Overwrite)}}
	err := s.authority.Authorize(session, "ssm:PutParameter", s.arn(in.Name))
	if err == nil && len(in.Tags) > 0 {
		err = s.authority.Authorize(tagging, "ssm:AddTagsToResource", s.arn(in.Name))
	}
	if err != nil {
		return awserror.Denied(err)
	}
	return nil
}

var nested = regexp.MustCompile(`(?s)\{\{.*\}\}`)

// check checks what does not depend on former versions. Texts: hashicorp/terraform-provider-aws issue 18521 and pull
// request 31151; getmoto/moto, moto/ssm/models.py, put_parameter.
func (s *Store) check(in PutParameterInput) error {
	if err := s.checkName(in.Name); err != nil {
		return err
	}
	switch {
	case in.Value == "":
		return awserror.Constraint(validation, "", "value", "Member must have length greater than or equal to 1.")
	case in.Type != "" && !slices.Contains([]string{typeSecure, typeStringList, typeString}, in.Type):
		return awserror.Constraint(validation, in.Type, "type", "Member must satisfy enum value set: [SecureString, StringList, String]")
	case in.Tier != "" && !slices.Contains([]string{tierStandard, tierAdvanced, tierChosen}, in.Tier):
		return awserror.Constraint(validation, in.Tier, "tier", "Member must satisfy enum value set: [Standard, Intelligent-Tiering, Advanced]")
	case in.DataType != "" && in.DataType != "text":
		return awserror.New(validation, "The following data type is not supported: %s (Data type names are all lowercase.)", in.DataType)
	case in.Overwrite && len(in.Tags) > 0:
		return awserror.New(validation, "Invalid request: tags and overwrite can't be used together. To create a parameter with tags, please remove overwrite flag. "+
			"To update tags for an existing parameter, please use AddTagsToResource or RemoveTagsFromResource.")
	case len(in.Description) > 1024:
		return awserror.Constraint(validation, in.Description, "description", "Member must have length less than or equal to 1024")
	case nested.MatchString(in.Value):
		return awserror.New(validation, `Parameter value can't nest another parameter. Do not use "{{}}" in the value.`)
	}
	return nil
}

// put stores what has been checked.
func (s *Store) put(in PutParameterInput, key, by string) (PutParameterOutput, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	versions := s.parameters[in.Name]
	former := version{tier: tierStandard}
	if len(versions) > 0 {
		former = versions[len(versions)-1]
	}
	v := version{number: former.number + 1, kind: cmp.Or(in.Type, former.kind), value: in.Value,
		description: cmp.Or(in.Description, former.description), modified: time.Now(), modifiedBy: by}
	switch {
	case len(versions) > 0 && !in.Overwrite:
		return PutParameterOutput{}, awserror.New("ParameterAlreadyExists",
			"The parameter already exists. To overwrite this value, set the overwrite option in the request to true.")
	case v.kind == "":
		return PutParameterOutput{}, awserror.New(validation, "A parameter type is required when you create a parameter.")
	case former.kind != "" && v.kind != former.kind: // service model, HierarchyTypeMismatchException
		return PutParameterOutput{}, awserror.New("HierarchyTypeMismatchException",
			"Parameter Store doesn't support changing a parameter type in a hierarchy: %s is a %s. Delete it first, or use another name.", in.Name, former.kind)
	}
	var err error
	if v.tier, err = tierOf(in, former.tier); err != nil {
		return PutParameterOutput{}, err
	}
	if v.kind == typeSecure {
		v.key, v.ciphertext = key, newCiphertext()
	}
	versions = append(versions, v)
	s.parameters[in.Name] = versions[max(0, len(versions)-versionsKept):]
	return PutParameterOutput{v.number, v.tier}, nil
}

// tierOf returns the tier of a new version. Texts: hashicorp/terraform-provider-aws issue 18521; awslabs/seed-farmer
// issue 499.
func tierOf(in PutParameterInput, former string) (string, error) {
	tier := cmp.Or(in.Tier, former)
	if in.Tier == tierChosen {
		tier = former
		if len(in.Value) > standardLimit {
			tier = tierAdvanced
		}
	}
	switch {
	case tier == tierStandard && former == tierAdvanced:
		return "", awserror.New(validation, "This parameter uses the advanced-parameter tier. You can't downgrade a parameter from the "+
			"advanced-parameter tier to the standard-parameter tier. If necessary, you can delete the advanced parameter and recreate it as a standard parameter.")
	case tier == tierStandard && len(in.Value) > standardLimit:
		return "", awserror.New(validation, "Standard tier parameters support a maximum parameter value of 4096 characters. To create a larger parameter value, "+
			"upgrade the parameter to use the advanced-parameter tier. For more information, see "+
			"https://docs.aws.amazon.com/systems-manager/latest/userguide/parameter-store-advanced-parameters.html")
	case len(in.Value) > advancedLimit:
		return "", awserror.New(validation, "Advanced tier parameters support a maximum parameter value of 8192 characters.")
	}
	return tier, nil
}

// DeleteParameterInput names a parameter.
type DeleteParameterInput struct{ Name string }

// DeleteParameter deletes a parameter, with ssm:DeleteParameter.
func (s *Store) DeleteParameter(session iam.Session, in DeleteParameterInput) error {
	name := strings.TrimSpace(in.Name)
	if err := s.checkName(name); err != nil {
		return err
	}
	if err := s.authority.Authorize(session, "ssm:DeleteParameter", s.arn(name)); err != nil {
		return awserror.Denied(err)
	}
	if !s.remove(name) {
		return errNotFound
	}
	return nil
}

// DeleteParametersInput names up to 10 parameters.
type DeleteParametersInput struct{ Names []string }

// DeleteParametersOutput says which were deleted; there are none of the others.
type DeleteParametersOutput struct{ DeletedParameters, InvalidParameters []string }

// DeleteParameters deletes several parameters, with ssm:DeleteParameters for each.
func (s *Store) DeleteParameters(session iam.Session, in DeleteParametersInput) (DeleteParametersOutput, error) {
	if err := checkNames(in.Names); err != nil {
		return DeleteParametersOutput{}, err
	}
	var arns []string
	for _, name := range in.Names {
		if err := s.checkName(strings.TrimSpace(name)); err != nil {
			return DeleteParametersOutput{}, err
		}
		arns = append(arns, s.arn(strings.TrimSpace(name)))
	}
	if err := s.authority.Authorize(session, "ssm:DeleteParameters", arns...); err != nil {
		return DeleteParametersOutput{}, awserror.Denied(err)
	}
	out := DeleteParametersOutput{[]string{}, []string{}}
	for _, name := range in.Names {
		if s.remove(strings.TrimSpace(name)) {
			out.DeletedParameters = append(out.DeletedParameters, name)
		} else {
			out.InvalidParameters = append(out.InvalidParameters, name)
		}
	}
	return out, nil
}
