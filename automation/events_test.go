package automation

import (
	"bytes"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/auto/events"
	"github.com/pulumi/pulumi/sdk/v3/go/common/apitype"
)

const hostURN = "urn:pulumi:dev::cicd::cicd:index:Target$aws:ec2/instance:Instance::target-a-host-with-quite-a-long-name"

func TestProgressOfASlowResource(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		w := watch(&out)
		send := func(e apitype.EngineEvent) { w.events <- events.EngineEvent{EngineEvent: e} }
		step := apitype.StepEventMetadata{URN: hostURN, Type: "aws:ec2/instance:Instance", Op: apitype.OpCreate}
		send(apitype.EngineEvent{ResourcePreEvent: &apitype.ResourcePreEvent{Metadata: step}})
		time.Sleep(70 * time.Second)
		send(apitype.EngineEvent{ResOutputsEvent: &apitype.ResOutputsEvent{Metadata: step}})
		w.close()

		want := `  ...      aws:ec2:Instance                    target-a-host-with-quite…     30s
  ...      aws:ec2:Instance                    target-a-host-with-quite…     60s
  create   aws:ec2:Instance                    target-a-host-with-quite…   70.0s
`
		if out.String() != want {
			t.Errorf("progress:\n%swant:\n%s", out.String(), want)
		}
	})
}

func TestProgressOfMessages(t *testing.T) {
	var out bytes.Buffer
	w := watch(&out)
	for _, e := range []apitype.EngineEvent{
		{DiagnosticEvent: &apitype.DiagnosticEvent{Severity: "warning", URN: hostURN, Message: "<{%fg 3%}>deprecated<{%reset%}>\n"}},
		{DiagnosticEvent: &apitype.DiagnosticEvent{Severity: "info", Message: "hello\n"}},
		{DiagnosticEvent: &apitype.DiagnosticEvent{Severity: "info", Message: "passing", Ephemeral: true}},
		{DiagnosticEvent: &apitype.DiagnosticEvent{Severity: "error", Message: "kept for the end"}},
		{ProgressEvent: &apitype.ProgressEvent{ID: "aws", Message: "Downloading plugin aws"}},
		{ProgressEvent: &apitype.ProgressEvent{ID: "aws", Message: "Downloading plugin aws", Completed: 1}},
	} {
		w.events <- events.EngineEvent{EngineEvent: e}
	}
	w.close()
	want := `  warning: aws:ec2:Instance target-a-host-with-quite-a-long-name: deprecated
  hello
  Downloading plugin aws
`
	if out.String() != want {
		t.Errorf("progress:\n%swant:\n%s", out.String(), want)
	}
	if got := strings.Join(describe(w.problems), "\n"); got != "kept for the end" {
		t.Errorf("problems %q, want the error", got)
	}
}
