package codebuild

import (
	"slices"
	"strings"
	"testing"
)

func TestTransitions(t *testing.T) {
	all := func(status ...string) []string {
		names := []string{"INSTALL", "PRE_BUILD", "BUILD", "POST_BUILD", "UPLOAD_ARTIFACTS"}
		for i, s := range status {
			names[i] += " " + s
		}
		return names[:len(status)]
	}
	const ok, failed = "SUCCEEDED", "FAILED"
	tests := []struct {
		name        string
		fails       string // the phase in which a command fails
		extra       string // of that phase
		wantPhases  []string
		wantPrinted []string
	}{
		{"none", "", "", all(ok, ok, ok, ok, ok), []string{"install 1", "pre_build 1", "build 1", "post_build 1"}},
		{"install", "install", "", all(failed), []string{"install 1"}},
		{"pre_build", "pre_build", "", all(ok, failed), []string{"install 1", "pre_build 1"}},
		{"build", "build", "", all(ok, ok, failed, ok, ok), []string{"install 1", "pre_build 1", "build 1", "post_build 0"}},
		{"post_build", "post_build", "", all(ok, ok, ok, failed, ok), []string{"install 1", "pre_build 1", "build 1", "post_build 1"}},
		{"install, continue", "install", "on-failure: CONTINUE", all(failed, ok, ok, ok, ok), []string{"install 1", "pre_build 0", "build 0", "post_build 0"}},
		{"pre_build, continue", "pre_build", "on-failure: CONTINUE", all(ok, failed, ok, ok, ok), []string{"install 1", "pre_build 1", "build 0", "post_build 0"}},
		{"build, abort", "build", "on-failure: ABORT", all(ok, ok, failed), []string{"install 1", "pre_build 1", "build 1"}},
		{"post_build, abort", "post_build", "on-failure: ABORT", all(ok, ok, ok, failed), []string{"install 1", "pre_build 1", "build 1", "post_build 1"}},
		{"build, finally", "build", `finally: ["echo finally $CODEBUILD_BUILD_SUCCEEDING", "exit 9", "echo not reached"]`, all(ok, ok, failed, ok, ok),
			[]string{"install 1", "pre_build 1", "build 1", "finally 0", "post_build 0"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			spec := "version: 0.2\nphases:\n"
			for _, name := range phaseNames {
				spec += "  " + name + ":\n    commands:\n      - echo " + name + " $CODEBUILD_BUILD_SUCCEEDING\n"
				if name == tt.fails {
					spec += "      - sh -c 'exit 3'\n      - echo never\n    " + tt.extra + "\n"
				}
			}
			f := newFixture(t, spec+"artifacts: {files: '**/*'}\n")
			b, err := f.build(t, t.Context())
			if got := phases(b); !slices.Equal(got, tt.wantPhases) {
				t.Errorf("phases = %v\nwant %v", got, tt.wantPhases)
			}
			if got := f.printed(); !slices.Equal(got, tt.wantPrinted) {
				t.Errorf("printed %q\nwant %q", got, tt.wantPrinted)
			}
			if tt.fails != "" {
				want := "Phase: " + strings.ToUpper(tt.fails) + ", Code: COMMAND_EXECUTION_ERROR, Message: Error while executing command: sh -c 'exit 3'. Reason: exit status 3"
				if err == nil || !strings.Contains(err.Error(), want) {
					t.Errorf("error = %v, want %q", err, want)
				}
			}
			if stored := slices.Contains(tt.wantPhases, "UPLOAD_ARTIFACTS SUCCEEDED"); stored != (f.artifact != nil) {
				t.Errorf("artifact stored: %v, want %v", f.artifact != nil, stored)
			}
		})
	}
}

func TestFinallyAloneCanFailAPhase(t *testing.T) {
	f := newFixture(t, "version: 0.2\nphases:\n  pre_build:\n    commands: ['true']\n    finally: ['false']\n  build:\n    commands: [echo never]\n")
	b, _ := f.build(t, t.Context())
	if got, want := phases(b), []string{"INSTALL SUCCEEDED", "PRE_BUILD FAILED"}; !slices.Equal(got, want) {
		t.Errorf("phases = %v, want %v", got, want)
	}
}

func TestRetry(t *testing.T) {
	tests := []struct {
		onFailure string
		wantTries int
	}{
		{"RETRY", 4},
		{"RETRY-1", 2},
		{"RETRY-0", 1},
		{"RETRY-connection (timed out|refused)", 4},
		{"Retry-2-.*timed out.*", 3},
		{"RETRY-2-no such thing", 1},
	}
	for _, tt := range tests {
		t.Run(tt.onFailure, func(t *testing.T) {
			f := newFixture(t, "version: 0.2\nphases:\n  build:\n    on-failure: '"+tt.onFailure+"'\n    commands: ['echo connection timed out >&2; false']\n")
			if _, err := f.build(t, t.Context()); err == nil {
				t.Error("the build succeeded")
			}
			if got := len(f.printed()); got != tt.wantTries {
				t.Errorf("tried %d times, want %d\n%s", got, tt.wantTries, &f.log)
			}
		})
	}
	t.Run("until it works", func(t *testing.T) {
		f := newFixture(t, "version: 0.2\nphases:\n  build:\n    on-failure: RETRY\n    commands: ['n=$((n+1)); [ $n = 3 ]', 'echo $CODEBUILD_BUILD_SUCCEEDING']\n")
		f.mustBuild(t)
		if got := f.printed(); !slices.Equal(got, []string{"1"}) {
			t.Errorf("printed %q, want 1", got)
		}
	})
}

// The log is CodeBuild's, line by line.
func TestLog(t *testing.T) {
	f := newFixture(t, "version: 0.2\nphases:\n  build:\n    commands:\n      - printf 'no newline'\n      - echo why it failed >&2; exit 2\n")
	_, err := f.build(t, t.Context())
	if err == nil || !strings.HasSuffix(err.Error(), "Reason: exit status 2\n    why it failed") {
		t.Errorf("error = %v, want it to end with the command's output", err)
	}
	var got []string
	for line := range strings.Lines(f.log.String()) {
		if rest, ok := strings.CutPrefix(line, "[Container] "); ok {
			line = "[Container] " + rest[len("2006/01/02 15:04:05.000000 "):]
		}
		got = append(got, strings.TrimSuffix(line, "\n"))
	}
	start := slices.Index(got, "[Container] Entering phase BUILD")
	want := []string{
		"[Container] Entering phase BUILD",
		"[Container] Running command printf 'no newline'",
		"no newline",
		"[Container] Running command echo why it failed >&2; exit 2",
		"why it failed",
		"",
		"[Container] Command did not exit successfully echo why it failed >&2; exit 2 exit status 2",
		"[Container] Phase complete: BUILD State: FAILED",
		"[Container] Phase context status code: COMMAND_EXECUTION_ERROR Message: Error while executing command: echo why it failed >&2; exit 2. Reason: exit status 2",
		"[Container] Entering phase POST_BUILD",
		"[Container] Phase complete: POST_BUILD State: SUCCEEDED",
		"[Container] Phase context status code:  Message: ",
		"[Container] Phase complete: UPLOAD_ARTIFACTS State: SUCCEEDED",
		"[Container] Phase context status code:  Message: ",
	}
	if !slices.Equal(got[start:], want) {
		t.Errorf("log:\n%s\nwant:\n%s", strings.Join(got[start:], "\n"), strings.Join(want, "\n"))
	}
}
