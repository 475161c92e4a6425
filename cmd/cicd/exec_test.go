package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/term"

	"cicd/rehearsal/aws/account"
	"cicd/rehearsal/aws/api"
	"cicd/rehearsal/aws/iam"
	"cicd/rehearsal/aws/sessionmanager"
	"cicd/rehearsal/aws/sessionmanager/plugin"
)

// hostDocker is the docker command of a host on which a release serves: what it executes in a container, it executes.
const hostDocker = `#!/bin/sh
case "$*" in
  ps*com.cicd.app=webapp*) echo serving ;;
  ps*Names*) echo webapp-8080 ;;
  'exec -it serving '*) shift 3; exec "$@" ;;
  'exec serving '*) shift 2; exec "$@" ;;
esac
`

// hostProject is a project whose stack dev has a host in an account of its own, and a person's environment with AWS's
// plugin. The host's role has the actions.
func hostProject(t *testing.T) *sessionmanager.Service {
	t.Helper()
	secretProject(t)
	acct := account.New("123456789012")
	acct.SetRegion("eu-central-1")
	put := func(token, id string, properties map[string]any) {
		acct.Put(account.Resource{Type: token, Name: id, URN: token + id, ID: id, Properties: properties})
	}
	put(account.Instance, "i-1", map[string]any{"tags": map[string]any{"DeploymentTarget": "cicd-dev"}})
	const role = "arn:aws:iam::123456789012:role/host"
	put(account.Role, "host", map[string]any{"name": "host", "arn": role, "assumeRolePolicy": `{"Version":"2012-10-17","Statement":
		{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"}}`})
	put(account.RolePolicy, "host", map[string]any{"role": "host", "policy": `{"Version":"2012-10-17","Statement":
		{"Effect":"Allow","Action":["ssm:UpdateInstanceInformation","ssmmessages:*"],"Resource":"*"}}`})
	authority := iam.NewAuthority(acct)
	session, err := authority.AssumeRole(role, "ec2.amazonaws.com", "i-1", "")
	if err != nil {
		t.Fatal(err)
	}
	host := scripts(t, map[string]string{"docker": hostDocker, "sudo": "#!/bin/sh\nexec \"$@\"\n"})
	service := &sessionmanager.Service{Account: acct, Authority: authority, Host: func(string) (sessionmanager.Host, error) {
		return sessionmanager.Host{Role: session, Environment: []string{"PATH=" + host + ":" + os.Getenv("PATH")}, Folder: host}, nil
	}}
	channels := httptest.NewServer(service)
	t.Cleanup(channels.Close)
	service.URL = channels.URL
	served := httptest.NewServer(api.New(api.Config{Account: acct, Sessions: authority.SessionFor, Hosts: service}))
	t.Cleanup(served.Close)
	t.Setenv("AWS_ENDPOINT_URL", served.URL)
	become(t, authority.Administrator("jane"))
	withPlugin(t)
	return service
}

// become makes the session that of the commands.
func become(t *testing.T, s iam.Session) {
	t.Helper()
	t.Setenv("AWS_ACCESS_KEY_ID", s.Credentials.AccessKeyID)
	t.Setenv("AWS_SECRET_ACCESS_KEY", s.Credentials.SecretAccessKey)
	t.Setenv("AWS_SESSION_TOKEN", s.Credentials.SessionToken)
}

// withPlugin puts this test binary on PATH as AWS's plugin, see TestMain.
func withPlugin(t *testing.T) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	bin := t.TempDir()
	if err := os.Symlink(self, filepath.Join(bin, plugin.Name)); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", bin+":"+os.Getenv("PATH"))
}

