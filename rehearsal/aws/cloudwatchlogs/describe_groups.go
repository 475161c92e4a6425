package cloudwatchlogs

import (
	"slices"
	"strings"

	"cicd/rehearsal/aws/account"
	"cicd/rehearsal/aws/awserror"
	"cicd/rehearsal/aws/iam"
)

// DescribeLogGroupsInput asks for the groups whose names begin so.
type DescribeLogGroupsInput struct {
	LogGroupNamePrefix string `json:"logGroupNamePrefix"`
	NextToken          string `json:"nextToken"`
	// Limit is 1 to 50; nil for 50.
	Limit *int `json:"limit"`
}

// DescribeLogGroupsOutput is a page of groups.
type DescribeLogGroupsOutput struct {
	LogGroups []LogGroup `json:"logGroups"`
	NextToken string     `json:"nextToken,omitempty"`
}

// LogGroup is a group.
type LogGroup struct {
	LogGroupName string `json:"logGroupName"`
	Arn          string `json:"arn"`
}

// DescribeLogGroups lists the declared groups by name, with logs:DescribeLogGroups on all groups, as AWS's denials show.
func (s *Service) DescribeLogGroups(session iam.Session, in DescribeLogGroupsInput) (DescribeLogGroupsOutput, error) {
	if s.Away() {
		return DescribeLogGroupsOutput{}, ErrAway
	}
	if err := s.authority.Authorize(session, "logs:DescribeLogGroups", s.arn("", "")); err != nil {
		return DescribeLogGroupsOutput{}, awserror.Denied(err)
	}
	limit, err := limitOf(in.Limit, 50)
	if err != nil {
		return DescribeLogGroupsOutput{}, err
	}
	groups := []LogGroup{}
	for _, r := range s.account.ByType(account.LogGroup) {
		if name := r.String("name"); strings.HasPrefix(name, in.LogGroupNamePrefix) && name > in.NextToken { // the last of the page before
			groups = append(groups, LogGroup{name, s.account.ARN("logs", "log-group:"+name+":*")})
		}
	}
	slices.SortFunc(groups, func(a, b LogGroup) int { return strings.Compare(a.LogGroupName, b.LogGroupName) })
	if len(groups) <= limit {
		return DescribeLogGroupsOutput{LogGroups: groups}, nil
	}
	return DescribeLogGroupsOutput{groups[:limit], groups[limit-1].LogGroupName}, nil
}
