package codebuild

import (
	"slices"
	"strings"
	"testing"
)

func TestParseRefuses(t *testing.T) {
	const build = "phases: {build: {commands: [make]}}\n"
	tests := []struct {
		name, text string
		want       []string // each must be in the error
	}{
		{"empty", "", []string{"b.yml: empty"}},
		{"not YAML", "version: 0.2\n\tphases:", []string{"line 2"}},
		{"not a mapping", "- a\n", []string{"want keys and values"}},
		{"nothing required", "env: {}\n", []string{"version is required", "phases is required"}},
		{"version", "version: 0.3\n" + build, []string{`line 1: version: "0.3": want one of 0.1, 0.2`}},
		{"all at once", "version: 0.3\nphases:\n  build:\n    - make\n", []string{"line 1: version", "line 4: phases.build: want keys and values"}},
		{"phase name", "version: 0.2\nphases: {prebuild: {commands: [a]}}\n", []string{`Invalid buildspec phase name: prebuild. Expecting: build,install,post_build,pre_build; did you mean "pre_build"?`}},
		{"key twice", "version: 0.2\n" + build + "phases: {}\n", []string{`line 3: buildspec: key "phases" is already set in line 2`}},
		{"colon in a command", "version: 0.2\nphases:\n  build:\n    commands:\n      - echo a: b\n", []string{"line 5: Expected phases.build.commands[0] to be of string type: found subkeys instead"}},
		{"shell", "version: 0.2\nenv: {shell: powershell.exe}\n" + build, []string{`env.shell: "powershell.exe": want one of bash, /bin/sh`}},
		{"reserved variable", "version: 0.2\nenv: {variables: {CODEBUILD_X: a}}\n" + build, []string{"CODEBUILD_X: names that start with CODEBUILD_ are reserved"}},
		{"exported AWS_ variable", "version: 0.2\nenv: {exported-variables: [AWS_REGION]}\n" + build, []string{"AWS_REGION: a variable whose name starts with AWS_ cannot be exported"}},
		{"variable that is no text", "version: 0.2\nenv: {variables: {A: [1]}}\n" + build, []string{"env.variables.A: want text"}},
		{"on-failure", "version: 0.2\nphases: {build: {on-failure: STOP, commands: [a]}}\n", []string{`phases.build.on-failure: "STOP": want ABORT, CONTINUE, RETRY`}},
		{"retry count", "version: 0.2\nphases: {build: {on-failure: RETRY-101, commands: [a]}}\n", []string{"101 retries: want 0 to 100"}},
		{"retry regex", "version: 0.2\nphases: {build: {on-failure: 'RETRY-(', commands: [a]}}\n", []string{"missing closing )"}},
		{"artifacts without files", "version: 0.2\n" + build + "artifacts: {name: x}\n", []string{"artifacts: files is required"}},
		{"artifacts with no file", "version: 0.2\n" + build + "artifacts: {files: }\n", []string{"artifacts.files: want at least one"}},
		{"secondary artifacts without files", "version: 0.2\n" + build + "artifacts: {secondary-artifacts: {x: {name: b}}}\n", []string{"artifacts.secondary-artifacts.x: files is required"}},
		{"yes or no", "version: 0.2\n" + build + "artifacts: {files: [a], discard-paths: maybe}\n", []string{`"maybe": want yes or no`}},
		{"cache without paths", "version: 0.2\n" + build + "cache: {key: k}\n", []string{"cache: paths is required"}},
		{"cache action", "version: 0.2\n" + build + "cache: {paths: [a], action: both}\n", []string{"want one of restore, save"}},
		{"report format", "version: 0.2\n" + build + "reports: {r: {files: [a], file-format: junit}}\n", []string{"want one of CUCUMBERJSON"}},
		{"steps", "version: 0.2\nphases: {build: {steps: [{uses: a}]}}\n", []string{"GitHub Actions cannot be rehearsed"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := ParseBuildspec("b.yml", []byte(tt.text))
			if err == nil {
				t.Fatal("accepted")
			}
			for _, want := range tt.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("error = %v\nwant %q", err, want)
				}
			}
		})
	}
}

