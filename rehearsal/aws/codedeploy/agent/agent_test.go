package agent

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

const header = "version: 0.0\nos: linux\n"

// files is a bundle's content by path; content that begins with an arrow makes a link.
type files map[string]string

// testHost is an agent with its own folder, and the output of its hooks.
type testHost struct {
	*Agent
	t *testing.T

	mu    sync.Mutex
	lines []string
}

func newHost(t *testing.T) *testHost {
	t.Helper()
	h := &testHost{t: t, Agent: &Agent{DeploymentRoot: t.TempDir(), Root: t.TempDir(), Dir: t.TempDir()}}
	t.Cleanup(func() {
		if err := h.Close(); err != nil {
			t.Error(err)
		}
	})
	return h
}

func (h *testHost) hear(l Line) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.lines = append(h.lines, l.Text)
}

func (h *testHost) said() string { return strings.Join(h.lines, "\n") }

// run runs the given events, or all if none are given, up to the first that fails.
func (h *testHost) run(d Deployment, events ...string) error {
	h.t.Helper()
	if len(events) == 0 {
		events = Events
	}
	for _, event := range events {
		if err := h.Run(h.t.Context(), d, event, h.hear); err != nil {
			return err
		}
	}
	return nil
}

// deploymentID returns the id of the nth deployment. The agent finds its hooks' processes by it, on the whole machine, where
// these tests may run twice at once.
func deploymentID(n int) string { return fmt.Sprintf("d-%d-%d", n, os.Getpid()) }

// deployment returns a deployment of a bundle with executable hooks to group g-1.
func deployment(t *testing.T, id string, content files) Deployment {
	t.Helper()
	return Deployment{ID: id, Application: "app", GroupID: "g-1", GroupName: "group", Revision: zipped(t, content, 0o755)}
}

// fails returns the failure that a deployment must end with.
func fails(t *testing.T, err error) *Failure {
	t.Helper()
	var f *Failure
	if !errors.As(err, &f) {
		t.Fatalf("error = %v, want a failure", err)
	}
	return f
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// hooksFor is an appspec with one script per event.
func hooksFor(events ...string) string {
	spec := header + "hooks:\n"
	for _, event := range events {
		spec += "  " + event + ": [{location: hooks/say.sh}]\n"
	}
	return spec
}

func say(what string) string {
	return "#!/bin/bash\necho " + what + " $LIFECYCLE_EVENT\n"
}

func hookEvents() []string {
	var events []string
	for _, event := range Events {
		if event != DownloadBundle && event != Install {
			events = append(events, event)
		}
	}
	return events
}

// The hooks of a first deployment, in order, and of a second: what runs before its bundle arrives is the first one's.
func TestOrderAndRevisions(t *testing.T) {
	h := newHost(t)
	for _, name := range []string{"one", "two"} {
		d := deployment(t, "d-"+name, files{"appspec.yml": hooksFor(hookEvents()...), "hooks/say.sh": say(name)})
		if err := h.run(d); err != nil {
			t.Fatal(err)
		}
	}
	var got []string
	for _, line := range h.lines {
		if output, ok := strings.CutPrefix(line, "[stdout]"); ok {
			got = append(got, output)
		}
	}
	want := "one BeforeInstall,one AfterInstall,one ApplicationStart,one ValidateService,one BeforeAllowTraffic,one AfterAllowTraffic," +
		"one BeforeBlockTraffic,one AfterBlockTraffic,one ApplicationStop," +
		"two BeforeInstall,two AfterInstall,two ApplicationStart,two ValidateService,two BeforeAllowTraffic,two AfterAllowTraffic"
	if s := strings.Join(got, ","); s != want {
		t.Errorf("hooks ran as\n%s\nwant\n%s", s, want)
	}
}

// A revision that failed after Install supplies the next ApplicationStop; one that failed before does not.
func TestPointerIsWrittenAtInstall(t *testing.T) {
	tests := []struct{ failing, want string }{
		{"ValidateService", "[stdout]bad ApplicationStop"},
		{"BeforeInstall", "[stdout]good ApplicationStop"},
	}
	for _, tt := range tests {
		t.Run(tt.failing, func(t *testing.T) {
			h := newHost(t)
			if err := h.run(deployment(t, deploymentID(1), files{"appspec.yml": hooksFor("ApplicationStop"), "hooks/say.sh": say("good")})); err != nil {
				t.Fatal(err)
			}
			bad := deployment(t, deploymentID(2), files{
				"appspec.yml":   hooksFor("ApplicationStop") + "  " + tt.failing + ": [{location: hooks/fail.sh}]\n",
				"hooks/say.sh":  say("bad"),
				"hooks/fail.sh": "#!/bin/bash\nexit 3\n",
			})
			if f := fails(t, h.run(bad)); f.Message != "Script at specified location: hooks/fail.sh failed with exit code 3" {
				t.Fatal(f)
			}
			h.lines = nil
			if err := h.run(deployment(t, deploymentID(3), files{"appspec.yml": header}), "ApplicationStop"); err != nil {
				t.Fatal(err)
			}
			if !strings.Contains(h.said(), tt.want) {
				t.Errorf("lines = %q, want %q", h.said(), tt.want)
			}
		})
	}
}

// Once this deployment's bundle is there, even ApplicationStop is its own.
func TestOwnBundleComesFirst(t *testing.T) {
	h := newHost(t)
	for _, name := range []string{"one", "two"} {
		d := deployment(t, "d-"+name, files{"appspec.yml": hooksFor("ApplicationStop"), "hooks/say.sh": say(name)})
		if err := h.run(d, DownloadBundle, "ApplicationStop", Install); err != nil {
			t.Fatal(err)
		}
	}
	if said := h.said(); !strings.Contains(said, "[stdout]two ApplicationStop") {
		t.Errorf("lines = %q", said)
	}
}

func TestAppSpecFile(t *testing.T) {
	tests := []struct {
		name    string
		content files
		event   string // that fails; "" for none
		want    string // in message or hint
	}{
		{"missing", files{"hooks/a": ""}, "BeforeInstall", `did not find an AppSpec file within the unpacked revision directory at revision-relative path "appspec.yml"`},
		{"yaml for hooks", files{"appspec.yaml": header}, "BeforeInstall", "rename it"},
		{"invalid", files{"appspec.yml": "version: 1\nos: linux\n"}, "BeforeInstall", "invalid version value (1)"},
		{"unknown hook", files{"appspec.yml": header + "hooks: {BeforInstall: [{location: a}], X: []}\n"}, Install,
			`appspec.yml file contains unknown lifecycle events: ["BeforInstall", "X"]`},
		{"unknown but empty hook", files{"appspec.yml": header + "hooks: {BeforInstall: }\n"}, "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			h := newHost(t)
			d := deployment(t, deploymentID(1), tt.content)
			for _, event := range Events {
				err := h.Run(t.Context(), d, event, h.hear)
				if event != tt.event {
					if err != nil {
						t.Fatalf("%s: %v", event, err)
					}
					continue
				}
				if f := fails(t, err); f.Code != UnknownError || !strings.Contains(f.Error(), tt.want) {
					t.Errorf("%s: code %d, %v, want %q", event, f.Code, f, tt.want)
				}
				return
			}
		})
	}
	t.Run("yaml for Install", func(t *testing.T) {
		h := newHost(t)
		if err := h.run(deployment(t, deploymentID(1), files{"appspec.yaml": header}), DownloadBundle, Install); err != nil {
			t.Error(err)
		}
	})
}

