package main

import (
	"os"
	"os/exec"
	"strings"
)

// exec runs commands in the container that serves, as a person and as CI do, and through the real AWS CLI.
func (d day) exec() {
	d.t.Helper()
	d.cicd(exitOK, "exec", "--", "/webapp", "healthcheck")
	out, stderr := d.cicd(2, "exec", "--", "/webapp", "it's", "$(nonsense)")
	if out != "usage: webapp [healthcheck]\n" || stderr != "" {
		d.t.Errorf("without a terminal it printed %q, and %q", out, stderr)
	}
	out, _ = d.cicd(125, "exec", "--process", "wrker", "--", "ls")
	d.wants(out, "No container of wrker runs on this host. These do: ", "-8080", "-edge")
	_, stderr = d.cicd(exitFailure, "exec", "--stack", "prod", "--", "ls")
	d.wants(stderr, `no running host of stack "prod"`)

	keyboard, tty := terminal(d.t)
	c := cli{program: always(good), check: anything, stdin: tty, interactive: true, stdout: tty, stderr: tty}
	ended := make(chan int, 1)
	go func() { ended <- c.run(d.t.Context(), []string{"exec", "--", "/webapp", "nonsense"}) }()
	screen := &screen{t: d.t, from: keyboard}
	screen.sees("usage: webapp [healthcheck]")
	screen.sees("Exiting session with sessionId: operator-0")
	if code := <-ended; code != exitOK {
		d.t.Errorf("at a terminal: exit code %d, want %d: Session Manager passes none on", code, exitOK)
	}
	d.awsSession()
}

// awsSession opens a session with the real AWS CLI, where there is one.
func (d day) awsSession() {
	d.t.Helper()
	path := d.InstalledAWS()
	if path == "" {
		return
	}
	host, err := exec.Command(path, strings.Fields("ssm describe-instance-information --query InstanceInformationList[].InstanceId --output text")...).Output()
	if err != nil {
		d.t.Fatal(err)
	}
	cmd := exec.Command(path, "ssm", "start-session", "--target", strings.TrimSpace(string(host)), "--document-name", "AWS-StartNonInteractiveCommand",
		"--parameters", `{"command":["sh -c 'echo session on $APP_NAME'"]}`)
	silence, open, err := os.Pipe() // the plugin needs input that does not end
	if err != nil {
		d.t.Fatal(err)
	}
	defer silence.Close()
	defer open.Close()
	cmd.Stdin = silence
	out, err := cmd.CombinedOutput()
	if err != nil {
		d.t.Errorf("aws ssm start-session: %v", err)
	}
	d.wants(string(out), "Starting session with SessionId: operator-0", "\nsession on rehearsal-", "Exiting session with sessionId: operator-0")
}
