package ssm

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"cicd/rehearsal/aws/awserror"
	"cicd/rehearsal/aws/iam"
)

// Filter selects parameters.
type Filter struct {
	// Key is Name, Path or Type.
	Key string
	// Option is Equals (the default), BeginsWith or, for Name, Contains; for Path, OneLevel (the default) or Recursive.
	Option string
	// Values are those of which one must match.
	Values []string
}

// DescribeParametersInput asks for the parameters that match every filter.
type DescribeParametersInput struct {
	ParameterFilters []Filter
	// MaxResults is 1 to 50; nil for 50.
	MaxResults *int
	NextToken  string
}

// Metadata is what DescribeParameters says of a parameter's current version.
type Metadata struct {
	Name, ARN, Type string
	KeyID           string `json:"KeyId,omitempty"`
	// LastModifiedDate is in seconds since 1970.
	LastModifiedDate float64
	LastModifiedUser string
	Description      string `json:",omitempty"`
	Version          int64
	Tier             string
	Policies         []string // none
	DataType         string
}

// DescribeParametersOutput is one page of parameters.
type DescribeParametersOutput struct {
	Parameters []Metadata
	NextToken  string `json:",omitempty"`
}

// DescribeParameters lists parameters without their values, with ssm:DescribeParameters, which has no resource.
func (s *Store) DescribeParameters(session iam.Session, in DescribeParametersInput) (DescribeParametersOutput, error) {
	if err := s.authority.Authorize(session, "ssm:DescribeParameters", "*"); err != nil {
		return DescribeParametersOutput{}, awserror.Denied(err)
	}
	if err := s.checkFilters(in.ParameterFilters); err != nil {
		return DescribeParametersOutput{}, err
	}
	var names []string
	for _, v := range s.current(s.names()) {
		if !slices.ContainsFunc(in.ParameterFilters, func(f Filter) bool { return !f.matches(v) }) {
			names = append(names, v.name)
		}
	}
	page, next, err := pageOf(names, in.MaxResults, 50, in.NextToken)
	if err != nil {
		return DescribeParametersOutput{}, err
	}
	out := DescribeParametersOutput{Parameters: []Metadata{}, NextToken: next}
	for _, v := range s.current(page) {
		p := s.describe(v, false)
		out.Parameters = append(out.Parameters, Metadata{Name: p.Name, ARN: p.ARN, Type: p.Type, KeyID: v.key, LastModifiedDate: p.LastModifiedDate,
			LastModifiedUser: v.modifiedBy, Description: v.description, Version: p.Version, Tier: v.tier, Policies: []string{}, DataType: p.DataType})
	}
	return out, nil
}

// options are those of each key that is served; the first one is the default.
var options = map[string][]string{
	"Name": {"Equals", "BeginsWith", "Contains"},
	"Type": {"Equals", "BeginsWith"},
	"Path": {"OneLevel", "Recursive"},
}

// checkFilters checks filters. Texts: getmoto/moto, moto/ssm/models.py, _validate_parameter_filters.
func (s *Store) checkFilters(filters []Filter) error {
	seen := map[string]bool{}
	for _, f := range filters {
		known, ok := options[f.Key]
		switch {
		case !ok:
			return awserror.New("InvalidFilterKey", "The following filter key is not valid: %s. A rehearsal knows Name, Path and Type.", f.Key)
		case seen[f.Key]:
			return awserror.New("InvalidFilterKey",
				"The following filter is duplicated in the request: %s. A request can contain only one occurrence of a specific filter.", f.Key)
		case len(f.Values) == 0:
			return awserror.New("InvalidFilterValue", "The following filter values are missing : null for filter key %s.", f.Key)
		case f.Option != "" && !slices.Contains(known, f.Option):
			return awserror.New("InvalidFilterOption", "The following filter option is not valid: %s. Valid options include: [%s].",
				f.Option, strings.Join(known, ", "))
		case len(f.Values) > 50:
			return awserror.Constraint(validation, fmt.Sprintf("[%s]", strings.Join(f.Values, ", ")), "parameterFilters.1.member.values",
				"Member must have length less than or equal to 50")
		}
		seen[f.Key] = true
		for _, value := range f.Values {
			if err := s.checkPath(value); f.Key == "Path" && err != nil {
				return err
			}
		}
	}
	return nil
}

// matches reports whether one of the filter's values matches. A name matches with and without the slash at its start.
func (f Filter) matches(v located) bool {
	return slices.ContainsFunc(f.Values, func(value string) bool {
		name := "/" + strings.TrimPrefix(v.name, "/")
		got, want := name, "/"+strings.TrimPrefix(value, "/")
		if f.Key == "Type" {
			got, want = v.kind, value
		}
		switch cmp.Or(f.Option, options[f.Key][0]) {
		case "Equals":
			return got == want
		case "BeginsWith":
			return strings.HasPrefix(got, want)
		case "Contains":
			return strings.Contains(got, value)
		case "Recursive":
			return below(value, v.name, true)
		}
		return below(value, v.name, false) // OneLevel
	})
}
