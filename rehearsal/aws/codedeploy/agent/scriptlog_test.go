package agent

import (
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

const utf8Locale, noLocale = "LANG=C.UTF-8", "LANG=C"

// What the agent 1.8.1 itself reported for these outputs (its hook_executor.rb on Ruby 3.1).
func TestLogTail(t *testing.T) {
	print := func(n int, char string) string {
		return "printf '" + char + "%.0s' {1.." + strconv.Itoa(n) + "}; echo\n"
	}
	tests := []struct {
		name, locale, text string
		lines, characters  int // of the tail
	}{
		{"lines of 100", utf8Locale, "for i in {1..100}; do printf '%091d\\n' $i; done\n", 20, 2000},
		{"one line is too long", utf8Locale, print(3000, "x"), 0, 0},
		{"a short one after a long one", utf8Locale, print(1900, "x") + "echo short\n", 1, 14},
		{"more than 2,048 characters", utf8Locale, "echo short\n" + print(2030, "x"), 4, 34 + 22 + 14 + 2039},
		{"characters", utf8Locale, strings.Repeat(print(92, "é"), 100), 20, 2020},
		{"bytes", noLocale, strings.Repeat(print(92, "é"), 100), 10, 1010},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			h := newHost(t)
			h.Env = []string{"PATH=/usr/bin:/bin", tt.locale}
			f := fails(t, h.run(oneHook(t, "", "#!/bin/bash\n"+tt.text+"exit 1\n")))
			if lines, characters := strings.Count(f.Log, "\n"), len([]rune(f.Log)); lines != tt.lines || characters != tt.characters {
				t.Errorf("log has %d lines and %d characters, want %d and %d:\n%s", lines, characters, tt.lines, tt.characters, f.Log)
			}
		})
	}
}

// A line that is not UTF-8 ends the agent's reading, the event and its report, even if the script succeeds.
func TestOutputThatIsNotUTF8(t *testing.T) {
	const latin1 = "#!/bin/bash\nprintf 'caf\\xe9\\n'; echo more; exit "
	tests := []struct {
		name, locale, exit string
		fails              bool
		scripts            string // what scripts.log ends with
	}{
		{"success", utf8Locale, "0", true, "[stdout]caf\xe9\n"},
		{"failure", utf8Locale, "1", true, "[stdout]caf\xe9\n"},
		{"success, no UTF-8 locale", noLocale, "0", false, "[stdout]more\n"},
		{"failure, no UTF-8 locale", noLocale, "1", true, "[stdout]more\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			h := newHost(t)
			h.Env = []string{"PATH=/usr/bin:/bin", tt.locale}
			err := h.run(oneHook(t, "", latin1+tt.exit+"\n"))
			if tt.fails {
				f := fails(t, err)
				if f.Code != UnknownError || f.Message != "Attempting minimal diagnostics" || f.Log != "Exception JSON::GeneratorError occured" ||
					!strings.Contains(f.Hint, "not UTF-8") {
					t.Errorf("failure = %+v", f)
				}
			} else if err != nil {
				t.Error(err)
			}
			if text := read(t, filepath.Join(h.DeploymentRoot, "g-1/"+deploymentID(1)+"/logs/scripts.log")); !strings.HasSuffix(text, tt.scripts) {
				t.Errorf("scripts.log = %q, want it to end with %q", text, tt.scripts)
			}
		})
	}
}

// The deployment log has every deployment's lines, without the white space around them.
func TestDeploymentLog(t *testing.T) {
	h := newHost(t)
	for _, id := range []string{deploymentID(1), deploymentID(2)} {
		d := oneHook(t, "", "#!/bin/bash\nprintf '  a  \\r\\n'\n")
		d.ID = id
		if err := h.run(d); err != nil {
			t.Fatal(err)
		}
	}
	stamp := `\[\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}\] `
	entries := func(id string) string {
		id = stamp + `\[` + id + `\]`
		return id + "LifecycleEvent - ApplicationStart\n" + id + `Script - hooks/run\.sh\n` + id + `\[stdout\]  a\n`
	}
	pattern := regexp.MustCompile(`^# Logfile created on .* by logger\.rb/v[0-9.]+\n` + entries(deploymentID(1)) + entries(deploymentID(2)) + `$`)
	if text := read(t, filepath.Join(h.DeploymentRoot, "deployment-logs/codedeploy-agent-deployments.log")); !pattern.MatchString(text) {
		t.Errorf("deployment log = %q, want %s", text, pattern)
	}
}

// After TERM, the agent closes first standard output and then standard error, some milliseconds later: a busy machine may
// not run the script in between, but not every time.
func TestWordsAfterTERM(t *testing.T) {
	script := "#!/bin/bash\ntrap 'echo cleaning up >&2; exit' TERM\necho ready\nsleep 60 & wait\n"
	var f *Failure
	for range 10 {
		f = fails(t, newHost(t).overrun(t, script, func(err error) bool { return strings.Contains(fails(t, err).Log, "ready") }))
		if f.Code == ScriptTimedOut && strings.HasSuffix(f.Log, "[stderr]cleaning up\n") {
			return
		}
	}
	t.Errorf("failure = %d, log %q", f.Code, f.Log)
}
