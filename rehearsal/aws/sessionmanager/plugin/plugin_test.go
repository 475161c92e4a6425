package plugin

import (
	"encoding/json"
	"io"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"cicd/rehearsal/aws/account"
	"cicd/rehearsal/aws/awstest"
	"cicd/rehearsal/aws/iam"
	"cicd/rehearsal/aws/sessionmanager"
)

// open starts a session with a command that runs without a terminal.
func open(t *testing.T, parameters map[string][]string) (service *sessionmanager.Service, caller iam.Session, started sessionmanager.StartSessionOutput) {
	t.Helper()
	acct, authority, role := awstest.Account(t, `{"Effect":"Allow","Action":"*","Resource":"*"}`)
	acct.Put(account.Resource{Type: account.Instance, URN: "i-1", ID: "i-1"})
	service = &sessionmanager.Service{Account: acct, Authority: authority, Host: func(string) (sessionmanager.Host, error) {
		return sessionmanager.Host{Role: role, Environment: []string{"PATH=/usr/bin:/bin", "WHERE=on the host"}, Folder: "/"}, nil
	}}
	server := httptest.NewServer(service)
	t.Cleanup(server.Close)
	service.URL, caller = server.URL, authority.Administrator("jane")
	started, err := service.StartSession(caller, sessionmanager.StartSessionInput{Target: "i-1", DocumentName: "AWS-StartNonInteractiveCommand", Parameters: parameters})
	if err != nil {
		t.Fatal(err)
	}
	return service, caller, started
}

// runs runs the plugin with an answer to StartSession, and returns a stream of what it prints. Its own input ends with input.
func runs(t *testing.T, answer string) (stdout *os.File, input io.Closer, code <-chan int) {
	t.Helper()
	var files [4]*os.File
	for i := 0; i < len(files); i += 2 {
		var err error
		if files[i], files[i+1], err = os.Pipe(); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(func() {
		for _, f := range files {
			f.Close()
		}
	})
	ended := make(chan int, 1)
	go func() {
		ended <- Main([]string{answer, "eu-central-1", "StartSession", "", `{"Target":"i-1"}`, "http://localhost"}, files[0], files[3], files[3])
		files[3].Close()
	}()
	return files[2], files[1], ended
}

// TestPlays: a command's output, and its exit code if the document says so, between what AWS's plugin prints.
func TestPlays(t *testing.T) {
	const command = `sh -c 'echo $WHERE; echo error >&2; exit 3'`
	for separate, want := range map[string]string{"true": "on the host\nerror\nEXIT_CODE: 3", "false": "on the host\nerror\n"} {
		_, _, started := open(t, map[string][]string{"command": {command}, "separateOutputStream": {separate}})
		answer, _ := json.Marshal(started)
		t.Setenv(responseVariable, string(answer))
		stdout, _, code := runs(t, responseVariable)
		got, err := io.ReadAll(stdout)
		want = "\nStarting session with SessionId: " + started.SessionID + "\n" + want + "\n\nExiting session with sessionId: " + started.SessionID + ".\n\n"
		if err != nil || string(got) != want || <-code != 0 {
			t.Errorf("it printed %q, %v, want %q and exit code 0", got, err, want)
		}
		if _, left := os.LookupEnv(responseVariable); left {
			t.Error("the token stays in the environment")
		}
	}
}

// TestEnds: a session that is terminated, or whose plugin has no more input, ends with its command.
func TestEnds(t *testing.T) {
	tests := []struct {
		name string
		end  func(*sessionmanager.Service, iam.Session, sessionmanager.StartSessionOutput, io.Closer) error
		want string // what it prints in the end
	}{
		{"terminated", func(s *sessionmanager.Service, caller iam.Session, started sessionmanager.StartSessionOutput, _ io.Closer) error {
			_, err := s.TerminateSession(caller, sessionmanager.TerminateSessionInput{SessionID: started.SessionID})
			return err
		}, "Exiting session with sessionId: "},
		{"end of input", func(_ *sessionmanager.Service, _ iam.Session, _ sessionmanager.StartSessionOutput, input io.Closer) error {
			return input.Close()
		},
			"Cannot perform start session: EOF\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			service, caller, started := open(t, map[string][]string{"command": {"sh -c 'echo begun; exec sleep 600'"}, "separateOutputStream": {"true"}})
			answer, _ := json.Marshal(started)
			stdout, input, _ := runs(t, string(answer))
			said := make([]byte, 0, 1000)
			for !strings.Contains(string(said), "begun\n") {
				n, err := stdout.Read(said[len(said):cap(said)])
				if said = said[:len(said)+n]; err != nil {
					t.Fatal(err)
				}
			}
			if err := tt.end(service, caller, started, input); err != nil {
				t.Fatal(err)
			}
			if rest, err := io.ReadAll(stdout); err != nil || !strings.Contains(string(rest), tt.want) || strings.Contains(string(rest), "EXIT_CODE") {
				t.Errorf("it printed %q, %v, want %q", rest, err, tt.want)
			}
		})
	}
}

// TestOpensOnce: a session's token opens it once, and no other token does.
func TestOpensOnce(t *testing.T) {
	_, _, started := open(t, map[string][]string{"command": {"true"}})
	wrong := started
	wrong.TokenValue = "wrong"
	for _, try := range []struct {
		started sessionmanager.StartSessionOutput
		want    string
	}{{wrong, "Cannot perform start session: 403 Forbidden\n"}, {started, "Exiting session"}, {started, "Cannot perform start session: 403 Forbidden\n"}} {
		answer, _ := json.Marshal(try.started)
		stdout, _, _ := runs(t, string(answer))
		if got, err := io.ReadAll(stdout); err != nil || !strings.Contains(string(got), try.want) {
			t.Errorf("it printed %q, %v, want %q", got, err, try.want)
		}
	}
}
