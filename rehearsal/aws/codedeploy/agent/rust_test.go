package agent

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
)

// The same bundles on either agent.
func TestAgent2(t *testing.T) {
	hook := func(options, text string) files {
		return files{"appspec.yml": header + "hooks: {ApplicationStart: [{location: hooks/run.sh" + options + "}]}\n", "hooks/run.sh": "#!/bin/bash\n" + text}
	}
	tests := []struct {
		name     string
		content  files
		one, two string // patterns of the failure's message; "" for success
	}{
		{"killed", hook("", "kill -9 $$\n"), `failed with exit code $`, `failed with exit code 1$`},
		{"etag", hook("", "test \"$BUNDLE_ETAG\" = e1\n"), `exit code 1$`, ``},
		{"quoted timeout", hook(`, timeout: "10"`, ""), ``, `hooks\.ApplicationStart\[0\]\.timeout: invalid type: "10", expected u32`},
		{"sudo: no", hook(", sudo: no", ""), ``, `expected a boolean`},
		{"version in quotes", files{"appspec.yml": "version: '0.0'\nos: linux\n"}, `invalid version value`, `version: invalid type`},
		{"no os", files{"appspec.yml": "version: 0.0\n"}, `unsupported operating system \(\)`, "missing field `os`"},
		{"alias", files{"appspec.yml": header + "x: &a {location: a.sh}\nhooks: {ValidateService: [*a]}\n", "a.sh": "#!/bin/sh\n"}, `^Unknown alias: a$`, ``},
		{"unquoted mode", files{"appspec.yml": header + "files: [{source: f, destination: /opt}]\npermissions: [{object: /opt/f, mode: 0755}]\n", "f": ""}, `permissions mode \(493\)`, ``},
		{"appspec.yaml", files{"appspec.yaml": header}, `did not find an AppSpec file`, ``},
		{"hook leaves the revision", files{"appspec.yml": header + "hooks: {ApplicationStart: [{location: ../deployment-archive2/a}]}\n"},
			`^Script does not exist at`, `^Script at specified location: \.\./deployment-archive2/a resolves outside the deployment archive$`},
		{"file leaves the revision", files{"appspec.yml": header + "files: [{source: ../bundle.tar, destination: /opt}]\n"}, ``, `^Install failed for group g-1: `},
		{"left open", hook(", timeout: 3", "sleep 30 >/dev/null &\n"), `failed to close STDERR$`, `failed to close STDOUT$`},
		{"not UTF-8", hook("", "printf '\\xff\\n'\n"), `^Attempting minimal diagnostics$`, ``},
	}
	for _, tt := range tests {
		for version, pattern := range map[int]string{1: tt.one, 2: tt.two} {
			t.Run(fmt.Sprintf("%s/%d", tt.name, version), func(t *testing.T) { // a "#" in a folder's name makes Ruby ask a shell
				h := newHost(t)
				h.Version, h.Env = version, []string{"PATH=/usr/bin:/bin", utf8Locale}
				err := h.run(deployment(t, deploymentID(1), tt.content))
				if pattern == "" {
					if err != nil {
						t.Errorf("agent %d: %v", version, err)
					}
					return
				}
				if f := fails(t, err); !regexp.MustCompile(pattern).MatchString(f.Message) {
					t.Errorf("agent %d: message = %q, want %s", version, f.Message, pattern)
				}
			})
		}
	}
}

// The agent 2 stamps the lines of the tail, drops escape sequences, and counts bytes.
func TestAgent2Log(t *testing.T) {
	h := newHost(t)
	h.Version = 2
	f := fails(t, h.run(oneHook(t, "", "#!/bin/bash\nprintf '\\e[31m%s\\e[0m\\r\\n' {1..100}\nexit 1\n")))
	line := regexp.MustCompile(`^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d \[stdout\]\d+$`)
	lines := strings.Split(strings.TrimSuffix(f.Log, "\n"), "\n")
	for _, l := range lines {
		if !line.MatchString(l) {
			t.Fatalf("line %q of the tail", l)
		}
	}
	if len(f.Log) > 2048 || len(f.Log) < 2000 || !strings.HasSuffix(f.Log, "[stdout]100\n") {
		t.Errorf("tail has %d bytes: %s", len(f.Log), f.Log)
	}
}

// A script that ignores TERM holds up the agent 1 until it ends; the agent 2 kills it.
func TestAgent2KillsAfterItsGrace(t *testing.T) {
	h := newHost(t)
	h.Version = 2
	script := "#!/bin/bash\ntrap '' TERM\necho ready\nsleep 60 & while ! wait; do :; done; sleep 60\n"
	f := fails(t, h.overrun(t, script, func(err error) bool { return strings.Contains(fails(t, err).Log, "ready") }))
	if f.Code != ScriptTimedOut {
		t.Errorf("failure = %+v", f)
	}
}

// What the service would not take is told, beside what the agent ignores.
func TestServiceWarnings(t *testing.T) {
	h := newHost(t)
	d := deployment(t, deploymentID(1), files{"appspec.yml": header + "hooks:\n  BeforeAllowTraffic: [{location: a.sh, timeout: 10}]\n" +
		"  ApplicationStart: [{location: a.sh, timeout: 3000}, {location: a.sh, timeout: 601}]\n  ValidateService: [{location: a.sh}]\n", "a.sh": ""})
	if err := h.Run(t.Context(), d, DownloadBundle, h.hear); err != nil {
		t.Fatal(err)
	}
	said := h.said()
	for _, want := range []string{"BeforeAllowTraffic never runs", "the timeouts of ApplicationStart add up to more than 3600 seconds"} {
		if !strings.Contains(said, want) {
			t.Errorf("warnings = %s, want %q", said, want)
		}
	}
	if strings.Contains(said, "ValidateService") {
		t.Errorf("warnings = %s, want none about ValidateService", said)
	}
}
