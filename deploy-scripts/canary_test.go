package deployscripts_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestSecretsAreNowhereElse releases an application with a secret, and looks for that in the lists of arguments of all
// commands, in what hooks print, and in all files that they could write. The application has it.
func TestSecretsAreNowhereElse(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	const canary = `canary "q" 'a' $b`
	h.services.parameters["/cicd/dev/TOKEN"] = canary + "\nsecond line\n"
	h.services.secrets[secretARN+"app-AbCdEf"] = jsonOf(map[string]string{"key": canary + " of JSON"})
	h.services.secrets[secretARN+"whole-AbCdEf"] = "another canary"
	bundle := h.mustBuild(1, app(t, "one", ""))
	steadySoon(t, bundle)
	settle(t, bundle, slices.Concat([]string{"ENVIRONMENT COLOUR=dark \"red\"\\n\\\\", "SECRET TOKEN=/cicd/dev/TOKEN", "SECRET FIELD=" + secretARN + "app-AbCdEf#key",
		"SECRET WHOLE=" + secretARN + "whole-AbCdEf"}, command("print", "PORT"), process("worker", "print-and-work", "TOKEN"))...)
	bin := h.recordArguments()

	var output string
	for _, want := range []bool{true, false} { // a release that succeeds, and one whose command does not
		if !want {
			settle(t, bundle, slices.Concat([]string{"SECRET TOKEN=/cicd/dev/TOKEN"}, command("fail"))...)
			edit(t, filepath.Join(bundle, "release.env"), "BUILD_ID=.*", "BUILD_ID=another")
		}
		out, err := h.deploy(bundle, "PATH="+bin)
		if output += out; (err == nil) != want {
			t.Fatalf("deploy: %v\n%s", err, out)
		}
		for name, value := range map[string]string{"TOKEN": canary + "\nsecond line\n", "FIELD": canary + " of JSON", "WHOLE": "another canary", "COLOUR": "dark \"red\"\n\\", "PORT": "8080"} {
			if got := h.variable(name); got != value {
				t.Errorf("the application has %s = %q, want %q", name, got, value)
			}
		}
	}
	worker := docker(t, "container ls --quiet --filter label=com.cicd.worker="+h.app)
	if got := docker(t, "container logs "+worker); !strings.Contains(got, "canary") {
		t.Errorf("the worker says %q, want its secret", got)
	}

	arguments := readFile(t, filepath.Join(bin, "arguments"))
	for _, want := range []string{"--env TOKEN", "--env WHOLE", "get-secret-value", "awk"} {
		if !strings.Contains(arguments, want) {
			t.Errorf("the recorded arguments lack %q, so they prove nothing", want)
		}
	}
	if strings.Contains(arguments, "canary") {
		t.Error("a list of arguments has the secret")
	}
	if strings.Contains(output, "canary") {
		t.Errorf("a hook prints the secret:\n%s", output)
	}
	for _, dir := range []string{h.tmp, h.home, bundle} {
		for _, path := range filesWith(t, dir, "canary") {
			t.Errorf("%s has the secret", path)
		}
	}
}

// variable asks the application for one of its variables.
func (h *host) variable(name string) string { return answerAt(h.edge + "/variable/" + name) }

// recordArguments returns a folder with all commands that hooks may use. Each notes its arguments there.
func (h *host) recordArguments() string {
	h.t.Helper()
	bin := h.t.TempDir()
	for _, name := range onHost {
		path := h.command(name)
		write(h.t, filepath.Join(bin, name), "#!/bin/bash\nprintf '%s\\n' \""+name+" $*\" >>"+bin+"/arguments\nexec "+path+" \"$@\"\n")
	}
	return bin
}

// filesWith lists the files below a folder that contain a text. Test binaries do.
func filesWith(t *testing.T, dir, text string) (found []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		raw, err := os.ReadFile(path)
		if strings.Contains(string(raw), text) {
			found = append(found, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}
