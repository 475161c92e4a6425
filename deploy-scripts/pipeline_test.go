package deployscripts_test

import (
	"crypto/rand"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
)

// commitID makes a commit id that identifies the test and the commit.
func commitID(n int) string { return fmt.Sprintf("%040x", n) }

// s3 stands in for S3 where builds ask for the object that SETTINGS names, which is a file beside this script.
const s3 = `#!/bin/bash
if [[ "${*:1:8}" == "s3api get-object --region eu-central-1 --bucket artifacts --key _stack/settings.env" && $# == 9 ]]; then
  cat "${0%/*}/settings.env" >"$9" && exec echo '{"ContentLength": 1}'
fi
echo "An error occurred (NoSuchKey) when calling the GetObject operation: The specified key does not exist." >&2
exit 254
`

// build runs the buildspec's commands for a commit whose application fill writes, phase by phase as CodeBuild does. It
// returns the bundle's folder.
func (h *host) build(commit string, fill func(webapp string), env ...string) (bundle, output string, err error) {
	h.t.Helper()
	source := h.t.TempDir()
	for _, part := range []string{"build", "hooks", "edge"} {
		copyTree(h.t, part, filepath.Join(source, "deploy-scripts", part))
	}
	copyFile(h.t, "appspec.yml", filepath.Join(source, "deploy-scripts", "appspec.yml"))
	fill(filepath.Join(source, "webapp"))
	write(h.t, filepath.Join(h.home, "s3"), s3)
	write(h.t, filepath.Join(h.home, "settings.env"), h.settings)

	succeeding, id := 1, "CODEBUILD_BUILD_ID=project:"+rand.Text()
	spec := readBuildspec(h.t)
	for _, phase := range []string{"pre_build", "build", "post_build"} {
		for _, command := range spec.Phases[phase].Commands {
			cmd := exec.Command("bash", "-c", h.withUmask(command))
			cmd.Dir = source
			cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
			cmd.Env = slices.Concat(h.env, []string{id}, env, []string{"COMMIT_ID=" + commit, fmt.Sprint("CODEBUILD_BUILD_SUCCEEDING=", succeeding)})
			out, failed := h.run(cmd)
			output += out
			if phase == "post_build" {
				h.wantNothingLeft(command)
			}
			h.wantNoProcess(command)
			if failed != nil {
				err, succeeding = fmt.Errorf("%s: %w", command, failed), 0
				break
			}
		}
		if err != nil && phase == "pre_build" {
			break
		}
	}
	notes, _ := os.ReadFile(filepath.Join(source, "deploy-scripts", "notes.txt"))
	h.notes = string(notes)
	if err == nil {
		bundle = h.t.TempDir()
		for _, pattern := range spec.Artifacts.Files {
			from := filepath.Join(source, spec.Artifacts.BaseDirectory)
			if folder, all := strings.CutSuffix(pattern, "/**/*"); all {
				copyTree(h.t, filepath.Join(from, folder), filepath.Join(bundle, folder))
			} else {
				copyFile(h.t, filepath.Join(from, pattern), filepath.Join(bundle, pattern))
			}
		}
	}
	return bundle, output, err
}

// mustBuild makes a build that must succeed.
func (h *host) mustBuild(n int, fill func(webapp string), env ...string) string {
	h.t.Helper()
	bundle, output, err := h.build(commitID(n), fill, env...)
	if err != nil {
		h.t.Fatalf("build %d: %v\n%s", n, err, output)
	}
	return bundle
}

// deploy runs the bundle's hooks as the agent does, one event after the other.
func (h *host) deploy(bundle string, env ...string) (output string, err error) {
	h.t.Helper()
	spec := readAppspec(h.t, filepath.Join(bundle, "appspec.yml"))
	for _, event := range []string{"BeforeInstall", "ApplicationStart", "ValidateService"} {
		for _, script := range spec.Hooks[event] {
			var out string
			out, err = h.run(h.hook(bundle, script.Location, env...))
			output += out
			h.wantNothingLeft(script.Location)
			if err != nil {
				return output, fmt.Errorf("%s: %w", script.Location, err)
			}
		}
	}
	return output, nil
}

// hook returns the command that runs a hook as the agent does, in its own process group.
func (h *host) hook(bundle, location string, env ...string) *exec.Cmd {
	cmd := exec.Command(filepath.Join(bundle, location))
	if h.umask != "" {
		cmd = exec.Command("bash", "-c", h.withUmask(`exec "$0"`), filepath.Join(bundle, location))
	}
	cmd.Dir = "/"
	cmd.Env = append(slices.Clone(h.env), env...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Credential: h.user}
	return cmd
}

func (h *host) withUmask(command string) string {
	if h.umask == "" {
		return command
	}
	return "umask " + h.umask + " && " + command
}

// run returns a command's output. The output goes to a file: with a pipe, os/exec would wait for any process that the
// command leaves behind.
func (h *host) run(cmd *exec.Cmd) (string, error) {
	h.t.Helper()
	out, err := os.CreateTemp(h.home, "output")
	if err != nil {
		h.t.Fatal(err)
	}
	defer out.Close()
	cmd.Stdout, cmd.Stderr = out, out
	h.services.settle()
	err = cmd.Run()
	text, readErr := os.ReadFile(out.Name())
	if readErr != nil {
		h.t.Fatal(readErr)
	}
	return string(text), err
}

func (h *host) mustDeploy(bundle string, env ...string) {
	h.t.Helper()
	if output, err := h.deploy(bundle, env...); err != nil {
		h.t.Fatalf("deploy: %v\n%s", err, output)
	}
}
