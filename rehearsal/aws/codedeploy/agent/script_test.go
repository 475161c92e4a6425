package agent

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// oneHook is a deployment whose ApplicationStart is a script with this text.
func oneHook(t *testing.T, options, text string) Deployment {
	return deployment(t, deploymentID(1), files{
		"appspec.yml":  header + "hooks: {ApplicationStart: [{location: hooks/run.sh" + options + "}]}\n",
		"hooks/run.sh": text,
	})
}

// overrun runs a hook's script that does not end. On a busy machine, it may not have come to where it waits within a second:
// until reached finds that it has, it is run again with twice the time.
func (h *testHost) overrun(t *testing.T, text string, reached func(error) bool) error {
	for seconds := 1; ; seconds *= 2 {
		err := h.run(oneHook(t, fmt.Sprintf(", timeout: %d", seconds), text))
		if reached(err) || seconds > 30 {
			return err
		}
	}
}

func TestScriptFailures(t *testing.T) {
	unprivileged := ""
	if os.Geteuid() != 0 {
		unprivileged = "rights of root"
	}
	tests := []struct {
		name, options, text string
		code                Code
		message             string // a pattern
		hint                string
	}{
		{"exit code", "", "#!/bin/bash\necho why >&2\nexit 7\n", ScriptFailed,
			`^Script at specified location: hooks/run\.sh failed with exit code 7$`, ""},
		{"signal", "", "#!/bin/bash\nkill -9 $$\n", ScriptFailed, `failed with exit code $`, "signal: killed"},
		{"run as", ", runas: nobody-at-all", "#!/bin/bash\n", ScriptFailed,
			`^Script at specified location: hooks/run\.sh run as user nobody-at-all failed with exit code 1$`, unprivileged},
		{"crlf", "", "#!/bin/bash\r\necho hi\r\n", ScriptFailed,
			`^Script at specified location: hooks/run\.sh failed with error Errno::ENOENT with message No such file or directory - /.*/deployment-archive/hooks/run\.sh$`, "LF line ends"},
		{"crlf by env", "", "#!/usr/bin/env bash\r\necho hi\r\n", ScriptFailed, `failed with exit code 127$`, "LF line ends"},
		{"interpreter", "", "#!/no/such/shell\n", ScriptFailed, `Errno::ENOENT`, "/no/such/shell does not exist"},
		{"timeout", ", timeout: 1", "#!/bin/bash\nsleep 30 & wait\n", ScriptTimedOut,
			`^Script at specified location: hooks/run\.sh failed to complete in 1 seconds$`, "raise timeout"},
		{"output left open", ", timeout: 3", "#!/bin/bash\necho up\nsleep 30 &\n", OutputsLeftOpen,
			`^Script at specified location: hooks/run\.sh failed to close STDOUT$`, "redirect"},
		{"error output left open", ", timeout: 3", "#!/bin/bash\nsleep 30 >/dev/null &\n", OutputsLeftOpen, `failed to close STDERR$`, "redirect"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			h := newHost(t)
			f := fails(t, h.run(oneHook(t, tt.options, tt.text)))
			if f.Code != tt.code || f.Script != "hooks/run.sh" || !regexp.MustCompile(tt.message).MatchString(f.Message) {
				t.Errorf("failure = code %d, script %q, message %q; want code %d, message %s", f.Code, f.Script, f.Message, tt.code, tt.message)
			}
			if !strings.Contains(f.Hint, tt.hint) || tt.hint == "" && f.Hint != "" {
				t.Errorf("hint = %q, want %q", f.Hint, tt.hint)
			}
		})
	}
}

func TestScriptMissing(t *testing.T) {
	h := newHost(t)
	d := deployment(t, deploymentID(1), files{"appspec.yml": hooksFor("ApplicationStart")})
	f := fails(t, h.run(d))
	want := "Script does not exist at specified location: " + filepath.Join(h.DeploymentRoot, "g-1/"+deploymentID(1)+"/deployment-archive/hooks/say.sh")
	if f.Code != ScriptMissing || f.Message != want {
		t.Errorf("failure = %d %q, want %d %q", f.Code, f.Message, ScriptMissing, want)
	}
	if got, want := f.Log, "LifecycleEvent - ApplicationStart\n"; got != want {
		t.Errorf("log = %q, want %q", got, want)
	}
}

