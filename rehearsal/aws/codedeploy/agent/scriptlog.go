package agent

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"cicd/rehearsal/aws/codedeploy/appspec"
)

// scriptLog is the output of one lifecycle event (hook_executor.rb): the tail that the service gets, scripts.log, which
// has all of the deployment's, and the deployment log, which has all of every deployment's.
type scriptLog struct {
	deployment string
	scripts    *os.File
	all        *os.File
	sink       func(string)
	rust       bool
	// utf8 is whether the agent's locale has UTF-8, so that Ruby counts characters and notices bytes that are none.
	utf8 bool

	mu   sync.Mutex
	tail []string
}

// deploymentLog is the deployment log below the deployment root (log.rb, DeploymentLog; program_name in config.rb).
const deploymentLog = "deployment-logs/codedeploy-agent-deployments.log"

// openScriptLog opens the logs of the deployment's events; the execution's sink gets every entry as well.
func (e execution) openScriptLog() (*scriptLog, error) {
	l := &scriptLog{deployment: e.deployment.ID, rust: e.agent.Version == 2, utf8: e.agent.utf8(),
		sink: func(text string) { e.sink(Line{Kind: ScriptLine, Text: text}) }}
	var err error
	if l.scripts, err = appendTo(filepath.Join(e.dir(), "logs", "scripts.log")); err != nil {
		return nil, fmt.Errorf("script log: %w", err)
	}
	if l.all, err = appendTo(filepath.Join(e.agent.DeploymentRoot, deploymentLog)); err != nil {
		l.scripts.Close()
		return nil, fmt.Errorf("deployment log: %w", err)
	}
	if info, err := l.all.Stat(); err == nil && info.Size() == 0 {
		_, _ = fmt.Fprintf(l.all, "# Logfile created on %s by logger.rb/v1.5.3\n", time.Now().Format("2006-01-02 15:04:05 -0700")) // of Ruby 3.2
	}
	return l, nil
}

func appendTo(path string) (*os.File, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		return nil, err
	}
	return os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o666)
}

func (l *scriptLog) close() {
	l.scripts.Close()
	l.all.Close()
}

// errNotUTF8 is the ArgumentError of String#strip, which the agent calls for the deployment log.
var errNotUTF8 = errors.New("invalid byte sequence in UTF-8")

// write adds one entry. The entry ends its line itself; the last line of a script's output may not. Like the agent, it
// ignores errors of the files: a full disk must not change the outcome of a script.
func (l *scriptLog) write(entry string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	if l.rust {
		l.writeInRust(now, entry)
		return nil
	}
	l.tail = append(l.tail, entry)
	l.cutTail()
	_, _ = fmt.Fprintf(l.scripts, "%s %s", now.Format(time.DateTime), entry)
	l.sink(strings.TrimSuffix(entry, "\n"))
	if l.utf8 && !utf8.ValidString(entry) {
		return errNotUTF8
	}
	_, _ = fmt.Fprintf(l.all, "[%s] [%s]%s\n", now.Format("2006-01-02 15:04:05.000"), l.deployment, appspec.Strip(entry))
	return nil
}

// tailLimit is the size that ScriptLog.append_to_log aims at.
const tailLimit = 2048

// cutTail drops old entries as ScriptLog.append_to_log does. It takes from its limit not the length of the entry that it
// keeps but that of the one before, so that the tail can be almost twice as long, and one long entry can cost its
// neighbours; before the first entry, Ruby's index -1 is the last.
func (l *scriptLog) cutTail() {
	keep, left := len(l.tail), tailLimit
	for keep > 0 && left-l.size(keep-1) > 0 {
		keep--
		left -= l.size((keep - 1 + len(l.tail)) % len(l.tail))
	}
	l.tail = l.tail[keep:]
}

// size is Ruby's length of an entry: in characters, or in bytes if the locale has no UTF-8.
func (l *scriptLog) size(i int) int {
	if l.utf8 {
		return utf8.RuneCountInString(l.tail[i])
	}
	return len(l.tail[i])
}

// String returns the tail.
func (l *scriptLog) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Join(l.tail, "")
}

// utf8 reports whether Ruby reads text as UTF-8 in the agent's locale (setlocale(3): LC_ALL, else LC_CTYPE, else LANG).
func (a *Agent) utf8() bool {
	for _, name := range []string{"LC_ALL", "LC_CTYPE", "LANG"} {
		if value := lookup(a.environment(), name); value != "" {
			value = strings.ToLower(value)
			return strings.HasSuffix(value, "utf-8") || strings.HasSuffix(value, "utf8")
		}
	}
	return false
}

// lookup returns the last value of a name in an environment, or "".
func lookup(environment []string, name string) string {
	found := ""
	for _, v := range environment {
		if value, ok := strings.CutPrefix(v, name+"="); ok {
			found = value
		}
	}
	return found
}