func TestWarningsAreShown(t *testing.T) {
	h := newHost(t)
	if err := h.run(deployment(t, deploymentID(1), files{"appspec.yml": header + "hook: {}\n"})); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(h.said(), `the agent ignores the key "hook"; did you mean "hooks"?`) {
		t.Errorf("lines = %q", h.said())
	}
}

// With room for five, each further download removes the oldest one that is not the last installed.
func TestArchiveRetention(t *testing.T) {
	h := newHost(t)
	for _, id := range []string{deploymentID(1), deploymentID(2), deploymentID(3), deploymentID(4), deploymentID(5), deploymentID(6), deploymentID(7)} {
		events := []string{DownloadBundle}
		if id == deploymentID(1) {
			events = append(events, Install)
		}
		if err := h.run(deployment(t, id, files{"appspec.yml": header}), events...); err != nil {
			t.Fatal(err)
		}
	}
	var left []string
	entries, err := os.ReadDir(filepath.Join(h.DeploymentRoot, "g-1"))
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		left = append(left, entry.Name())
	}
	if got, want := strings.Join(left, " "), strings.Join([]string{deploymentID(1), deploymentID(4), deploymentID(5), deploymentID(6), deploymentID(7)}, " "); got != want {
		t.Errorf("left: %s, want %s", got, want)
	}
	if got, want := read(t, filepath.Join(h.DeploymentRoot, "deployment-instructions/g-1_most_recent_install")), filepath.Join(h.DeploymentRoot, "g-1/"+deploymentID(7)); got != want {
		t.Errorf("most recent: %s, want %s", got, want)
	}
}

func TestGroupsAreSeparate(t *testing.T) {
	h := newHost(t)
	one := deployment(t, deploymentID(1), files{"appspec.yml": hooksFor("ApplicationStop"), "hooks/say.sh": say("one")})
	two := deployment(t, deploymentID(2), files{"appspec.yml": hooksFor("ApplicationStop"), "hooks/say.sh": say("two")})
	two.GroupID = "g-2"
	if err := errors.Join(h.run(one), h.run(two)); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(h.said(), "ApplicationStop") {
		t.Errorf("the first deployment of a group ran another group's hook: %q", h.said())
	}
}
