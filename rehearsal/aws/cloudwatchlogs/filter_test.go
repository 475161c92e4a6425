package cloudwatchlogs

import (
	"slices"
	"testing"
	"time"

	"cicd/rehearsal/aws/awstest"
)

func TestFilterLogEvents(t *testing.T) {
	s, session, _ := newService(t, everything)
	start := time.Now().Add(-time.Hour)
	s.write(t, session, "web/1", start, "GET / 200", "[ERROR 500] GET /x", "GET / 200")
	s.write(t, session, "web/2", start.Add(1500*time.Millisecond), "GET /y 404", `{"level":"ERROR"}`)
	s.write(t, session, "worker/1", start.Add(-time.Second), "ERRORS none")
	filter := func(in FilterLogEventsInput) (found []string) {
		in.LogGroupName = group
		for {
			out, err := s.FilterLogEvents(session, in)
			if err != nil {
				t.Fatal(err)
			}
			for _, e := range out.Events {
				found = append(found, e.LogStreamName+" "+e.Message)
			}
			if in.NextToken = out.NextToken; in.NextToken == "" {
				return found
			}
		}
	}
	all := []string{"worker/1 ERRORS none", "web/1 GET / 200", "web/1 [ERROR 500] GET /x", "web/2 GET /y 404", "web/1 GET / 200", `web/2 {"level":"ERROR"}`}
	two, from, to := 2, start.UnixMilli(), start.Add(2*time.Second).UnixMilli()
	tests := []struct {
		in   FilterLogEventsInput
		want []string
	}{
		{FilterLogEventsInput{}, all},
		{FilterLogEventsInput{Limit: &two}, all},
		{FilterLogEventsInput{LogStreamNamePrefix: "web/"}, all[1:]},
		{FilterLogEventsInput{LogStreamNames: []string{"web/2", "worker/1"}}, []string{all[0], all[3], all[5]}},
		{FilterLogEventsInput{StartTime: &from, EndTime: &to}, all[1:4]},
		{FilterLogEventsInput{FilterPattern: "ERROR"}, []string{all[2], all[5]}},
		{FilterLogEventsInput{FilterPattern: "GET 200"}, []string{all[1], all[4]}},
		{FilterLogEventsInput{FilterPattern: "?500 ?404"}, []string{all[2], all[3]}},
		{FilterLogEventsInput{FilterPattern: "GET -200 -500"}, []string{all[3]}},
		{FilterLogEventsInput{FilterPattern: `"[ERROR 500] GET"`}, []string{all[2]}},
		{FilterLogEventsInput{FilterPattern: `"\"level\":"`}, []string{all[5]}},
		{FilterLogEventsInput{FilterPattern: "GET ?nowhere"}, all[1:5]},
	}
	for _, tt := range tests {
		if got := filter(tt.in); !slices.Equal(got, tt.want) {
			t.Errorf("%+v: got %q, want %q", tt.in, got, tt.want)
		}
	}
	for want, in := range map[string]FilterLogEventsInput{
		"InvalidParameterException: Invalid filter pattern: a rehearsal does not know": {FilterPattern: "{ $.level = \"ERROR\" }"},
		"InvalidParameterException: Invalid filter pattern: put a term with":           {FilterPattern: "a /x"},
		"InvalidParameterException: logStreamNames and logStreamNamePrefix":            {LogStreamNames: []string{"web/1"}, LogStreamNamePrefix: "web"},
		"InvalidParameterException: The specified nextToken is invalid.":               {NextToken: "x"},
		"ResourceNotFoundException: The specified log stream does not exist.":          {LogStreamNames: []string{"none"}},
		"InvalidParameterException: 1 validation error detected":                       {LogStreamNames: slices.Repeat([]string{"web/1"}, 101)},
	} {
		in.LogGroupName = group
		_, err := s.FilterLogEvents(session, in)
		awstest.WantError(t, err, want)
	}
}
