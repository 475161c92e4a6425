package deployscripts_test

import (
	"bytes"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// scripts returns the shell scripts: those that are run and those that are sourced.
func scripts(t *testing.T) (run, sourced []string) {
	t.Helper()
	for _, folder := range []string{"build", "hooks"} {
		err := filepath.WalkDir(folder, func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			raw, err := os.ReadFile(path)
			if bytes.HasPrefix(raw, []byte("#!/bin/bash\n")) {
				run = append(run, path)
			} else {
				sourced = append(sourced, path)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if len(run) == 0 || len(sourced) == 0 {
		t.Fatalf("scripts %q, sourced %q: want some of both", run, sourced)
	}
	return run, sourced
}

func TestShellcheck(t *testing.T) {
	if _, err := exec.LookPath("shellcheck"); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("shellcheck is not installed")
		}
		t.Skip("needs shellcheck")
	}
	run, sourced := scripts(t)
	inShell := slices.DeleteFunc(slices.Concat(run, sourced), func(path string) bool { return filepath.Ext(path) == ".awk" })
	if out, err := exec.Command("shellcheck", inShell...).CombinedOutput(); err != nil {
		t.Errorf("shellcheck: %v\n%s", err, out)
	}
	for _, file := range []string{"buildspec.yml", "stack-buildspec.yml"} {
		var spec buildspec
		readYAML(t, file, &spec)
		for phase, p := range spec.Phases {
			cmd := exec.Command("shellcheck", "--shell=bash", "-")
			cmd.Stdin = strings.NewReader(strings.Join(slices.Concat(p.Commands, p.Finally), "\n") + "\n")
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Errorf("shellcheck of %s, phase %s: %v\n%s", file, phase, err, out)
			}
		}
	}
}

func TestScriptsAreFitToRun(t *testing.T) {
	run, sourced := scripts(t)
	for _, path := range slices.Concat(run, sourced) {
		raw, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if bytes.ContainsRune(raw, '\r') {
			t.Errorf("%s has CR line ends: the host would not find its interpreter (F28)", path)
		}
		if bytes.Contains(raw, []byte("shellcheck disable")) {
			t.Errorf("%s disables a check of shellcheck", path)
		}
		if lines := bytes.Count(raw, []byte("\n")); lines > 100 {
			t.Errorf("%s has %d lines, want at most 100", path, lines)
		}
	}
	for _, path := range run {
		raw, _ := os.ReadFile(path)
		if !bytes.Contains(raw, []byte("\nset -euo pipefail\n")) {
			t.Errorf("%s lacks set -euo pipefail", path)
		}
		if info, err := os.Stat(path); err != nil || info.Mode()&0o111 == 0 {
			t.Errorf("%s is not executable (%v)", path, err)
		}
	}
}

// TestAWSCallsNameTheRegion: version 1 of the AWS CLI ignores AWS_REGION.
func TestAWSCallsNameTheRegion(t *testing.T) {
	call := regexp.MustCompile(`\baws [a-z0-9]+ [a-z-]+( --region "\$AWS_REGION")?`)
	run, sourced := scripts(t)
	calls := 0
	for _, path := range slices.Concat(run, sourced) {
		raw, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, found := range call.FindAllStringSubmatch(string(raw), -1) {
			calls++
			if found[1] == "" {
				t.Errorf(`%s: %q is not followed by --region "$AWS_REGION"`, path, found[0])
			}
		}
	}
	if calls == 0 {
		t.Error("found no call of the AWS CLI")
	}
}

func TestAppspec(t *testing.T) {
	spec := readAppspec(t, "appspec.yml")
	if spec.Version != 0 || spec.OS != "linux" {
		t.Errorf("version %v, os %q: the agent takes 0.0 and linux alone", spec.Version, spec.OS)
	}
	events := slices.Sorted(maps.Keys(spec.Hooks))
	if want := []string{"ApplicationStart", "BeforeInstall", "ValidateService"}; !slices.Equal(events, want) {
		t.Errorf("events %q, want %q and never ApplicationStop (F29)", events, want)
	}
}

// TestTimeoutsFollowSettings: in a bundle, a hook's timeout leaves room for all that the settings let the application take.
func TestTimeoutsFollowSettings(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, settings string
		health, stop   int // seconds
	}{
		{"default", "", 180, 30},
		{"least", "HEALTH_SECONDS=10\nSTOP_SECONDS=1\n", 10, 1},
		{"most", "HEALTH_SECONDS=1200\nSTOP_SECONDS=300\nRELEASE_COMMAND=./migrate\nRELEASE_COMMAND=all\nVOLUME_ID=vol-1\nVOLUME a=/a\n", 1200, 300},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			spec := bundledAppspec(t, tt.settings)
			settled := map[string]int{"HEALTH_SECONDS": tt.health, "STOP_SECONDS": tt.stop}
			if !strings.Contains(tt.settings, "RELEASE_COMMAND=") {
				settled["RELEASE_COMMAND_SECONDS"], settled["COMMAND_STOP_SECONDS"] = 0, 0
			}
			if !strings.Contains(tt.settings, "VOLUME_ID=") {
				settled["DISK_SECONDS"] = 0
			}
			uses := map[string][]string{"BeforeInstall": {"STOP_SECONDS"}, "ApplicationStart": {"HEALTH_SECONDS", "STOP_SECONDS"}}
			for event, hooks := range spec.Hooks {
				hook := hooks[0]
				longest := deadlines(t, hook.Location, settled, map[string]bool{})
				for _, name := range uses[event] {
					longest += settled[name]
				}
				if longest == 0 || longest+20 > hook.Timeout || hook.Timeout > longest+150 || hook.Timeout > 3600 {
					t.Errorf("%s: %s may take %d s, want 20 to 150 s less than its timeout of %d s, and that at most 3600 s",
						event, hook.Location, longest, hook.Timeout)
				}
			}
		})
	}
}

