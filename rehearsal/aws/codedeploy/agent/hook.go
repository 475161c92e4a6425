package agent

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"unicode/utf8"

	"cicd/rehearsal/aws/codedeploy/appspec"
)

// hook is a lifecycle event's scripts and where they are (hook_executor.rb).
type hook struct {
	execution
	event string
	// archive is the unpacked bundle that the scripts are in: this deployment's or the last installed one's.
	archive string
	output  *scriptLog
}

// runHook runs the scripts of an event, if there are any.
func (e execution) runHook(ctx context.Context, event string) error {
	dir := e.dir()
	if slices.Contains(previous, event) && !exists(e.archiveDir()) {
		last, err := e.recorded(lastSuccessfulInstall)
		if err != nil || last == "" {
			return err // a first deployment has nothing to stop
		}
		dir = last
	}
	h := hook{execution: e, event: event, archive: filepath.Join(dir, "deployment-archive")}
	spec, err := h.readAppSpec()
	if err != nil || len(spec.Hooks[event]) == 0 {
		return err
	}
	h.output, err = e.openScriptLog()
	if err != nil {
		return err
	}
	defer h.output.close()
	if err := h.output.write("LifecycleEvent - " + event + "\n"); err != nil {
		return err
	}
	run := h.runScript
	if e.agent.Version == 2 {
		run = h.runScriptInRust
	}
	for _, script := range spec.Hooks[event] {
		if err := run(ctx, script); err != nil {
			return err
		}
	}
	return nil
}

func (h hook) readAppSpec() (appspec.AppSpec, error) {
	path := filepath.Join(h.archive, "appspec.yml")
	if yaml := filepath.Join(h.archive, "appspec.yaml"); h.agent.Version == 2 && !exists(path) && exists(yaml) {
		path = yaml
	}
	if !exists(path) {
		f := &Failure{Code: UnknownError, Message: fmt.Sprintf(
			`The CodeDeploy agent did not find an AppSpec file within the unpacked revision directory at revision-relative path "appspec.yml". `+
				`The revision was unpacked to directory %q, and the AppSpec file was expected but not found at path %q. `+
				`Consult the AWS CodeDeploy Appspec documentation for more information at http://docs.aws.amazon.com/codedeploy/latest/userguide/reference-appspec-file.html`,
			h.archive, path)}
		switch {
		case exists(filepath.Join(h.archive, "appspec.yaml")):
			f.Hint = "the bundle has appspec.yaml: the agent reads hooks from appspec.yml alone, so rename it"
		case h.archive != h.archiveDir():
			f.Hint = h.event + " runs from the revision that was installed last, and its files are gone from this host"
		default:
			f.Hint = "appspec.yml has to be at the root of the build's artifact: see artifacts in the buildspec (F27)"
		}
		return appspec.AppSpec{}, f
	}
	return h.agent.readAppSpec(path)
}

// fail returns the failure of a script, with the log so far. A log with bytes that are not UTF-8 costs the agent its
// whole report (command_poller.rb, gather_diagnostics_from_script_error).
func (h hook) fail(code Code, script appspec.Script, format string, args ...any) *Failure {
	f := &Failure{
		Code:    code,
		Script:  script.Location,
		Message: fmt.Sprintf(format, args...),
		Log:     h.output.String(),
		Hint:    h.hint(code, script),
	}
	if utf8.ValidString(f.Log) {
		return f
	}
	return &Failure{
		Code:    UnknownError,
		Script:  script.Location,
		Message: "Attempting minimal diagnostics",
		Log:     "Exception JSON::GeneratorError occured",
		Hint: fmt.Sprintf("the script's output has bytes that are not UTF-8, which the agent can neither log nor report (F56): "+
			"it would have said %q; logs/scripts.log on the host has the output", f.Message),
	}
}

// runScript makes sure that a script exists and is executable, and runs it.
func (h hook) runScript(ctx context.Context, script appspec.Script) error {
	path := fileJoin(h.archive, script.Location)
	if strings.ContainsRune(path, 0) {
		return &Failure{Code: UnknownError, Message: "string contains null byte"} // ArgumentError of File.exist?
	}
	if !exists(path) {
		return h.fail(ScriptMissing, script, "Script does not exist at specified location: %s", filepath.Clean(path))
	}
	const executable = 1 // X_OK of access(2)
	if syscall.Access(path, executable) != nil {
		h.log("Script at specified location: %s is not executable.  Trying to make it executable.", script.Location)
		if makeExecutable(path) != nil {
			return h.fail(ScriptNotExecutable, script, "Unable to set script at specified location: %s as executable", script.Location)
		}
	}
	if err := h.output.write("Script - " + script.Location + "\n"); err != nil {
		return h.fail(ScriptFailed, script, "%s failed with error ArgumentError with message %v", prefix(script), err)
	}
	return h.execute(ctx, script, path)
}

// makeExecutable is FileUtils.chmod("+x"), which leaves the target of a symbolic link alone (fileutils.rb, Entry_#chmod).
func makeExecutable(path string) error {
	info, err := os.Lstat(path)
	if err != nil || info.Mode()&os.ModeSymlink != 0 {
		return err
	}
	return os.Chmod(path, info.Mode()|0o111)
}

// fileJoin is Ruby's File.join, which only minds the slashes where it joins.
func fileJoin(dir, name string) string {
	return strings.TrimRight(dir, "/") + "/" + strings.TrimPrefix(name, "/")
}