// scripts makes a folder with commands.
func scripts(t *testing.T, commands map[string]string) (dir string) {
	t.Helper()
	dir = t.TempDir()
	for name, text := range commands {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// runs runs a command line without a terminal.
func runs(ctx context.Context, stdout io.Writer, args ...string) (code int, stderr string) {
	var errOut bytes.Buffer
	c := cli{program: always(good), check: anything, stdin: strings.NewReader("unread"), stdout: stdout, stderr: &errOut}
	return c.run(ctx, args), errOut.String()
}

// TestExecWithoutTerminal: what the command prints is printed, and nothing else, and its exit code is the program's.
func TestExecWithoutTerminal(t *testing.T) {
	hostProject(t)
	tests := []struct {
		name, script string
		stdout       string
		code         int
	}{
		{"success", "echo one; echo two", "one\ntwo\n", 0},
		{"failure", "echo one; exit 3", "one\n", 3},
		{"errors", "echo one >&2; exit 1", "one\n", 1},
		{"no newline at the end", "printf one; exit 1", "one", 1},
		{"nothing", "exit 130", "", 130},
		{"no input", "cat; echo end", "end\n", 0},
		{"what looks like the end", `printf 'EXIT_CODE: 5\n\nExiting session'; exit 4`, "EXIT_CODE: 5\n\nExiting session", 4},
		{"killed", "kill -9 $$", "", -1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var stdout bytes.Buffer
			code, stderr := runs(t.Context(), &stdout, "exec", "--", "sh", "-c", tt.script)
			if code != tt.code || stdout.String() != tt.stdout || stderr != "" {
				t.Errorf("exit code %d, %q, want %d, %q\n%s", code, &stdout, tt.code, tt.stdout, stderr)
			}
		})
	}
}

// TestExecAtTerminal: a shell has the terminal, and leaves it as it was.
func TestExecAtTerminal(t *testing.T) {
	hostProject(t)
	keyboard, tty := terminal(t)
	before, err := term.GetState(int(tty.Fd()))
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan int, 1)
	go func() {
		ended <- cli{program: always(good), check: anything, stdin: tty, interactive: true, stdout: tty, stderr: tty}.run(t.Context(), []string{"exec"})
	}()
	screen := &screen{t: t, from: keyboard}
	screen.sees("Starting session with SessionId: jane-0")
	fmt.Fprint(keyboard, "echo $((40+2)) in $0\r")
	screen.sees("42 in sh")
	fmt.Fprint(keyboard, "test -t 0 && test -t 1 && test -t 2 && echo all three are ter''minals; exit 3\r")
	screen.sees("all three are terminals")
	screen.sees("Exiting session with sessionId: jane-0")
	if code := <-ended; code != exitOK { // Session Manager passes none on
		t.Errorf("exit code %d, want %d", code, exitOK)
	}
	if after, err := term.GetState(int(tty.Fd())); err != nil || fmt.Sprint(after) != fmt.Sprint(before) {
		t.Errorf("the terminal is %v, %v, want %v as before", after, err, before)
	}
}

