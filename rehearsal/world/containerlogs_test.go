package world

import (
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"cicd/rehearsal/aws/account"
	"cicd/rehearsal/aws/cloudwatchlogs"
	"cicd/rehearsal/aws/iam"
)

// TestContainerLogs: what containers print arrives in their streams, in order and without empty lines. What is lost is told
// once per stream, and nobody waits for it.
func TestContainerLogs(t *testing.T) {
	acct := account.New(accountID)
	acct.SetRegion("eu-central-1")
	acct.Put(account.Resource{Type: account.LogGroup, URN: "g", ID: "/cicd/dev", Properties: map[string]any{"name": "/cicd/dev"}})
	authority := iam.NewAuthority(acct)
	host := authority.Administrator("host")
	service := cloudwatchlogs.New(acct, authority)
	if err := service.CreateLogStream(host, cloudwatchlogs.CreateLogStreamInput{LogGroupName: "/cicd/dev", LogStreamName: "web/1"}); err != nil {
		t.Fatal(err)
	}
	lost := make(chan string, 10)
	c := &containerLogs{service: service, session: func() (iam.Session, error) { return host, nil },
		lost: func(stream string, err error) { lost <- stream + ": " + err.Error() }}
	if err := c.receive(); err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	var sent strings.Builder
	for i, line := range []string{"first", "", "third"} {
		sent.WriteString(message(line, "/cicd/dev web/1", now.Add(time.Duration(i)*time.Millisecond)))
	}
	for i := range 2 * maxBatch {
		sent.WriteString(message(fmt.Sprint(i), "/cicd/dev worker/1", now))
	}
	conn, err := net.Dial("tcp", c.listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprint(conn, sent.String())
	conn.Close()
	in := cloudwatchlogs.GetLogEventsInput{LogGroupName: "/cicd/dev", LogStreamName: "web/1", StartFromHead: true}
	got, err := service.GetLogEvents(host, in)
	for deadline := time.Now().Add(10 * time.Second); (len(got.Events) < 2 || len(lost) == 0) && time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		got, err = service.GetLogEvents(host, in)
	}
	if err := c.close(); err != nil {
		t.Error(err)
	}
	if err != nil || len(got.Events) != 2 || got.Events[0].Message != "first" || got.Events[1].Message != "third" || got.Events[1].Timestamp != now.UnixMilli()+2 {
		t.Errorf("events %+v, %v; want first and third, 2 ms later", got.Events, err)
	}
	var told []string
	for len(lost) > 0 {
		told = append(told, <-lost)
	}
	if len(told) != 1 || !strings.HasPrefix(told[0], "worker/1: ") || !strings.Contains(told[0], "ResourceNotFoundException") {
		t.Errorf("told %q, want once that the stream worker/1 does not exist", told)
	}
}

// message is a line as Docker's driver gelf sends it.
func message(line, tag string, at time.Time) string {
	return fmt.Sprintf(`{"version":"1.1","short_message":%q,"timestamp":%d.%03d,"_tag":%q}`+"\x00", line, at.Unix(), at.UnixMilli()%1000, tag)
}
