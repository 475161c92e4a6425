package agent

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"time"

	"cicd/rehearsal/aws/codedeploy/appspec"
)

// What the agent 2.1 does otherwise than 1.8 with its default settings (github.com/aws/aws-codedeploy-agent:
// CHANGELOG.md of 2.0.0, the announcement of 2.1.0, and the named files below src/). Not modelled: the deployment mode
// RESTART, which CodePipeline never asks for; the deployment log, which has the same lines here as with 1.8; the exact
// words of serde_yaml.

// runScriptInRust is runScript (lifecycle_event/executor.rs): it logs a script before it looks for it, and refuses one
// outside of the revision.
func (h hook) runScriptInRust(ctx context.Context, script appspec.Script) error {
	path := filepath.Clean(h.archive) + "/" + strings.TrimLeft(script.Location, "/")
	_ = h.output.write("Script - " + script.Location) // it never fails
	switch {
	case leaves(h.archive, path):
		return h.fail(ScriptMissing, script, "Script at specified location: %s resolves outside the deployment archive", script.Location)
	case !exists(path):
		return h.fail(ScriptMissing, script, "Script does not exist at specified location: %s", path)
	}
	const executable = 1 // X_OK of access(2)
	if syscall.Access(path, executable) != nil {
		h.log("Script at specified location: %s is not executable.  Trying to make it executable.", script.Location)
		info, err := os.Stat(path)
		if err == nil {
			err = os.Chmod(path, info.Mode()|0o111)
		}
		if err != nil {
			return h.fail(ScriptNotExecutable, script, "Unable to set script at specified location: %s as executable: %s", script.Location, rustError(err))
		}
	}
	return h.execute(ctx, script, path)
}

// leaves reports whether a path in the revision's folder leads out of it.
func leaves(archive, path string) bool {
	return !strings.HasPrefix(filepath.Clean(path)+"/", filepath.Clean(archive)+"/")
}

// rustGrace is how long a script that its timeout has ended may take before it is killed.
const rustGrace = 5 * time.Second

// rustError is Rust's text of an error of the system.
func rustError(err error) string {
	errno, ok := errnoOf(err)
	if !ok {
		return err.Error()
	}
	return fmt.Sprintf("%s (os error %d)", strerror(errno), errno)
}

// installError gives an error of Install the agent 2's context (host_command/commands/install.rs).
func (e execution) installError(context string, err error) error {
	if e.agent.Version != 2 {
		return err
	}
	f := *failure(err)
	f.Message = context + ": " + f.Message
	return &f
}

// bundleETag is what hooks see as BUNDLE_ETAG. The service often leaves it out; version 2 then has the one of its
// download (lifecycle_event/executor.rs, build_child_envs; .bundle-etag in the deployment's folder).
func (e execution) bundleETag() string {
	if e.deployment.Revision.ETag != "" || e.agent.Version != 2 {
		return e.deployment.Revision.ETag
	}
	text, _ := os.ReadFile(e.etagFile()) // absent before DownloadBundle
	return strings.TrimSpace(string(text))
}

func (e execution) recordETag(etag string) error {
	if e.agent.Version != 2 || etag == "" {
		return nil
	}
	return os.WriteFile(e.etagFile(), []byte(etag), 0o644)
}

func (e execution) etagFile() string { return filepath.Join(e.dir(), ".bundle-etag") }

var ansiSequence = regexp.MustCompile(`\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07]*\x07`)

// writeInRust adds an entry with its time, without escape sequences, and with an end of line, in the tail too, which it
// keeps to 2,048 bytes (lifecycle_event/script_run_log.rs, bounded_fifo_vec.rs). l.mu must be held.
func (l *scriptLog) writeInRust(now time.Time, entry string) {
	entry = strings.TrimSuffix(strings.TrimSuffix(entry, "\n"), "\r")
	entry = ansiSequence.ReplaceAllString(strings.ToValidUTF8(entry, "\ufffd"), "")
	line := now.Format(time.DateTime) + " " + entry + "\n"
	_, _ = l.scripts.WriteString(line)
	_, _ = fmt.Fprintf(l.all, "[%s] [%s]%s\n", now.Format("2006-01-02 15:04:05.000"), l.deployment, entry)
	l.sink(entry)
	l.tail = append(l.tail, line)
	size := 0
	for _, line := range l.tail {
		size += len(line)
	}
	for size > tailLimit {
		size -= len(l.tail[0])
		l.tail = l.tail[1:]
	}
}
