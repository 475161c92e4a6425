// Package tagging stands in for the AWS Resource Groups Tagging API: which resources of the account and region have tags.
//
// Sources are the service model (2017-01-26) and the API reference.
package tagging

import (
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws/arn"

	"cicd/rehearsal/aws/account"
	"cicd/rehearsal/aws/awserror"
	"cicd/rehearsal/aws/iam"
)

// shownFor is how long an instance is shown after its end (EC2 API reference, TerminateInstances: "approximately one
// hour"). Of other deleted resources it is not known for how long they are, and here they are not.
const shownFor = time.Hour

// Service lists the resources of an account.
type Service struct {
	Account   *account.Account
	Authority *iam.Authority
}

// Filter selects resources with a tag, whose value is one of the Values if there are any.
type Filter struct {
	Key    string
	Values []string
}

// GetResourcesInput asks for the resources that match every filter. What does not fit into a page is on the next one.
type GetResourcesInput struct {
	TagFilters      []Filter
	PaginationToken string
	// ResourcesPerPage is 1 to 100; nil for 100.
	ResourcesPerPage *int
}

// GetResourcesOutput is a page of resources.
type GetResourcesOutput struct {
	PaginationToken        string
	ResourceTagMappingList []Mapping
}

// Mapping is a resource with its tags.
type Mapping struct {
	ResourceARN string
	Tags        []Tag
}

// Tag is a tag.
type Tag struct{ Key, Value string }

// GetResources lists resources by their tags, with tag:GetResources, which has no resource (Service Authorization
// Reference, Amazon Resource Group Tagging API).
func (s *Service) GetResources(caller iam.Session, in GetResourcesInput) (GetResourcesOutput, error) {
	if err := s.Authority.Authorize(caller, "tag:GetResources", "*"); err != nil {
		return GetResourcesOutput{}, awserror.Denied(err)
	}
	size := 100
	if in.ResourcesPerPage != nil {
		size = *in.ResourcesPerPage
	}
	if size < 1 || size > 100 {
		return GetResourcesOutput{}, awserror.New("InvalidParameterException", "ResourcesPerPage must be between 1 and 100")
	}
	out := GetResourcesOutput{ResourceTagMappingList: []Mapping{}}
	for _, m := range s.tagged() {
		switch {
		case m.ResourceARN <= in.PaginationToken || slices.ContainsFunc(in.TagFilters, func(f Filter) bool { return !f.matches(m) }):
			continue
		case len(out.ResourceTagMappingList) == size:
			out.PaginationToken = out.ResourceTagMappingList[size-1].ResourceARN
			return out, nil
		}
		out.ResourceTagMappingList = append(out.ResourceTagMappingList, m)
	}
	return out, nil
}

// tagged returns the tagged resources of the region, sorted by ARN.
func (s *Service) tagged() []Mapping {
	gone := slices.DeleteFunc(s.Account.DeletedWithin(shownFor), func(r account.Resource) bool { return r.Type != account.Instance })
	var list []Mapping
	for _, r := range slices.Concat(s.Account.All(), gone) {
		has, _ := r.Properties["tagsAll"].(map[string]any) // with the provider's default tags
		parsed, err := arn.Parse(r.String("arn"))
		if err != nil || len(has) == 0 || parsed.Region != "" && parsed.Region != s.Account.Region() || parsed.Service == "iam" {
			continue
		}
		m := Mapping{ResourceARN: parsed.String()}
		for _, key := range slices.Sorted(maps.Keys(has)) {
			value, _ := has[key].(string)
			m.Tags = append(m.Tags, Tag{key, value})
		}
		list = append(list, m)
	}
	slices.SortFunc(list, func(a, b Mapping) int { return strings.Compare(a.ResourceARN, b.ResourceARN) })
	return list
}

func (f Filter) matches(m Mapping) bool {
	return slices.ContainsFunc(m.Tags, func(t Tag) bool { return t.Key == f.Key && (len(f.Values) == 0 || slices.Contains(f.Values, t.Value)) })
}
