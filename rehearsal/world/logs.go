package world

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/charmbracelet/x/ansi"

	"cicd/rehearsal/console"
	"cicd/rehearsal/workspace"

	"cicd/rehearsal/aws/codedeploy"
)

// logs keeps the output of builds and hooks: all of it in files, one per build and per hook, and on the console if
// verbose.
type logs struct {
	*console.Console
	verbose bool
	folder  *workspace.Logs // nil if it could not be made
	hooks   map[string]*log // of the running lifecycle events, by file name

	mu   sync.Mutex
	last string // the last line of output, with its source
}

// latest returns the last line of output since forget, after its source, or "" if there is none.
func (l *logs) latest() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.last
}

// forget makes latest return nothing until there is output again.
func (l *logs) forget() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.last = ""
}

// remember makes the last line in p the latest.
func (l *log) remember(p []byte) {
	line := bytes.TrimSpace(p)
	if line = line[bytes.LastIndexByte(line, '\n')+1:]; len(line) == 0 {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.logs.last = l.source + " | " + ansi.Strip(string(line))
}

// openLogs makes the folder for the logs. Without one the rehearsal goes on: the checkout may be read-only.
func (w *World) openLogs(ctx context.Context) (*logs, error) {
	folder, err := workspace.NewLogs(ctx, w.ProjectDir, w.Stack, w.Stderr)
	if err != nil && ctx.Err() != nil {
		return nil, err
	}
	if err != nil {
		w.Note("warning: the logs of builds and hooks are not kept: %v", err)
	}
	return &logs{Console: w.Console, verbose: w.Verbose, folder: folder, hooks: map[string]*log{}}, nil
}

// LogDir is the folder with the logs of builds and hooks, or "" if none are kept.
func (w *World) LogDir() string {
	if w.logs.folder == nil {
		return ""
	}
	return w.logs.folder.Dir
}

// closeLogs removes the logs unless the rehearsal failed or they were asked for. If they stay and the failure does not
// say where they are, it does.
func (w *World) closeLogs(failure error) error {
	if w.logs == nil || w.LogDir() == "" {
		return nil
	}
	kept, err := w.logs.folder.Close(w.Keep || failure != nil)
	if kept && (failure == nil || !strings.Contains(failure.Error(), w.LogDir())) {
		fmt.Fprintf(w.Stderr, "\nThe logs of builds and hooks are in %s.\n", w.LogDir())
	}
	return err
}

// build opens the log of a build.
func (l *logs) build(id string) io.WriteCloser {
	_, unique, _ := strings.Cut(id, ":")
	return l.open(buildLog(id), fmt.Sprintf("build %.7s", unique))
}

// hook logs a lifecycle event's output, in the format of the agent's scripts.log. An event without output has no log.
func (l *logs) hook(e codedeploy.Event) {
	name, source := hookLog(e.Deployment, e.Instance, e.Lifecycle), fmt.Sprintf("%s %.7s", e.Lifecycle, e.Instance)
	one := l.hooks[name]
	switch {
	case e.Line != nil:
		if one == nil {
			one = l.open(name, source)
			l.hooks[name] = one
		}
		one.line(e.Line.Text)
	case e.Lifecycle != "" && e.Status == codedeploy.InProgress:
		(&log{logs: l, source: source}).remember([]byte("(has begun)"))
	case one != nil && e.Status != codedeploy.InProgress:
		if e.Err != nil {
			one.line(e.Err.Error())
		}
		one.Close()
		delete(l.hooks, name)
	}
}

// buildLog and hookLog return file names.
func buildLog(id string) string { return strings.ReplaceAll(id, ":", "-") + ".log" }
func hookLog(deployment, instance, event string) string {
	return fmt.Sprintf("%s-%s-%s.log", deployment, instance, event)
}

// explain adds the path of a log, if it exists, to a failure.
func (l *logs) explain(failure error, name string) error {
	if failure == nil || l.folder == nil {
		return failure
	}
	path := l.folder.Path(name)
	if _, err := os.Stat(path); err != nil {
		return failure
	}
	return fmt.Errorf("%w\n  log: %s", failure, path)
}

// explainDeployment adds the paths of the failed hooks' logs to a deployment's error.
func (l *logs) explainDeployment(d *codedeploy.Deployment) error {
	err := d.Err()
	for _, instance := range d.Info().Instances {
		for _, event := range instance.Events {
			if event.Failure != nil {
				err = l.explain(err, hookLog(d.ID, instance.ID, event.Name))
			}
		}
	}
	return err
}

// log is the log of one build or hook. If it cannot be written, nothing stops; Close reports it.
type log struct {
	*logs
	source string         // as shown
	file   io.WriteCloser // nil if there is none
	err    error          // why the file is incomplete
	rest   []byte         // an unfinished line
}

func (l *logs) open(name, source string) *log {
	one := &log{logs: l, source: source}
	if l.folder == nil {
		return one
	}
	file, err := l.folder.Create(name)
	if err != nil {
		one.err = err
		return one
	}
	one.file = file
	return one
}

// Write implements io.Writer. It never fails.
func (l *log) Write(p []byte) (int, error) {
	l.remember(p)
	l.keep(p)
	l.show(p)
	return len(p), nil
}

// line logs a line and adds the time of day, which the lines of a build already have.
func (l *log) line(text string) {
	l.remember([]byte(text))
	l.keep(fmt.Appendf(nil, "%s %s\n", time.Now().Format(time.DateTime), text))
	l.show([]byte(text + "\n"))
}

func (l *log) keep(p []byte) {
	if l.file != nil && l.err == nil {
		_, l.err = l.file.Write(p)
	}
}

// longest is how long an unfinished line may become before it is shown in parts.
const longest = 64 << 10

func (l *log) show(p []byte) {
	if !l.verbose {
		return
	}
	l.rest = append(l.rest, p...)
	for {
		line, rest, ended := bytes.Cut(l.rest, []byte("\n"))
		if !ended && len(line) < longest {
			return
		}
		l.Output(l.source, string(line))
		l.rest = rest
	}
}

// Close shows an unfinished last line, and reports whether the file is incomplete.
func (l *log) Close() error {
	if len(l.rest) > 0 {
		l.show([]byte("\n"))
	}
	if l.file != nil {
		l.err = errors.Join(l.err, l.file.Close())
	}
	if l.err != nil {
		l.Note("warning: the log of %s is incomplete: %v", l.source, l.err)
	}
	return nil
}
