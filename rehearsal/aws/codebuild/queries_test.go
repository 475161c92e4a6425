package codebuild

import (
	"slices"
	"strings"
	"testing"

	"cicd/rehearsal/aws/account"
	"cicd/rehearsal/aws/awstest"
	"cicd/rehearsal/aws/cloudwatchlogs"
	"cicd/rehearsal/aws/iam"
)

// described is a fixture whose log group is declared.
func described(t *testing.T, buildspec string) *fixture {
	t.Helper()
	f := newFixture(t, buildspec)
	f.runner.Logs = cloudwatchlogs.New(f.runner.Account, f.runner.Authority)
	f.runner.Account.Put(account.Resource{Type: account.LogGroup, Name: "log", URN: "log", ID: "log", Properties: map[string]any{"name": "/aws/codebuild/demo"}})
	return f
}

// TestBatchGetBuilds: a build that fails, while it runs and afterwards.
func TestBatchGetBuilds(t *testing.T) {
	f := described(t, "version: 0.2\nphases: {build: {commands: [echo visible, exit 3]}}\n")
	person := f.runner.Authority.Administrator("jane")
	id := ""
	f.input.Started = func(started string) { id = started }
	fetch := f.input.Fetch
	running := BatchGetBuildsOutput{}
	f.input.Fetch = func(s iam.Session) (string, error) {
		var err error
		if running, err = f.runner.BatchGetBuilds(person, BatchGetBuildsInput{[]string{id}}); err != nil {
			t.Error(err)
		}
		return fetch(s)
	}
	if _, err := f.build(t, t.Context()); err == nil {
		t.Fatal("the build succeeded")
	}
	if b := running.Builds; len(b) != 1 || b[0].BuildStatus != "IN_PROGRESS" || b[0].CurrentPhase != "DOWNLOAD_SOURCE" || b[0].BuildComplete || b[0].EndTime != 0 {
		t.Errorf("while it ran: %+v", b)
	}
	got, err := f.runner.BatchGetBuilds(person, BatchGetBuildsInput{[]string{id, "demo:none"}})
	if err != nil || len(got.Builds) != 1 || !slices.Equal(got.BuildsNotFound, []string{"demo:none"}) {
		t.Fatalf("%+v, %v, want one of two", got, err)
	}
	b := got.Builds[0]
	if b.BuildStatus != "FAILED" || !b.BuildComplete || b.CurrentPhase != "COMPLETED" || b.EndTime < b.StartTime || b.Initiator != "codepipeline/demo" {
		t.Errorf("afterwards: %+v", b)
	}
	i := slices.IndexFunc(b.Phases, func(p phaseInfo) bool { return p.PhaseStatus == "FAILED" })
	if i < 0 || b.Phases[i].PhaseType != "BUILD" || len(b.Phases[i].Contexts) != 1 || b.Phases[i].Contexts[0].StatusCode != "COMMAND_EXECUTION_ERROR" {
		t.Errorf("phases %+v, want that BUILD failed", b.Phases)
	}
	log, err := f.runner.Logs.GetLogEvents(person, cloudwatchlogs.GetLogEventsInput{LogGroupName: b.Logs.GroupName, LogStreamName: b.Logs.StreamName})
	if err != nil || !slices.ContainsFunc(log.Events, func(e cloudwatchlogs.OutputLogEvent) bool { return e.Message == "visible" }) {
		t.Errorf("the log has %+v, %v, want what the build printed", log.Events, err)
	}
}

func TestBatchGetBuildsIsRefused(t *testing.T) {
	f := described(t, "version: 0.2\nphases: {build: {commands: [true]}}\n")
	b := f.mustBuild(t)
	session, err := f.runner.Authority.AssumeRole(testRole, "codebuild.amazonaws.com", "test", "")
	if err != nil {
		t.Fatal(err)
	}
	_, err = f.runner.BatchGetBuilds(session, BatchGetBuildsInput{[]string{b.ID}})
	awstest.WantError(t, err, "AccessDeniedException: ")
	_, err = f.runner.BatchGetBuilds(session, BatchGetBuildsInput{})
	awstest.WantError(t, err, "InvalidInputException: ")
}

// TestCloudLogLongLines: a batch has no more than PutLogEvents takes, whatever a build prints.
func TestCloudLogLongLines(t *testing.T) {
	f := described(t, "version: 0.2\nphases: {build: {commands: [\"for i in 1 2 3; do head -c 700000 /dev/zero | tr '\\\\0' x; echo; done\"]}}\n")
	b := f.mustBuild(t)
	_, stream, _ := strings.Cut(b.ID, ":")
	log, err := f.runner.Logs.GetLogEvents(f.runner.Authority.Administrator("jane"), cloudwatchlogs.GetLogEventsInput{LogGroupName: "/aws/codebuild/demo", LogStreamName: stream, StartFromHead: true})
	size := 0
	for _, e := range log.Events {
		size += len(e.Message)
	}
	if err != nil || size < 700_000 { // a page has a megabyte
		t.Errorf("%d bytes of the long lines have arrived (%v)", size, err)
	}
}

// TestCloudLogLines: lines arrive whole, however they are written, and the last one without its end.
func TestCloudLogLines(t *testing.T) {
	var got []string
	c := newCloudLog()
	for _, part := range []string{"on", "e\n\ntwo\nthr", "ee"} {
		if _, err := c.Write([]byte(part)); err != nil {
			t.Fatal(err)
		}
	}
	c.open(func(events []cloudwatchlogs.InputLogEvent) {
		for _, e := range events {
			got = append(got, e.Message)
		}
	})
	if err := c.Close(); err != nil || strings.Join(got, ",") != "one,two,three" {
		t.Errorf("lines %q, %v", got, err)
	}
}