// TestExecSignals: Ctrl-C belongs to the command. What asks cicd itself to end, ends the session.
func TestExecSignals(t *testing.T) {
	tests := []struct {
		name   string
		signal func(keyboard io.Writer, cicd *os.Process) error
		code   int
		want   []string // on the screen
	}{
		{"Ctrl-C", func(keyboard io.Writer, _ *os.Process) error { _, err := keyboard.Write([]byte{3}); return err }, exitOK, []string{"caught", "Exiting session"}},
		{`Ctrl-\`, func(keyboard io.Writer, _ *os.Process) error { _, err := keyboard.Write([]byte{28}); return err }, exitOK, []string{"caught", "Exiting session"}},
		{"SIGTERM", func(_ io.Writer, cicd *os.Process) error { return cicd.Signal(syscall.SIGTERM) }, exitFailure, []string{"cicd: the session was ended: terminated"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			hostProject(t)
			keyboard, tty := terminal(t)
			cmd := exec.Command(os.Args[0], "exec", "--", "sh", "-c", `trap "echo cau""ght; exit" INT QUIT; echo "ready $$."; while :; do sleep 0.05; done`)
			cmd.Env = append(os.Environ(), beCICD+"=1", "TERM=dumb") // of others, bubbletea asks the color, and waits for an answer
			cmd.Stdin, cmd.Stdout, cmd.Stderr = tty, tty, tty
			cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			screen := &screen{t: t, from: keyboard}
			screen.sees(".\r\n")
			pid := 0
			if _, err := fmt.Sscanf(screen.text[strings.Index(screen.text, "ready"):], "ready %d.", &pid); err != nil {
				t.Fatal(err)
			}
			if err := tt.signal(keyboard, cmd.Process); err != nil {
				t.Fatal(err)
			}
			for _, want := range tt.want {
				screen.sees(want)
			}
			if cmd.Wait(); cmd.ProcessState.ExitCode() != tt.code {
				t.Errorf("exit code %d, want %d", cmd.ProcessState.ExitCode(), tt.code)
			}
			if err := syscall.Kill(pid, 0); !errors.Is(err, syscall.ESRCH) {
				t.Errorf("the command goes on: %v", err)
			}
		})
	}
}

// screen is what a terminal shows.
type screen struct {
	t    *testing.T
	from io.Reader
	text string
}

// sees waits for a text.
func (s *screen) sees(want string) {
	s.t.Helper()
	part := make([]byte, 4096)
	for !strings.Contains(s.text, want) {
		n, err := s.from.Read(part)
		if s.text += string(part[:n]); err != nil {
			s.t.Fatalf("%q is missing (%v) in:\n%s", want, err, s.text)
		}
	}
}

// TestExecInterrupted: nothing goes on at the other end.
func TestExecInterrupted(t *testing.T) {
	service := hostProject(t)
	ctx, interrupt := context.WithCancel(t.Context())
	read, write := io.Pipe()
	type end struct {
		code   int
		stderr string
	}
	ended := make(chan end, 1)
	go func() {
		code, stderr := runs(ctx, write, "exec", "--", "sh", "-c", "echo begun $$ && exec sleep 600")
		write.Close()
		ended <- end{code, stderr}
	}()
	pid := 0
	if _, err := fmt.Fscanf(read, "begun %d\n", &pid); err != nil {
		t.Fatal(err)
	}
	go io.Copy(io.Discard, read)
	interrupt()
	if got := <-ended; got.code != exitInterrupted || got.stderr != "cicd: the command was interrupted: context canceled\n" {
		t.Errorf("exit code %d, %q, want %d", got.code, got.stderr, exitInterrupted)
	}
	if err := syscall.Kill(pid, 0); !errors.Is(err, syscall.ESRCH) {
		t.Errorf("the command goes on: %v", err)
	}
	if !slices.ContainsFunc(service.Authority.Uses(), func(u iam.Use) bool { return u.Action == "ssm:TerminateSession" }) {
		t.Error("the session was not terminated")
	}
}

// TestExecRefusals: what is wrong, and what to do, before anything runs.
func TestExecRefusals(t *testing.T) {
	tests := []struct {
		name, args string
		prepare    func(*testing.T, *sessionmanager.Service)
		code       int
		stderr     []string
	}{
		{name: "no --", args: "exec ls", code: exitUsage, stderr: []string{"put -- before the command"}},
		{name: "a shell without a terminal", args: "exec", code: exitUsage, stderr: []string{"a shell needs a terminal"}},
		{name: "no plugin", args: "exec -- ls", code: exitFailure, stderr: []string{"session-manager-plugin is not on PATH", "install", "https://docs.aws.amazon.com/"},
			prepare: func(t *testing.T, _ *sessionmanager.Service) { t.Setenv("PATH", t.TempDir()) }},
		{name: "an old plugin", args: "exec -- ls", code: exitFailure, stderr: []string{`is version "1.2.497.0"`, "1.2.536.0 or newer", "update"},
			prepare: func(t *testing.T, _ *sessionmanager.Service) {
				t.Setenv("PATH", scripts(t, map[string]string{plugin.Name: "#!/bin/sh\necho 1.2.497.0\n"}))
			}},
		{name: "a plugin that says nothing of an exit code", args: "exec -- ls", code: exitFailure, stderr: []string{"without the command's exit code"},
			prepare: func(t *testing.T, _ *sessionmanager.Service) {
				t.Setenv("PATH", scripts(t, map[string]string{plugin.Name: "#!/bin/sh\n[ \"$1\" != --version ] || echo 1.2.650.0\n"}))
			}},
		{name: "no host", args: "exec --stack prod -- ls", code: exitFailure, stderr: []string{`no running host of stack "prod"`, "cicd up"}},
		{name: "no permission", args: "exec -- ls", code: exitFailure, stderr: []string{"AccessDeniedException", "ssm:DescribeInstanceInformation", "AWS_PROFILE"},
			prepare: func(t *testing.T, s *sessionmanager.Service) {
				host, err := s.Host("i-1")
				if err != nil {
					t.Fatal(err)
				}
				become(t, host.Role)
			}},
		{name: "unknown process", args: "exec --process wrker -- ls", code: 125},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			service := hostProject(t)
			if tt.prepare != nil {
				tt.prepare(t, service)
			}
			var stdout bytes.Buffer
			code, stderr := runs(t.Context(), &stdout, strings.Fields(tt.args)...)
			if code != tt.code {
				t.Errorf("exit code %d, want %d\n%s%s", code, tt.code, &stdout, stderr)
			}
			for _, want := range tt.stderr {
				if !strings.Contains(stderr, want) {
					t.Errorf("%q is missing in %q", want, stderr)
				}
			}
			if tt.code == 125 && !strings.Contains(stdout.String(), "No container of wrker runs on this host. These do: webapp-8080\n") {
				t.Errorf("it printed %q", &stdout)
			}
		})
	}
}

// TestSaidInPieces: however the plugin's output is cut, nothing of it is lost or held back for long.
func TestSaidInPieces(t *testing.T) {
	const whole = "\nStarting session with SessionId: jane-0\none\nEXIT_CODE: none\nEXIT_CODE: 12\n\nExiting session with sessionId: jane-0.\n\n"
	const want = "one\nEXIT_CODE: none\n"
	for size := 1; size <= len(whole); size++ {
		var stdout bytes.Buffer
		s := newSaid("jane-0", &stdout)
		for i := 0; i < len(whole); i += size {
			if _, err := s.Write([]byte(whole[i:min(len(whole), i+size)])); err != nil {
				t.Fatal(err)
			}
		}
		if code, err := s.exitCode(); code != 12 || err != nil || stdout.String() != want {
			t.Errorf("in pieces of %d: exit code %d, %v, %q, want 12, %q", size, code, err, &stdout, want)
		}
	}
	var stdout bytes.Buffer
	s := newSaid("jane-0", &stdout)
	s.Write([]byte("\nStarting session with SessionId: jane-0\nready"))
	if stdout.String() != "ready" {
		t.Errorf("%q is shown at once, want all of it", &stdout)
	}
}