// bundledAppspec returns the appspec.yml of a build with these settings, of which ECR has the image.
func bundledAppspec(t *testing.T, text string) appspec {
	t.Helper()
	source := t.TempDir()
	for _, part := range []string{"build", "hooks"} {
		copyTree(t, part, filepath.Join(source, "deploy-scripts", part))
	}
	copyFile(t, "appspec.yml", filepath.Join(source, "deploy-scripts", "appspec.yml"))
	if text == "" {
		text = settings
	}
	temporary := t.TempDir()
	write(t, filepath.Join(temporary, "cicd-build.1", "settings.env"), text)
	write(t, filepath.Join(temporary, "cicd-build.1", "release.env"), "IMAGE=image\n")
	cmd := exec.Command("bash", filepath.Join(source, "deploy-scripts", "build", "bundle.sh"))
	cmd.Env = append(buildEnvironment(), "TMPDIR="+temporary, "PATH="+os.Getenv("PATH"))
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("bundle.sh: %v\n%s", err, out)
	}
	return readAppspec(t, filepath.Join(source, "deploy-scripts", "appspec.yml"))
}

var (
	deadline = regexp.MustCompile(`(?m)^readonly ([A-Z_]+_SECONDS)=(?:"\$\{[A-Z_]+:-)?([0-9]+)`)
	source   = regexp.MustCompile(`(?m)^source "\$\{BASH_SOURCE\[0\]%/\*\}/(.+)"$`)
)

// deadlines adds up every ..._SECONDS constant of a script and of what it sources, but for those that settings decide.
func deadlines(t *testing.T, path string, settled map[string]int, seen map[string]bool) (seconds int) {
	t.Helper()
	if seen[path] {
		return 0
	}
	seen[path] = true
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, found := range deadline.FindAllStringSubmatch(string(raw), -1) {
		if _, other := settled[found[1]]; other {
			continue
		}
		n, err := strconv.Atoi(found[2])
		if err != nil {
			t.Fatal(err)
		}
		seconds += n
	}
	for _, found := range source.FindAllStringSubmatch(string(raw), -1) {
		seconds += deadlines(t, filepath.Join(filepath.Dir(path), found[1]), settled, seen)
	}
	return seconds
}

// TestBundleIsComplete: an artifact without appspec.yml at its root fails on the host (F27).
func TestBundleIsComplete(t *testing.T) {
	spec := readBuildspec(t)
	if spec.Artifacts.BaseDirectory != "deploy-scripts" {
		t.Errorf("base-directory %q, want deploy-scripts", spec.Artifacts.BaseDirectory)
	}
	for _, want := range []string{"appspec.yml", "release.env", "settings.env", "hooks/**/*", "edge/**/*"} {
		if !slices.Contains(spec.Artifacts.Files, want) {
			t.Errorf("artifacts.files %q lack %s", spec.Artifacts.Files, want)
		}
	}
}
