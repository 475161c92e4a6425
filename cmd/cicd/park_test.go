package main

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"cicd/internal/docker"
	"cicd/internal/edit"
	"cicd/internal/testproject"
	"cicd/operations"
	"cicd/rehearsal/aws/codepipeline"
	"cicd/rehearsal/world"
)

// parked is the night: the stack is parked, and a push waits for the morning.
func (d day) parked() {
	d.t.Helper()
	faults := d.faulty()
	out, _ := d.cicd(exitOK, "unpark")
	d.wants(out, "Stack dev is not parked, and serves at "+d.AppURL())
	_, stderr := d.cicd(exitUsage, "park")
	d.wants(stderr, "there is no terminal: add --yes")
	_, stderr = d.cicd(exitFailure, "park", "--yes", "--stack", "prod")
	d.wants(stderr, "PipelineNotFoundException")
	d.refusesToPark(faults)

	testproject.Apply(d.t, d.dir, edit.Replace("webapp/Dockerfile", `"/webapp", "nonsense"]`, `"/webapp"]`))
	_, evening := d.pushed("Good evening")
	d.awaitStage("Build", "InProgress")
	_, stderr = d.cicd(exitFailure, "park", "--yes")
	d.wants(stderr, "a release of ", " is running: nothing is changed")
	if status, err := evening.Wait(d.t.Context()); status != codepipeline.Succeeded {
		d.t.Fatalf("the evening's release ended %s: %v", status, err)
	}

	out, stderr = d.cicd(exitOK, "park", "--yes")
	d.wants(stderr, "Parking stack dev stops host i-", d.AppURL())
	d.wants(out, "Stack dev is parked. To go on: cicd unpark --stack dev")
	d.silent()
	out, _ = d.cicd(exitOK, "park", "--yes")
	d.wants(out, "Stack dev is already parked, since ")
	out, stderr = d.cicd(exitOK, "release")
	d.wants(stderr, "The stack is parked, and the release waits until:\ncicd unpark --stack dev")
	if out != "" {
		d.t.Errorf("a release that waits prints %q", out)
	}
	commit, night := d.pushed("Good night")
	d.awaitStage("Source", "Succeeded")
	out, stderr = d.cicd(exitOK, "status")
	d.wants(out, "Stack dev has been parked for ", "of "+commit[:7]+" Good night")
	d.wants(stderr, "cicd unpark --stack dev")
	out, _ = d.cicd(exitOK, "status", "--json")
	if parked := decoded[struct{ Parked *operations.Transition }](d.t, out).Parked; parked == nil || parked.Stage != "Build" || time.Since(parked.Since) > time.Hour ||
		!strings.HasSuffix(parked.Reason, "cicd unpark --stack dev goes on") || !strings.Contains(parked.By, "/operator") {
		d.t.Errorf("parked is %+v in\n%s", parked, out)
	}

	faults.Store(&map[string]string{"StartInstances": "InsufficientInstanceCapacity"})
	_, stderr = d.cicd(exitFailure, "unpark")
	d.wants(stderr, "InsufficientInstanceCapacity: ", "no room for this instance type", `Stack "dev" stays parked`)
	faults.Store(nil)
	d.silent()
	out, stderr = d.cicd(exitOK, "unpark")
	d.wants(stderr, "Starting host i-", "Waiting until "+d.AppURL()+" answers")
	d.wants(out, "Stack dev is back at "+d.AppURL())
	if response, err := d.Client().Get(d.AppURL()); err != nil || response.StatusCode != http.StatusOK {
		d.t.Errorf("unparked, the application does not answer: %v, %+v", err, response)
	}
	if status, err := night.Wait(d.t.Context()); status != codepipeline.Succeeded {
		d.t.Errorf("the push that waited ended %s: %v", status, err)
	}
	if err := d.Serves(d.t.Context(), commit); err != nil {
		d.t.Error(err)
	}
	out, _ = d.cicd(exitOK, "unpark", "--json")
	now := decoded[struct {
		Parked *operations.Transition
		Hosts  []operations.Host
		URL    string
	}](d.t, out)
	if now.Parked != nil || now.URL != d.AppURL() || len(now.Hosts) != 1 || now.Hosts[0].State != "running" {
		d.t.Errorf("in the end it is %s", out)
	}
}

// silent checks that the application does not answer, and that nothing runs on its host.
func (d day) silent() {
	d.t.Helper()
	if response, err := d.Client().Get(d.AppURL()); err == nil {
		response.Body.Close()
		d.t.Errorf("parked, the application answers %s", response.Status)
	}
	h, err := d.Host()
	if err != nil {
		d.t.Fatal(err)
	}
	if names, err := docker.Run(d.t.Context(), "ps", "--format", "{{.Names}}", "--filter", "name=^/"+h.App+"-"); err != nil || names != "" {
		d.t.Errorf("parked, it still runs %q: %v", names, err)
	}
}

// pushed pushes a change, and does not wait.
func (d day) pushed(message string) (commit string, e *codepipeline.Execution) {
	d.t.Helper()
	testproject.Apply(d.t, d.dir, edit.Write(world.Greeting, message+"\n"))
	commit = testproject.Commit(d.t, d.dir, message)
	e, err := d.Push(d.t.Context(), d.dir)
	if err != nil {
		d.t.Fatal(err)
	}
	return commit, e
}

