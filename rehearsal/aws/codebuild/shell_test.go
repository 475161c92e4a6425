package codebuild

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// spec writes a buildspec of one phase.
func spec(header string, commands ...string) string {
	text := "version: 0.2\n" + header + "\nphases:\n  build:\n    commands:\n"
	for _, c := range commands {
		text += fmt.Sprintf("      - %q\n", c)
	}
	return text
}

func TestShellState(t *testing.T) {
	tests := []struct {
		name        string
		spec        string
		wantPrinted []string
		wantErr     string // "" for success
	}{
		{"variables and directory last", spec("", "mkdir sub && cd sub", "A=1", "export B=2", "echo $A$B $(basename $PWD)"), []string{"12 sub"}, ""},
		{"over phases", "version: 0.2\nphases:\n  install: {commands: ['cd /; A=1']}\n  post_build: {commands: ['echo $A $PWD $(pwd)']}\n", []string{"1 / /"}, ""},
		{"0.1 forgets", "version: 0.1\nphases:\n  build: {commands: ['cd /; A=1', 'echo \"A=$A\" $(basename $PWD)']}\n", []string{"A= src"}, ""},
		{"cd - works", spec("", "mkdir -p a b", "cd a", "cd ../b", "cd - >/dev/null", "basename $PWD"), []string{"a"}, ""},
		{"unset lasts", spec("env: {variables: {GONE: x}}", "unset GONE FROM_HOST", "echo \"[$GONE$FROM_HOST]\""), []string{"[]"}, ""},
		{"every variable is exported", spec("", "A=1", "sh -c 'echo $A'"), []string{"1"}, ""},
		{"functions do not last", spec("", "f() { echo f; }", "f"), nil, "exit status 127"},
		{"exit 0 ends the command alone", spec("", "exit 0", "echo on"), []string{"on"}, ""},
		{"set -e does not last", spec("", "set -e", "false; echo on"), []string{"on"}, ""},
		{"multi-line", "version: 0.2\nphases:\n  build:\n    commands:\n      - |\n        if true; then\n          echo one\n        fi\n        cat <<EOF\n        two $HOME_SWEET\n        EOF\n", []string{"  echo one", "fi", "cat <<EOF", "two $HOME_SWEET", "EOF", "one", "two "}, ""}, // the first five are the log's "Running command"
		{"folded command with its newline", "version: 0.2\nphases:\n  build:\n    commands:\n      - >\n        echo a\n        b\n", []string{"a b"}, ""},
		{"hostile values last", spec("", `V="$(printf 'a\n\"b\" $(touch x) \140touch y\140 \\ %s' "'q'")"`, `printf '%s|' "$V"; ls | grep -c '^[xy]$' || :`), []string{"a", `"b" $(touch x) ` + "`touch y`" + ` \ 'q'|0`}, ""},
		{"unclosed quote", spec("", "echo 'oops", "echo never"), nil, "exit status 2"},
		{"killed", spec("", "kill -9 $$"), nil, "exit status 137"},
		{"kills its whole group, post_build still runs", spec("", "kill -9 0") + "  post_build: {commands: [echo after]}\n", []string{"after"}, "exit status 137"},
		{"syntax that only bash has, as sh", spec("", "shopt -qo posix && [[ a == a ]] && echo posix"), []string{"posix"}, ""},
		{"bash", spec("env: {shell: bash}", "shopt -qo posix || echo bash", "A=1; cd /", "echo $A $PWD"), []string{"bash", "1 /"}, ""},
		{"bash, readonly and array", spec("env: {shell: bash}", "readonly R=1; arr=(1 2)", "echo $R ${#arr[@]}"), []string{"1 0"}, ""},
		{"PATH is what the buildspec says", spec("env: {variables: {PATH: '$PATH:/nowhere'}}", "echo $PATH; cd /", "pwd; ls"), []string{"$PATH:/nowhere", "/"}, "exit status 127"},
		{"directory that is gone", spec("", "mkdir d; cd d; rmdir ../d", "echo on"), []string{"on"}, ""},
		{"no standard input", spec("", "read -r x || echo closed"), []string{"closed"}, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := newFixture(t, tt.spec)
			_, err := f.build(t, t.Context())
			if (err == nil) != (tt.wantErr == "") || err != nil && !strings.Contains(err.Error(), tt.wantErr) {
				t.Errorf("error = %v, want %q", err, tt.wantErr)
			}
			got := slices.DeleteFunc(f.printed(), func(line string) bool {
				return strings.Contains(line, "script.sh: line ") || strings.Contains(line, "getcwd")
			})
			if !slices.Equal(got, tt.wantPrinted) {
				t.Errorf("printed %q\nwant %q", f.printed(), tt.wantPrinted)
			}
		})
	}
}