// Everything that the guide documents is known; what a rehearsal ignores is noted.
func TestParseAcceptsTheGuidesSyntax(t *testing.T) {
	spec, err := ParseBuildspec("b.yml", []byte(`version: 0.2
run-as: builder
env:
  shell: bash
  variables: {KEY: "value", NUMBER: 1, EMPTY: }
  parameter-store: {P: /p}
  secrets-manager: {S: "id:key:stage:version"}
  exported-variables: [KEY]
  git-credential-helper: yes
proxy: {upload-artifacts: yes, logs: no}
batch: {fast-fail: false, build-list: [{identifier: a}]}
phases:
  install: &install
    run-as: root
    on-failure: ABORT
    runtime-versions: {golang: 1.20, nodejs: "$NODE"}
    commands: [a, b]
    finally: [c]
  pre_build: {commands: echo one}
  build:
    commands:
      - "export NAME=$(cat package.json | awk -F: '{ print $2 }' | sed 's/[\",]//g')"
  post_build:
    commands: [d]
reports:
  arn:aws:codebuild:region:123456789012:report-group/one: {files: ["**/*"], base-directory: target, discard-paths: no}
  two: {files: [a.xml], file-format: CucumberJson}
artifacts:
  files: ['**/*']
  name: my-$(date +%Y)
  discard-paths: no
  base-directory: out
  exclude-paths: ["**/.*"]
  enable-symlinks: yes
  s3-prefix: p
  secondary-artifacts: {other: {files: b, base-directory: c}}
cache:
  key: k-$(codebuild-hash-files go.sum)
  fallback-keys: [k-]
  action: restore
  paths: ['/root/.m2/**/*']
`))
	if err != nil {
		t.Fatal(err)
	}
	if got := spec.Variables["NUMBER"] + spec.Variables["EMPTY"]; got != "1" {
		t.Errorf("variables = %q", spec.Variables)
	}
	if want := []Runtime{{"golang", "1.20", 16}, {"nodejs", "$NODE", 16}}; !slices.Equal(spec.Runtimes, want) {
		t.Errorf("runtimes = %v, want %v", spec.Runtimes, want)
	}
	if spec.Warnings != nil {
		t.Errorf("warnings = %q", spec.Warnings)
	}
	if got := spec.Phases["pre_build"].Commands; len(got) != 1 || got[0] != "echo one" {
		t.Errorf("a single command reads %q", got)
	}
	notes := strings.Join(spec.Notes, "\n")
	for _, want := range []string{"line 2: run-as", "git-credential-helper", "proxy.upload-artifacts", "batch", "reports.two", "artifacts.name", "artifacts.s3-prefix", "artifacts.secondary-artifacts", "cache.key", "cache.fallback-keys", "cache.action"} {
		if !strings.Contains(notes, want) {
			t.Errorf("no note of %s in\n%s", want, notes)
		}
	}
}

// CodeBuild logs "Found possible syntax errors in buildspec", and goes on.
func TestParseWarnsOfUnknownKeys(t *testing.T) {
	spec, err := ParseBuildspec("b.yml", []byte("version: 0.2\nphase: {}\nphases:\n  build:\n    runtime-versions: {golang: 1.25}\n    commands: [make]\nzzzzzz: 1\n"))
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		`line 2: buildspec: CodeBuild ignores the unknown key "phase"; did you mean "phases"?; known keys: artifacts, batch`,
		`line 5: phases.build: CodeBuild ignores the unknown key "runtime-versions"; known keys: commands, finally`,
		`line 7: buildspec: CodeBuild ignores the unknown key "zzzzzz"; known keys: artifacts, batch`,
	}
	if !slices.EqualFunc(spec.Warnings, want, strings.HasPrefix) {
		t.Errorf("warnings = %q\nwant %q", spec.Warnings, want)
	}
}

// A cache whose paths are all comments is in use: aws/aws-toolkit-jetbrains, buildspec/linuxUiTests.yml.
func TestParseTakesEmptyLists(t *testing.T) {
	_, err := ParseBuildspec("b.yml", []byte("version: 0.2\nenv: {exported-variables: }\nphases: {build: {commands: [a]}}\ncache:\n  paths:\n#    - /root/.gradle\n"))
	if err != nil {
		t.Error(err)
	}
}

func TestParseAnchors(t *testing.T) {
	spec, err := ParseBuildspec("b.yml", []byte("version: 0.2\nphases:\n  pre_build: &p\n    on-failure: ABORT\n    commands: &c [a]\n  build:\n    <<: *p\n    commands: [b]\n  post_build: {commands: *c}\n"))
	if err != nil {
		t.Fatal(err)
	}
	if b := spec.Phases["build"]; b.OnFailure.Action != "ABORT" || b.Commands[0] != "b" || spec.Phases["post_build"].Commands[0] != "a" {
		t.Errorf("phases = %+v", spec.Phases)
	}
}

// CodeBuild treats an empty value as an empty command, which succeeds, and ignores unknown keys and absent commands.
func TestOddBuildspecsThatCodeBuildTakes(t *testing.T) {
	tests := []struct {
		name, phase string
		wantPrinted []string
		wantWarning string
	}{
		{"nothing but comments", "commands:\n    # - echo a\n", nil, ""},
		{"empty item", "commands:\n      - echo a\n      -\n      - echo b\n", []string{"a", "b"}, ""},
		{"finally without commands", "finally: [echo last]\n", []string{"last"},
			"buildspec.yml: line 4: phases.build has no commands, which the User Guide requires; CodeBuild logs that it found none, and goes on"},
		{"nothing at all", "", nil, "buildspec.yml: line 3: phases.build has no commands"},
		{"unknown key", "env: {variables: {A: b}}\n    commands: ['echo built $A']\n", []string{"built"},
			`buildspec.yml: line 4: phases.build: CodeBuild ignores the unknown key "env"; known keys: commands`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := newFixture(t, "version: 0.2\nphases:\n  build:\n    "+tt.phase)
			b := f.mustBuild(t)
			if got := f.printed(); !slices.Equal(got, tt.wantPrinted) {
				t.Errorf("printed %q, want %q", got, tt.wantPrinted)
			}
			if got := strings.Join(b.Warnings, "\n"); !strings.HasPrefix(got, tt.wantWarning) || (got == "") != (tt.wantWarning == "") {
				t.Errorf("warnings = %q, want %q", got, tt.wantWarning)
			}
		})
	}
}