// Ruby's File.exist? does not find "a.sh/", and its chmod leaves a link's target alone.
func TestScriptLocations(t *testing.T) {
	const fail = "#!/bin/sh\necho $0\nexit 3\n"
	tests := []struct {
		location string
		code     Code
		message  string // its end
	}{
		{"hooks/run.sh/", ScriptMissing, "/deployment-archive/hooks/run.sh"},
		{"./hooks/../hooks/run.sh", ScriptFailed, "failed with exit code 3"},
		{"/hooks/run.sh", ScriptFailed, "failed with exit code 3"},
		{"hooks\\0/run.sh", UnknownError, "string contains null byte"},
		{"link.sh", ScriptFailed, "failed with error Errno::EACCES with message Permission denied - "},
	}
	for _, tt := range tests {
		t.Run(tt.location, func(t *testing.T) {
			d := deployment(t, deploymentID(1), nil)
			d.Revision = zipped(t, files{"appspec.yml": header + "hooks: {ApplicationStart: [{location: \"" + tt.location + "\"}]}\n",
				"hooks/run.sh": fail, "link.sh": "-> hooks/run.sh"}, 0o644)
			f := fails(t, newHost(t).run(d))
			if f.Code != tt.code || !strings.Contains(f.Message, tt.message) {
				t.Errorf("failure = %d %q, want %d %q", f.Code, f.Message, tt.code, tt.message)
			}
		})
	}
}

func TestScriptLog(t *testing.T) {
	h := newHost(t)
	d := oneHook(t, "", "#!/bin/bash\ncat\necho out\necho err >&2\nexit 1\n") // cat: the input is at its end
	f := fails(t, h.run(d))
	lines := strings.Split(f.Log, "\n")
	slices.Sort(lines) // stdout and stderr are read side by side
	want := []string{"", "LifecycleEvent - ApplicationStart", "Script - hooks/run.sh", "[stderr]err", "[stdout]out"}
	if !slices.Equal(lines, want) {
		t.Errorf("log lines = %q, want %q", lines, want)
	}
	if want := "Script at specified location: hooks/run.sh failed with exit code 1"; f.Code != ScriptFailed || f.Script != "hooks/run.sh" || f.Message != want {
		t.Errorf("failure = %d %q %q, want %d hooks/run.sh %q", f.Code, f.Script, f.Message, ScriptFailed, want)
	}
}

func TestScriptLogFile(t *testing.T) {
	h := newHost(t)
	fails(t, h.run(oneHook(t, "", "#!/bin/bash\necho out\nprintf end\nexit 1\n")))
	stamp := `\d{4}-\d\d-\d\d \d\d:\d\d:\d\d `
	pattern := regexp.MustCompile(`^` + stamp + `LifecycleEvent - ApplicationStart\n` + stamp + `Script - hooks/run\.sh\n` +
		stamp + `\[stdout\]out\n` + stamp + `\[stdout\]end$`)
	if text := read(t, filepath.Join(h.DeploymentRoot, "g-1/"+deploymentID(1)+"/logs/scripts.log")); !pattern.MatchString(text) {
		t.Errorf("scripts.log = %q", text)
	}
}

