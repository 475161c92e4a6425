package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"unicode/utf8"

	"cicd/internal/docker/dockertest"
	"cicd/internal/edit"
	"cicd/internal/testproject"
	"cicd/operations"
	"cicd/rehearsal/console"
	"cicd/rehearsal/rehearsaltest"
	"cicd/rehearsal/world"
)

// day is a rehearsed stack with a first release, and a person in a checkout.
type day struct {
	*world.World
	t   *testing.T
	dir string // a clone to push from
}

func newDay(t *testing.T) day {
	t.Helper()
	dockertest.Need(t)
	project := testproject.New(t)
	w, _ := rehearsaltest.Started(t, project)
	clone, err := w.Clone(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range w.Operator() {
		t.Setenv(name, value)
	}
	t.Setenv("PATH", w.OperatorPath()+string(os.PathListSeparator)+os.Getenv("PATH"))
	t.Chdir(project)
	return day{w, t, clone}
}

// push releases a change, and reports whether that succeeded.
func (d day) push(message string, edits ...edit.Edit) (commit string, ok bool) {
	d.t.Helper()
	testproject.Apply(d.t, d.dir, edits...)
	commit = testproject.Commit(d.t, d.dir, message)
	_, err := d.Release(d.t.Context(), d.dir, commit)
	return commit, err == nil
}

// cicd runs a command. What it prints is no wider than a terminal, but for errors, logs and JSON.
func (d day) cicd(wantCode int, args ...string) (stdout, stderr string) {
	d.t.Helper()
	var out, errOut bytes.Buffer
	c := cli{program: always(good), check: anything, stdin: strings.NewReader(""), internet: d.Client(), stdout: &out, stderr: &errOut}
	if code := c.run(d.t.Context(), args); code != wantCode {
		d.t.Errorf("cicd %s: exit code %d, want %d\n%s%s", strings.Join(args, " "), code, wantCode, &out, &errOut)
	}
	if slices.Contains(args, "--json") && wantCode == exitOK {
		wantAnswer(d.t, args, out.String())
	}
	if wantCode == exitOK && !slices.Contains(args, "--json") && args[0] != "why" && args[0] != "logs" && args[0] != "__complete" {
		for line := range strings.Lines(out.String() + errOut.String()) {
			if n := utf8.RuneCountInString(strings.TrimRight(line, "\n")); n > console.Width {
				d.t.Errorf("cicd %s: a line of %d characters: %s", args[0], n, line)
			}
		}
	}
	return out.String(), errOut.String()
}

// wants checks that a text has all parts.
func (d day) wants(text string, parts ...string) {
	d.t.Helper()
	for _, part := range parts {
		if !strings.Contains(text, part) {
			d.t.Errorf("%q is missing in:\n%s", part, text)
		}
	}
}

// TestDaily is a day with a stack: releases that serve, one that cannot be built, one that does not start, and the commands
// that tell of them, with AWS's clients over AWS's protocols.
func TestDaily(t *testing.T) {
	d := newDay(t)
	asked := d.compared()
	good, ok := d.push("Good morning", edit.Write(world.Greeting, "Good morning\n"))
	if !ok {
		t.Fatal("the good release failed")
	}
	status, _ := d.cicd(exitOK, "status")
	d.wants(status, "Stack dev serves "+good[:7]+" Good morning, for ", "Source      Succeeded", "Deploy      Succeeded")

	makefile, err := os.ReadFile(d.dir + "/webapp/Makefile")
	if err != nil {
		t.Fatal(err)
	}
	unbuilt, ok := d.push("Broken test", edit.Write("webapp/Makefile", "test:\n\t@echo 'TestSum: got 41, want 42'; exit 1\n"))
	if ok {
		t.Fatal("a commit whose tests fail was released")
	}
	why, _ := d.cicd(exitOK, "why")
	d.wants(why, unbuilt[:7]+" Broken test failed in stage Build.", "phase BUILD", "COMMAND_EXECUTION_ERROR", "| TestSum: got 41, want 42", "To do: A test failed")
	status, stderr := d.cicd(exitOK, "status")
	d.wants(status, "serves "+good[:7], "of "+unbuilt[:7]+" Broken test", "Build       Failed")
	d.wants(stderr, "cicd why --stack dev")

	dead, ok := d.push("Dead on arrival", edit.Write("webapp/Makefile", string(makefile)),
		edit.Replace("webapp/Dockerfile", `ENTRYPOINT ["/webapp"]`, `ENTRYPOINT ["/webapp", "nonsense"]`))
	if ok {
		t.Fatal("an application that does not start was released")
	}
	why, _ = d.cicd(exitOK, "why")
	d.wants(why, dead[:7]+" Dead on arrival failed in stage Deploy.", "ApplicationStart, hooks/start.sh", "ScriptFailed", "usage: webapp [healthcheck]", "To do: The application does not start", "went back to the release before")

	d.cicd(exitOK, "why", "--json")

	d.watched(good)
	d.releases(good, unbuilt, dead)
	d.releaseByHand(good, unbuilt)
	d.rollback(good, unbuilt)
	d.aws(good)
	d.parked()
	d.exec()
	d.approvals(good)
	d.doctor()
	d.newStack()

	out, _ := d.cicd(exitOK, "logs", "web", "--json")
	d.wants(out, `"stream":"web/`+good[:12], "listening")
	_, stderr = d.cicd(exitFailure, "why", "00000000-0000-0000-0000-000000000000")
	d.wants(stderr, "PipelineExecutionNotFoundException", "cicd releases")
	_, stderr = d.cicd(exitFailure, "status", "--stack", "prod")
	d.wants(stderr, "PipelineNotFoundException", "cicd up")
	d.receipt()
	for operation := range answersOfAWS {
		if asked(operation) == 0 {
			t.Errorf("%s was not asked, so its answer was compared with no model", operation)
		}
	}
}

// watched watches the status, while the network is lost and comes back.
func (d day) watched(serving string) {
	d.t.Helper()
	var lost atomic.Bool
	d.between(func(http.ResponseWriter, *http.Request) bool {
		if lost.Load() {
			panic(http.ErrAbortHandler) // ends the connection
		}
		return false
	})
	ctx, stop := context.WithCancel(d.t.Context())
	defer stop()
	read, write := io.Pipe()
	ended := make(chan int, 1)
	go func() {
		ended <- cli{program: always(good), check: anything, stdout: write, stderr: write}.run(ctx, []string{"status", "--watch"})
		write.Close()
	}()
	lines := bufio.NewScanner(read)
	sees := func(text string) {
		d.t.Helper()
		for lines.Scan() {
			if strings.Contains(lines.Text(), text) {
				return
			}
		}
		d.t.Errorf("watching the status ended without %q", text)
	}
	sees("Stack dev serves " + serving[:7])
	lost.Store(true)
	sees("Trying again ...")
	lost.Store(false)
	sees("Stack dev serves " + serving[:7])
	stop()
	go io.Copy(io.Discard, read)
	if code := <-ended; code != exitInterrupted {
		d.t.Errorf("exit code %d, want %d", code, exitInterrupted)
	}
}

// releases checks the list: that of commits from the oldest to the newest, all of them pushed.
func (d day) releases(good, unbuilt, dead string) {
	d.t.Helper()
	list, _ := d.cicd(exitOK, "releases", "--limit", "3")
	lines := strings.Split(list, "\n")
	for i, want := range []string{dead[:7] + "  Failed ", unbuilt[:7] + "  Failed ", good[:7] + "  Succeeded "} {
		d.wants(lines[i+1], want)
	}
	d.wants(list, "1 deployed in ", "66% of 3 failed")
	for _, command := range []string{"release", "rollback"} {
		offered, _ := d.cicd(exitOK, "__complete", command, "")
		if all := command == "release"; strings.Contains(offered, dead[:7]) != all || !strings.Contains(offered, good[:7]) || !strings.Contains(offered, "\tGood morning\n") {
			d.t.Errorf("cicd %s offers %q, want the commits that were deployed, and the others: %v", command, offered, all)
		}
	}
	raw, _ := d.cicd(exitOK, "releases", "--json")
	var all struct {
		Releases []operations.Run
		Metrics  operations.Metrics
	}
	if err := json.Unmarshal([]byte(raw), &all); err != nil || len(all.Releases) < 4 || all.Releases[2].Commit != good || len(all.Releases[2].Stages) != 3 {
		d.t.Errorf("releases as JSON: %v\n%s", err, raw)
	}
}

// releaseByHand releases a commit again, without a build, and one that still fails.
func (d day) releaseByHand(good, unbuilt string) {
	d.t.Helper()
	out, stderr := d.cicd(exitOK, "release", good)
	d.wants(out, "Stack dev serves "+good[:7]+" Good morning.")
	d.wants(stderr, "has begun.", "Build       Succeeded", "Deploy      Succeeded")
	if err := d.Serves(d.t.Context(), good); err != nil {
		d.t.Error(err)
	}
	out, stderr = d.cicd(exitFailure, "release", unbuilt)
	d.wants(out, "failed in stage Build", "TestSum: got 41, want 42")
	d.wants(stderr, "the release of "+unbuilt[:7]+" failed in stage Build")
	_, stderr = d.cicd(exitUsage, "release", good[:7])
	d.wants(stderr, "40 hexadecimal digits", "git rev-parse "+good[:7])
}

// rollback goes back to the first release, and then to the good one again.
func (d day) rollback(good, unbuilt string) {
	d.t.Helper()
	_, stderr := d.cicd(exitUsage, "rollback")
	d.wants(stderr, "there is no terminal: add --yes")
	_, stderr = d.cicd(exitUsage, "rollback", "", "--yes")
	d.wants(stderr, "too short for a commit")
	_, stderr = d.cicd(exitFailure, "rollback", unbuilt[:7], "--yes")
	d.wants(stderr, "no commit "+unbuilt[:7]+" other than the one that serves was deployed", "nothing is changed")
	out, stderr := d.cicd(exitOK, "rollback", "--yes")
	d.wants(stderr, "serves "+good[:7]+" Good morning.", "It goes back to ", "is not undone", "Build       Succeeded")
	if strings.Contains(out, good[:7]) || strings.Contains(stderr, "no image of that commit") {
		d.t.Errorf("it went back to what it came from, or looked for another image:\n%s%s", out, stderr)
	}
	out, _ = d.cicd(exitOK, "rollback", good[:7], "--yes")
	d.wants(out, "Stack dev serves "+good[:7]+" Good morning.")
	if err := d.Serves(d.t.Context(), good); err != nil {
		d.t.Error(err)
	}
}

// aws checks that the real AWS CLI understands the same, where there is one.
func (d day) aws(good string) {
	d.t.Helper()
	path := d.InstalledAWS()
	if path == "" {
		return
	}
	for command, want := range map[string]string{
		"codepipeline get-pipeline-state --name cicd-dev --query stageStates[0].actionStates[0].actionName --output text":                                            "Source",
		"codepipeline list-pipeline-executions --pipeline-name cicd-dev --query pipelineExecutionSummaries[-2].sourceRevisions[0].revisionId --output text":          "",
		"deploy list-deployments --application-name cicd-dev --deployment-group-name hosts --include-only-statuses Failed --query length(deployments) --output text": "1",
		"logs filter-log-events --log-group-name /cicd/dev --log-stream-name-prefix web/" + good[:12] + " --query events[0].message --output text":                   "listening",
		"ec2 describe-instances --filters Name=tag:DeploymentTarget,Values=cicd-dev --query Reservations[].Instances[].State.Name --output text":                     "running",
		"ec2 describe-addresses --query length(Addresses) --output text":                                                                                             "1",
		"ecr describe-images --repository-name cicd-dev --query imageDetails[].imageTags[] --output text":                                                            good,
		"logs describe-log-groups --log-group-name-prefix /cicd/dev --query logGroups[].logGroupName --output text":                                                  "/cicd/dev",
		"service-quotas get-aws-default-service-quota --service-code ec2 --quota-code L-1216C47A --query Quota.QuotaName --output text":                              "Running On-Demand Standard",
		"ssm describe-instance-information --query InstanceInformationList[].PingStatus --output text":                                                               "Online",
		"sts get-caller-identity --query Arn --output text":                                                                                                          "/operator",
		"codepipeline list-action-executions --pipeline-name cicd-dev --max-items 1 --query actionExecutionDetails[0].status --output text":                          "Succeeded",
	} {
		cmd := exec.Command(path, strings.Fields(command)...)
		out, err := cmd.CombinedOutput()
		if err != nil || !strings.Contains(string(out), want) {
			d.t.Errorf("aws %s: %v, want %q:\n%s", command, err, want, out)
		}
	}
}

// doctor looks at the rehearsed stack, whose repository Git takes for GitHub's.
func (d day) doctor() {
	d.t.Helper()
	for name, value := range map[string]string{"PULUMI_BACKEND_URL": "file://" + d.t.TempDir(), "PULUMI_HOME": d.t.TempDir(), "PULUMI_CONFIG_PASSPHRASE": "test",
		"GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "url." + d.Repository().Dir + ".insteadOf", "GIT_CONFIG_VALUE_0": "https://github.com/example/webapp.git"} {
		d.t.Setenv(name, value)
	}
	out, _ := d.cicd(exitOK, "doctor")
	for _, check := range []string{"values", "bundle", "branch", "credentials", "account", "connection", "secrets", "instance type", "quota: vCPUs", "quota: addresses"} {
		d.wants(out, "  ok        "+check+"\n")
	}
	d.wants(out, "  warning   quota: builds (F15): the account may run one build on Linux/Small at", "Stack dev: 1 warning, of 18 checks.")
	secret := os.Getenv("AWS_SECRET_ACCESS_KEY")
	d.t.Setenv("AWS_SECRET_ACCESS_KEY", "wrong")
	out, _ = d.cicd(exitFailure, "doctor")
	d.wants(out, "  error     credentials: AWS credentials: SignatureDoesNotMatch: ", "  unchecked secrets (F61): could not check: AWS does not answer these", "  ok        branch\n")
	d.t.Setenv("AWS_SECRET_ACCESS_KEY", secret)
}