// awaitStage waits until the last stage of the newest run has a status.
func (d day) awaitStage(name, status string) {
	d.t.Helper()
	for {
		out, _ := d.cicd(exitOK, "status", "--json")
		latest := decoded[struct{ Latest operations.Run }](d.t, out).Latest
		if n := len(latest.Stages); n > 0 && latest.Stages[n-1].Name == name && latest.Stages[n-1].Status == status {
			return
		}
		select {
		case <-d.t.Context().Done():
			d.t.Fatalf("the newest run does not get to %s %s", name, status)
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// refusesToPark has a person who changes their mind, and AWS say no, after which nothing is changed, or it says what is.
func (d day) refusesToPark(faults *atomic.Pointer[map[string]string]) {
	d.t.Helper()
	var out, errOut bytes.Buffer
	c := cli{program: always(good), check: anything, stdin: strings.NewReader("no\n"), interactive: true, stdout: &out, stderr: &errOut}
	if code := c.run(d.t.Context(), []string{"park"}); code != exitFailure {
		d.t.Errorf("park, and no: exit code %d, want %d", code, exitFailure)
	}
	d.wants(errOut.String(), "Type yes to park it: ", `stack "dev" is unchanged: you typed "no"`)

	park := func(now map[string]string, wants ...string) {
		d.t.Helper()
		faults.Store(&now)
		defer faults.Store(nil)
		_, stderr := d.cicd(exitFailure, "park", "--yes")
		d.wants(stderr, wants...)
	}
	park(map[string]string{"DescribeInstances": ""}, "no instance in eu-central-1 has the tag DeploymentTarget=cicd-dev", "cicd up")
	park(map[string]string{"DescribeInstances": "RequestLimitExceeded"}, "RequestLimitExceeded: ", "wait a minute")
	park(map[string]string{"DisableStageTransition": "AccessDeniedException"}, "transition into stage Build: AccessDeniedException: ", "allow that")
	park(map[string]string{"StopInstances": "UnauthorizedOperation"}, "UnauthorizedOperation: ", "allow that",
		"The stack is not parked: no host is stopped, and the transition into stage Build is enabled")
	status, _ := d.cicd(exitOK, "status", "--json")
	d.wants(status, `"parked": null`)

	half := map[string]string{"StopInstances": "UnauthorizedOperation", "EnableStageTransition": "AccessDeniedException"}
	park(half, "The transition into stage Build is disabled, and was not enabled again: ", "cicd unpark --stack dev")
	park(half, "`cicd park --stack dev` finishes that, `cicd unpark --stack dev` takes it back")
	now := map[string]string{"StartInstances": "InsufficientInstanceCapacity"}
	faults.Store(&now)
	d.cicd(exitOK, "unpark") // its host runs
	faults.Store(nil)
	status, _ = d.cicd(exitOK, "status", "--json")
	d.wants(status, `"parked": null`)
}

// faulty puts something in front of AWS that refuses the actions that it has an error for, see fails. Nil is none.
func (d day) faulty() *atomic.Pointer[map[string]string] {
	faults := &atomic.Pointer[map[string]string]{}
	d.between(func(w http.ResponseWriter, r *http.Request) bool {
		now := faults.Load()
		return now != nil && fails(w, r, *now)
	})
	return faults
}

// fails answers a request for an action with its error; EC2's DescribeInstances with no instance for "".
func fails(w http.ResponseWriter, r *http.Request, faults map[string]string) bool {
	_, action, isJSON := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	if !isJSON {
		var body bytes.Buffer
		if _, err := body.ReadFrom(r.Body); err != nil {
			return false
		}
		form, _ := url.ParseQuery(body.String())
		action, r.Body = form.Get("Action"), io.NopCloser(&body)
	}
	code, ok := faults[action]
	switch {
	case !ok:
		return false
	case code == "":
		fmt.Fprint(w, "<DescribeInstancesResponse><reservationSet/></DescribeInstancesResponse>")
	case isJSON:
		w.Header().Set("X-Amzn-Errortype", code)
		w.WriteHeader(http.StatusBadRequest)
		fmt.Fprint(w, `{"message": "no"}`)
	default:
		w.WriteHeader(http.StatusForbidden)
		fmt.Fprintf(w, "<Response><Errors><Error><Code>%s</Code><Message>no</Message></Error></Errors></Response>", code)
	}
	return true
}

func TestAsk(t *testing.T) {
	status := http.StatusOK
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Location", "http://127.0.0.1:1/nowhere")
		w.WriteHeader(status)
	}))
	defer server.Close()
	client := internet("")
	for code, want := range map[int]string{http.StatusOK: "", http.StatusFound: "", http.StatusNotFound: "", http.StatusBadGateway: "502 Bad Gateway"} {
		status = code
		if err := ask(t.Context(), client, server.URL); (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("status %d: %v, want %q", code, err, want)
		}
	}
	server.Close()
	if ask(t.Context(), client, server.URL) == nil {
		t.Error("nothing listens, and that is an answer")
	}
}

func TestInternet(t *testing.T) {
	for endpoint, reached := range map[string]bool{"": true, "https://vpce-1.ec2.eu-central-1.vpce.amazonaws.com": true, "http://127.0.0.1:4566": false, "http://[::1]:4566": false, "http://localhost:4566": false} {
		if (internet(endpoint) != nil) != reached {
			t.Errorf("with AWS at %q, the internet is reached: %t, want %t", endpoint, !reached, reached)
		}
	}
}
