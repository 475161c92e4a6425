package deployscripts_test

import (
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// words writes a command as settings.env has it, after RELEASE_COMMAND or "PROCESS <name>".
func words(key string, words ...string) (lines []string) {
	for _, word := range words {
		lines = append(lines, key+"="+word)
	}
	return lines
}

func command(list ...string) []string { return words("RELEASE_COMMAND", list...) }

func TestReleaseCommand(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	old := h.mustBuild(1, app(t, "old", ""))
	h.mustDeploy(old)
	next := h.mustBuild(2, app(t, "new", ""))
	limit := filepath.Join(next, "hooks", "lib", "release_command.sh")
	edit(t, limit, `RELEASE_COMMAND_SECONDS=\d+`, "RELEASE_COMMAND_SECONDS=3")
	edit(t, limit, `COMMAND_STOP_SECONDS=\d+`, "COMMAND_STOP_SECONDS=1")
	tests := []struct {
		name, want string
		command    []string
	}{
		{"fails", "the release command of commit " + commitID(2) + " ended with exit code 3; its last output: relation users does not exist", command("fail")},
		{"hangs", "had not ended after 3 s and was stopped; its last output: waits for a lock", command("hang")},
		{"ignores SIGTERM", "had not ended after 3 s and was stopped; its last output: hears nothing of lock 7", command("deaf", "lock 7")},
		{"is unknown", "ended with exit code 2; its last output: no such command: migrate", command("migrate")},
	}
	for _, tt := range tests {
		settle(t, next, tt.command...)
		output, err := h.deploy(next)
		if err == nil || !strings.Contains(lastLine(output), tt.want) {
			t.Errorf("%s: %v, want %q in the last line:\n%s", tt.name, err, tt.want, output)
		}
		h.wantAnswer(t, "old")
		if got := strings.Fields(h.names()); len(got) != 2 {
			t.Errorf("%s: containers %q, want the edge and the old release", tt.name, got)
		}
	}

	// The command has the release's environment. It runs once for each build, whatever is released in between.
	settle(t, next, append(command("print", "RELEASE_COMMIT", "PORT", "COLOUR"), "ENVIRONMENT COLOUR=dark red")...)
	h.noteOutput()
	h.mustDeploy(next)
	h.wantAnswer(t, "new")
	want := `RELEASE_COMMIT is "` + commitID(2) + `", true` + "\n" + `PORT is "8080", true` + "\n" + `COLOUR is "dark red", true` + "\n"
	if got := h.noted(); got != want {
		t.Errorf("the command prints %q, want %q", got, want)
	}
	h.mustDeploy(next)
	if got := h.noted(); got != want {
		t.Errorf("after a release of the build that serves, commands have printed %q, want nothing more", got)
	}
	h.mustDeploy(old)
	h.mustDeploy(next)
	if got := h.noted(); got != want+want {
		t.Errorf("after a release of another build and this one again, commands have printed %q, want it twice", got)
	}
}

// noteOutput notes what a release command has printed before its container is removed.
func (h *host) noteOutput() {
	h.wrapDocker(`[[ "$1 $2 $*" != 'container rm '*-release-command-* ]] || "$real" container logs "${@: -1}" >>"${BASH_SOURCE[0]%/*}/noted"`)
}

func (h *host) noted() string { return readFile(h.t, filepath.Join(h.home, "noted")) }

// TestReleaseCommandThatCannotStart has an image without an entry point, and a command that is not in it.
func TestReleaseCommandThatCannotStart(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	bundle := h.mustBuild(1, func(webapp string) {
		app(t, "one", "")(webapp)
		edit(t, filepath.Join(webapp, "Dockerfile"), "ENTRYPOINT", "CMD")
	})
	settle(t, bundle, command("bin/rails", "db:migrate")...)
	output, err := h.deploy(bundle)
	if want := "the release command of commit " + commitID(1) + " does not start: "; err == nil || !strings.Contains(lastLine(output), want) || !strings.Contains(lastLine(output), "bin/rails") {
		t.Errorf("deploy: %v, want %q and what is not found as the last line:\n%s", err, want, output)
	}
	if got := h.names(); got != "" {
		t.Errorf("containers %q, want none", got)
	}
}

// TestReleaseCommandCutShort ends start.sh while its release command runs. The command's container goes with it, or
// with the next prepare.sh.
func TestReleaseCommandCutShort(t *testing.T) {
	t.Parallel()
	for _, way := range []string{term, kill, away} {
		t.Run(way, func(t *testing.T) {
			t.Parallel()
			h := newHost(t)
			h.mustDeploy(h.mustBuild(1, app(t, "old", "")))
			next := h.mustBuild(2, app(t, "new", ""))
			settle(t, next, append(command("hang"), "PROCESS worker=work")...)
			prepare := func() {
				if out, err := h.run(h.hook(next, "hooks/prepare.sh")); err != nil {
					t.Fatalf("prepare.sh: %v\n%s", err, out)
				}
			}
			prepare()
			if way == away { // Docker is back before the hook gives up, and the command has ended
				settle(t, next, command("print", "PORT")...)
			}
			output := h.cut(next, "hooks/start.sh", way, moment{1, "container wait"})
			if got := strings.Count(h.names(), "release-command"); got != 0 && way != kill || got != 1 && way == kill {
				t.Errorf("%s: containers %q", way, h.names())
			}
			if way == term && !strings.Contains(lastLine(output), "SIGTERM") {
				t.Errorf("last line %q, want the reason; all:\n%s", lastLine(output), output)
			}
			begun := time.Now()
			prepare()
			if took := time.Since(begun); took > 15*time.Second {
				t.Errorf("prepare.sh takes %s: it does not ask the command to end, or waits for nothing", took)
			}
			if got, want := h.containers(), old; got != want {
				t.Errorf("containers %q, want %q", got, want)
			}
			h.wantAnswer(t, map[bool]string{true: "new", false: "old"}[way == away])
		})
	}
}
