package codedeploy

import (
	"cmp"
	"slices"

	"cicd/rehearsal/aws/account"
)

// tagSet is one group of filters: an instance is in it if any filter matches.
type tagSet struct {
	Filters []tagFilter `json:"ec2TagFilters"`
}

// tagFilter matches tags by key, value or both (EC2TagFilter in the API reference).
type tagFilter struct {
	Key   string `json:"key"`
	Value string `json:"value"`
	Type  string `json:"type"`
}

func (f tagFilter) matches(tags map[string]string) bool {
	switch f.Type {
	case "KEY_ONLY":
		_, ok := tags[f.Key]
		return ok
	case "VALUE_ONLY":
		for _, value := range tags {
			if value == f.Value {
				return true
			}
		}
		return false
	}
	value, ok := tags[f.Key]
	return ok && value == f.Value
}

func anyMatches(filters []tagFilter, tags map[string]string) bool {
	return slices.ContainsFunc(filters, func(f tagFilter) bool { return f.matches(tags) })
}

// includes reports whether the group has an instance with these tags: any of its ec2TagFilters, or all of its
// ec2TagSets, match (CodeDeploy user guide, "Tagging instances for deployment groups"). A group without either has no
// instances.
func (g group) includes(tags map[string]string) bool {
	if len(g.TagSets) == 0 {
		return anyMatches(g.TagFilters, tags)
	}
	return !slices.ContainsFunc(g.TagSets, func(set tagSet) bool { return !anyMatches(set.Filters, tags) })
}

// instances returns the ids of the declared instances in the group, in order of creation.
func (s *Service) instances(g group) ([]string, error) {
	var ids []string
	for _, r := range s.config.Account.ByType(account.Instance) {
		declared, err := account.Decode[struct {
			State   string            `json:"instanceState"`
			Tags    map[string]string `json:"tags"`
			TagsAll map[string]string `json:"tagsAll"` // including the provider's default tags
		}](r)
		if err != nil {
			return nil, err
		}
		tags := declared.TagsAll
		if len(tags) == 0 {
			tags = declared.Tags
		}
		if cmp.Or(declared.State, "running") == "running" && g.includes(tags) {
			ids = append(ids, r.ID)
		}
	}
	return ids, nil
}