func TestVariables(t *testing.T) {
	hostile := "a'b\"c $(touch owned) `touch owned` \\ \n$HOME *"
	f := newFixture(t, `version: 0.2
env:
  variables: {A: spec, B: spec, C: spec, D: NO, FROM_HOST: spec}
  exported-variables: [A, B, C, D, HOSTILE, LATE, UNSET, FROM_HOST, EMPTY, NAMES, CODEBUILD_SRC_DIR, CODEBUILD_RESOLVED_SOURCE_VERSION]
phases:
  build:
    commands:
      - LATE=late EMPTY=
      - test ! -e owned
      - NAMES="$(env | grep -v '^[[:space:]]' | cut -d= -f1 | sort | tr '\n' ' ')"
      - test "$(cd "$HOME" && pwd)" != "$(cd ~root && pwd)"
`)
	f.properties["environment"].(map[string]any)["environmentVariables"] = []any{
		map[string]any{"name": "B", "value": "project"}, map[string]any{"name": "C", "value": "project", "type": "PLAINTEXT"},
		map[string]any{"name": "with-dash", "value": "kept"},
	}
	f.input.EnvironmentVariables = []EnvironmentVariable{{Name: "C", Value: "start"}, {Name: "HOSTILE", Value: hostile}}
	f.source["buildspec.yml"] = strings.Replace(f.source["buildspec.yml"], "      - test !", "      - LATER=1; env | grep -q with-dash=kept\n      - test !", 1)
	t.Setenv("LEAKED_FROM_THE_TEST", "yes")
	b := f.mustBuild(t)
	got := b.ExportedVariables
	names := strings.Fields(got["NAMES"])
	src := got["CODEBUILD_SRC_DIR"]
	delete(got, "NAMES")
	delete(got, "CODEBUILD_SRC_DIR")
	want := map[string]string{"A": "spec", "B": "project", "C": "start", "D": "NO", "HOSTILE": hostile, "LATE": "late",
		"FROM_HOST": "spec", "EMPTY": "", "CODEBUILD_RESOLVED_SOURCE_VERSION": "0123abc"}
	if !maps.Equal(got, want) {
		t.Errorf("exported %q\nwant %q", got, want)
	}
	if filepath.Base(src) != "src" || !filepath.IsAbs(src) {
		t.Errorf("CODEBUILD_SRC_DIR = %s", src)
	}
	wantNames := strings.Fields("AWS_DEFAULT_REGION AWS_REGION CODEBUILD_BUILD_ARN CODEBUILD_BUILD_ID CODEBUILD_BUILD_IMAGE CODEBUILD_BUILD_NUMBER " +
		"CODEBUILD_BUILD_SUCCEEDING CODEBUILD_BUILD_URL CODEBUILD_CI CODEBUILD_INITIATOR CODEBUILD_KMS_KEY_ID CODEBUILD_LOG_PATH CODEBUILD_PROJECT_ARN " +
		"CODEBUILD_RESOLVED_SOURCE_VERSION CODEBUILD_SOURCE_REPO_URL CODEBUILD_SOURCE_VERSION CODEBUILD_SRC_DIR CODEBUILD_START_TIME HOME PATH TMPDIR with-dash")
	for _, name := range wantNames {
		if !slices.Contains(names, name) {
			t.Errorf("%s is not set", name)
		}
	}
	if slices.Contains(names, "LEAKED_FROM_THE_TEST") {
		t.Error("a variable of this process reached the build")
	}
}

func TestBuildNumbersAndIDs(t *testing.T) {
	f := newFixture(t, spec("", "echo $CODEBUILD_BUILD_NUMBER $CODEBUILD_BUILD_ARN $AWS_REGION $CODEBUILD_KMS_KEY_ID"))
	f.mustBuild(t)
	b := f.mustBuild(t)
	want := fmt.Sprintf("2 arn:aws:codebuild:eu-central-1:123456789012:build/%s eu-central-1 arn:aws:kms:eu-central-1:123456789012:alias/aws/s3", b.ID)
	if got := f.printed(); len(got) != 1 || got[0] != want || b.Number != 2 {
		t.Errorf("printed %q, want %q", got, want)
	}
}

func TestHomeIsNotTheDevelopers(t *testing.T) {
	f := newFixture(t, spec("", "touch ~/mark $TMPDIR/mark; ls -d ~/mark"))
	f.mustBuild(t)
	if home, _ := os.UserHomeDir(); strings.HasPrefix(f.printed()[0], filepath.Join(home, "mark")) {
		t.Errorf("HOME of the build is %s", home)
	}
}