func TestEnvironment(t *testing.T) {
	h := newHost(t)
	h.Env = []string{"PATH=" + os.Getenv("PATH"), "INHERITED=yes", "DEPLOYMENT_ID=other", "BUNDLE_VERSION=stale"}
	spec := header + "hooks: {ApplicationStart: [{location: hooks/run.sh}]}\n"
	script := "#!/bin/bash\nenv -u PWD -u SHLVL -u _ -u OLDPWD | sort\npwd\n"
	d := zipDeployment(t, files{"appspec.yml": spec, "hooks/run.sh": script})
	if err := h.run(d); err != nil {
		t.Fatal(err)
	}
	want := []string{"LifecycleEvent - ApplicationStart", "Script - hooks/run.sh",
		"[stdout]APPLICATION_NAME=app", "[stdout]BUNDLE_BUCKET=b", `[stdout]BUNDLE_ETAG="e1"`, "[stdout]BUNDLE_KEY=k",
		"[stdout]DEPLOYMENT_GROUP_ID=g-1", "[stdout]DEPLOYMENT_GROUP_NAME=group", "[stdout]DEPLOYMENT_ID=" + deploymentID(1), "[stdout]INHERITED=yes",
		"[stdout]LIFECYCLE_EVENT=ApplicationStart", "[stdout]PATH=" + os.Getenv("PATH"), "[stdout]" + h.Dir}
	if got := slices.DeleteFunc(slices.Clone(h.lines), func(l string) bool { return strings.Contains(l, "executable") }); !slices.Equal(got, want) {
		t.Errorf("lines =\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestDefaultEnvironmentHasNoCredentials(t *testing.T) {
	t.Setenv("AWS_ACCESS_KEY_ID", "AKIA")
	t.Setenv("AWS_PROFILE", "kept")
	h := newHost(t)
	if err := h.run(oneHook(t, "", "#!/bin/bash\necho id=$AWS_ACCESS_KEY_ID profile=$AWS_PROFILE\n")); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(h.said(), "[stdout]id= profile=kept") {
		t.Errorf("lines = %q", h.said())
	}
}

func TestScriptWithoutShebangRunsInShell(t *testing.T) {
	h := newHost(t)
	if err := h.run(oneHook(t, "", "echo plain $((1+1))\n")); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(h.said(), "[stdout]plain 2") {
		t.Errorf("lines = %q", h.said())
	}
}

func TestArgv(t *testing.T) {
	tests := map[string]string{
		"/a/b":           "/a/b",
		"su bob -c /a/b": "su|bob|-c|/a/b",
		"su  -c /a/b":    "su|-c|/a/b",
		"/a/my file":     "/a/my|file",
		"/a/x=y":         "/a/x=y",
		"/a/b;c":         "/bin/sh|-c|/a/b;c",
	}
	for line, want := range tests {
		if got := strings.Join(argv(line), "|"); got != want {
			t.Errorf("argv(%q) = %s, want %s", line, got, want)
		}
	}
}

// alive reports whether the process whose id is in the file still runs.
func alive(t *testing.T, pidFile string) bool {
	t.Helper()
	pid, err := strconv.Atoi(strings.TrimSpace(read(t, pidFile)))
	if err != nil {
		t.Fatal(err)
	}
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err == nil && !strings.Contains(string(stat), ") Z ") && syscall.Kill(pid, 0) == nil
}

// waitDead waits until the process has gone; signals take a moment.
func waitDead(t *testing.T, pidFile string) {
	t.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	deadline := time.After(5 * time.Second)
	for alive(t, pidFile) {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("%s: the process is still there", filepath.Base(pidFile))
		}
	}
}

// The timeout ends grandchildren too; a background child that keeps the output lives on until the host ends.
func TestProcessesAtTimeout(t *testing.T) {
	tests := []struct {
		name, text     string
		ends, survives bool
	}{
		{"grandchild", "#!/bin/bash\nbash -c 'echo $$ > \"$PIDS/pid\"; sleep 60; true' &\nwait\n", false, false},
		{"holder", "#!/bin/bash\nsleep 60 &\necho $! > \"$PIDS/pid\"\n", false, true},
		{"own session", "#!/bin/bash\nsetsid sleep 600 </dev/null >/dev/null 2>&1 &\necho $! > \"$PIDS/pid\"\n", true, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			pids := t.TempDir()
			h := newHost(t)
			h.Env = append(os.Environ(), "PIDS="+pids)
			if tt.ends {
				if err := h.run(oneHook(t, ", timeout: 60", tt.text)); err != nil {
					t.Fatal(err)
				}
			} else if err := h.overrun(t, tt.text, func(error) bool {
				pid, _ := os.ReadFile(filepath.Join(pids, "pid"))
				return len(pid) > 0
			}); err == nil {
				t.Fatal("it did not overrun its timeout")
			}
			if !tt.survives {
				waitDead(t, filepath.Join(pids, "pid"))
			} else if !alive(t, filepath.Join(pids, "pid")) {
				t.Error("the agent does not end it, but it is gone")
			}
			if err := h.Close(); err != nil {
				t.Fatal(err)
			}
			waitDead(t, filepath.Join(pids, "pid"))
		})
	}
}

// An interrupt ends a hook that ignores TERM, and its children, and is no failure of the script.
func TestInterrupt(t *testing.T) {
	pids := t.TempDir()
	h := newHost(t)
	h.Env = append(os.Environ(), "PIDS="+pids)
	d := oneHook(t, "", "#!/bin/bash\ntrap '' TERM\nsleep 60 &\necho $! > \"$PIDS/pid\"\necho started\nwait\nwait\n")
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	if err := h.run(d, DownloadBundle); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	err := h.Run(ctx, d, "ApplicationStart", func(l Line) {
		if l.Text == "[stdout]started" {
			cancel()
		}
	})
	var f *Failure
	if !errors.Is(err, context.Canceled) || errors.As(err, &f) {
		t.Errorf("error = %v, want only the cancellation", err)
	}
	if took := time.Since(began); took > 30*time.Second {
		t.Errorf("the interrupt took %s: it waited for the script", took)
	}
	waitDead(t, filepath.Join(pids, "pid"))
}
