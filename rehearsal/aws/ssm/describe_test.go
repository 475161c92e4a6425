package ssm

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"cicd/rehearsal/aws/awstest"
)

func TestGetParametersByPath(t *testing.T) {
	s, session := newStore(t, allow("ssm:GetParametersByPath", "arn:aws:ssm:eu-central-1:123456789012:parameter/cicd/dev"))
	for n := range 12 {
		if err := s.Set(fmt.Sprintf("/cicd/dev/%02d", n), "x"); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"/cicd/dev/deeper/A", "/cicd/development/A", "/cicd/prod/A", "plain"} {
		if err := s.Set(name, "x"); err != nil {
			t.Fatal(err)
		}
	}
	pages := func(in GetParametersByPathInput) (all []string, count int) {
		for {
			out, err := s.GetParametersByPath(session, in)
			if err != nil {
				t.Fatal(err)
			}
			count++
			for _, p := range out.Parameters {
				all = append(all, p.Name)
			}
			if in.NextToken = out.NextToken; in.NextToken == "" {
				return all, count
			}
		}
	}
	if all, count := pages(GetParametersByPathInput{Path: "/cicd/dev"}); len(all) != 12 || count != 2 || all[11] != "/cicd/dev/11" {
		t.Errorf("%q on %d pages", all, count)
	}
	five := 5
	if all, count := pages(GetParametersByPathInput{Path: "/cicd/dev", Recursive: true, MaxResults: &five}); len(all) != 13 || count != 3 || all[12] != "/cicd/dev/deeper/A" {
		t.Errorf("%q on %d pages", all, count)
	}
	none, eleven := 0, 11
	for want, in := range map[string]GetParametersByPathInput{
		"AccessDeniedException: ":                                    {Path: "/cicd"},
		"ValidationException: The parameter doesn't meet":            {Path: "cicd"},
		"InvalidNextToken: ":                                         {Path: "/cicd/dev", NextToken: "x"},
		"ValidationException: 1 validation error detected: Value '0": {Path: "/cicd/dev", MaxResults: &none},
		"ValidationException: 1 validation error detected: Value '1": {Path: "/cicd/dev", MaxResults: &eleven},
	} {
		_, err := s.GetParametersByPath(session, in)
		awstest.WantError(t, err, want)
	}
}

func TestDescribeParameters(t *testing.T) {
	s, session := newStore(t, everything)
	s.must(t, session, PutParameterInput{Name: "/cicd/dev/A", Value: "canary", Type: typeSecure, Description: "what it is for"})
	s.must(t, session, PutParameterInput{Name: "/cicd/dev/b/C", Value: "x", Type: typeString})
	s.must(t, session, PutParameterInput{Name: "/cicd/developer", Value: "x", Type: typeStringList})
	s.must(t, session, PutParameterInput{Name: "plain", Value: "x", Type: typeString})
	tests := []struct {
		filters []Filter
		want    string
	}{
		{nil, "/cicd/dev/A /cicd/dev/b/C /cicd/developer plain"},
		{[]Filter{{Key: "Name", Values: []string{"/cicd/dev/A", "/plain"}}}, "/cicd/dev/A plain"},
		{[]Filter{{Key: "Name", Option: "BeginsWith", Values: []string{"/cicd/dev"}}}, "/cicd/dev/A /cicd/dev/b/C /cicd/developer"},
		{[]Filter{{Key: "Name", Option: "Contains", Values: []string{"dev/b"}}}, "/cicd/dev/b/C"},
		{[]Filter{{Key: "Path", Values: []string{"/cicd/dev"}}}, "/cicd/dev/A"},
		{[]Filter{{Key: "Path", Option: "Recursive", Values: []string{"/cicd/dev/"}}}, "/cicd/dev/A /cicd/dev/b/C"},
		{[]Filter{{Key: "Type", Values: []string{"SecureString"}}}, "/cicd/dev/A"},
		{[]Filter{{Key: "Type", Option: "BeginsWith", Values: []string{"String"}}, {Key: "Path", Option: "Recursive", Values: []string{"/"}}},
			"/cicd/dev/b/C /cicd/developer plain"},
	}
	for _, tt := range tests {
		out, err := s.DescribeParameters(session, DescribeParametersInput{ParameterFilters: tt.filters})
		var got []string
		for _, p := range out.Parameters {
			got = append(got, p.Name)
		}
		if err != nil || strings.Join(got, " ") != tt.want {
			t.Errorf("%+v: got %q, %v, want %s", tt.filters, got, err, tt.want)
		}
	}
	one := 1
	out, err := s.DescribeParameters(session, DescribeParametersInput{MaxResults: &one})
	if err != nil || len(out.Parameters) != 1 || out.NextToken == "" {
		t.Fatalf("got %+v, %v, want one of several", out, err)
	}
	first := out.Parameters[0]
	if first.ARN != ownARN+"A" || first.KeyID != "alias/aws/ssm" || first.Description != "what it is for" || first.LastModifiedUser != session.ARN() || first.Version != 1 {
		t.Errorf("got %+v", first)
	}
	if strings.Contains(fmt.Sprintf("%+v", out), "canary") {
		t.Error("the value is shown")
	}
	for want, filters := range map[string][]Filter{
		"InvalidFilterKey: The following filter key is not valid: Tier.":               {{Key: "Tier", Values: []string{"Standard"}}},
		"InvalidFilterKey: The following filter is duplicated in the request: Name.":   {{Key: "Name", Values: []string{"a"}}, {Key: "Name", Values: []string{"b"}}},
		"InvalidFilterValue: The following filter values are missing":                  {{Key: "Name"}},
		"InvalidFilterOption: The following filter option is not valid: Equals. Valid": {{Key: "Path", Option: "Equals", Values: []string{"/a"}}},
		"ValidationException: The parameter doesn't meet":                              {{Key: "Path", Values: []string{"a"}}},
		"ValidationException: 1 validation error detected":                             {{Key: "Name", Values: slices.Repeat([]string{"a"}, 51)}},
	} {
		_, err := s.DescribeParameters(session, DescribeParametersInput{ParameterFilters: filters})
		awstest.WantError(t, err, want)
	}
	s, session = newStore(t, allow("ssm:DescribeParameters", ownARN+"*"))
	_, err = s.DescribeParameters(session, DescribeParametersInput{})
	awstest.WantError(t, err, "AccessDeniedException: User: arn:aws:sts::123456789012:assumed-role/host/i-1 is not authorized to perform: ssm:DescribeParameters on resource: *")
}
