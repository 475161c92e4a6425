package operations

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/shlex"
)

// fakeDocker knows a serving container, two of the process worker, the newest first, and prints the words that it executes,
// with what separates them.
const fakeDocker = `#!/bin/sh
if [ "$1" = exec ]; then shift; printf '%s\0' "$@"; exit 7; fi
case "$*" in
  *com.cicd.app=webapp*name=^/webapp-'[0-9]*$') echo serving ;;
  *com.cicd.worker=webapp*com.cicd.process=worker) echo newest; echo older ;;
  *'{{.Names}}') echo webapp-8080; echo webapp-edge ;;
  *com.cicd.process=daemon) echo 'Cannot connect to the Docker daemon' >&2; exit 1 ;;
esac
`

// host is a shell's environment with a fake docker.
func host(t *testing.T) []string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{"docker": fakeDocker, "sudo": "#!/bin/sh\nexec \"$@\"\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return []string{"PATH=" + dir + ":" + os.Getenv("PATH")}
}

// both runs a command as the SSM agent does: with a terminal sh runs it, without one the agent splits it.
func both(t *testing.T, command ContainerCommand, environment []string, check func(how string, code int, stdout, stderr string)) {
	t.Helper()
	remote, err := command.remote()
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(remote, "{{") {
		t.Errorf("the agent may replace what is in %q", remote)
	}
	words, err := shlex.Split(remote)
	if err != nil {
		t.Fatalf("%v\n%s", err, remote)
	}
	if command.Terminal {
		words = []string{"sh", "-c", remote}
	}
	for how, words := range map[string][]string{"sh": {"sh", "-c", remote}, "as the agent does": words} {
		cmd := exec.Command(words[0], words[1:]...)
		var stdout, stderr strings.Builder
		cmd.Env, cmd.Stdout, cmd.Stderr = environment, &stdout, &stderr
		var exit *exec.ExitError
		if err := cmd.Run(); err != nil && !errors.As(err, &exit) {
			t.Fatal(err)
		}
		check(how, cmd.ProcessState.ExitCode(), stdout.String(), stderr.String())
	}
}

// TestWordsArrive: every word arrives in the container as it is, and so does the exit code.
func TestWordsArrive(t *testing.T) {
	nasty := []string{"printf", "", " ", "a b", "'", `"`, `\`, `\'`, `"'"'`, "$HOME", "$(touch owned)", "`touch owned`", "; touch owned", "a\nb\n", "\ttab", "*", "~", "#",
		"-n", "--", "!!", "{{", "{{{", "{{ssm:secret}}", "}}", "{", "größe", "日本語", "🙂", "a=b", "&& false", "| cat", "%s", "\r", strings.Repeat("long ", 500)}
	environment := host(t)
	for _, terminal := range []bool{false, true} {
		want := append([]string{"serving"}, nasty...)
		if terminal {
			want = append([]string{"-it"}, want...)
		}
		both(t, ContainerCommand{Process: Web, Words: nasty, Terminal: terminal}, environment, func(how string, code int, stdout, stderr string) {
			got := strings.Split(strings.TrimSuffix(stdout, "\x00"), "\x00")
			if code != 7 || !slices.Equal(got, want) {
				t.Errorf("%s: exit code %d, docker exec %q, want 7 and %q\n%s", how, code, got, want, stderr)
			}
		})
	}
}

func TestFindContainer(t *testing.T) {
	tests := []struct {
		name, process string
		variable      string // of the host
		stdout        string
		stderr        string // a part of it
		code          int
	}{
		{name: "the newest worker", process: "worker", stdout: "newest\x00ls\x00", code: 7},
		{name: "unknown process", process: "wrker", code: 125, stderr: "No container of wrker runs on this host. These do: webapp-8080 webapp-edge\n"},
		{name: "hostile process", process: "x; touch owned $(touch owned)", code: 125, stderr: "No container of x; touch owned $(touch owned) runs on this host."},
		{name: "no Docker", process: "daemon", code: 125, stderr: "Cannot connect to the Docker daemon\n"},
		{name: "nothing serves", process: Web, variable: "APP_NAME=other", code: 125, stderr: "No container of web runs on this host."},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			both(t, ContainerCommand{Process: tt.process, Words: []string{"ls"}}, append(host(t), tt.variable), func(how string, code int, stdout, stderr string) {
				if code != tt.code || stdout != tt.stdout || !strings.Contains(stderr, tt.stderr) {
					t.Errorf("%s: exit code %d, %q, %q; want %d, %q, %q", how, code, stdout, stderr, tt.code, tt.stdout, tt.stderr)
				}
			})
		})
	}
}

// TestBadCommands: what cannot arrive is refused.
func TestBadCommands(t *testing.T) {
	for want, words := range map[string][]string{"not UTF-8": {"cat", "\xff"}, "no command": nil} {
		if _, err := (ContainerCommand{Process: Web, Words: words}).remote(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", words, err, want)
		}
	}
}
