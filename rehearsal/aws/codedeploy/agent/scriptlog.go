package agent

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"
	"unicode/utf8"
)

// tailLimit is the exclusive upper limit of a log's reported tail, in characters (hook_executor.rb, ScriptLog).
const tailLimit = 2048

// scriptLog is the output of one lifecycle event: the tail that the service gets, and scripts.log, which has all of it.
type scriptLog struct {
	file *os.File
	sink func(string)

	mu   sync.Mutex
	tail []string
}

// openScriptLog opens logs/scripts.log of a deployment; sink gets every entry as well, without its line end.
func openScriptLog(deploymentDir string, sink func(string)) (*scriptLog, error) {
	path := filepath.Join(deploymentDir, "logs", "scripts.log")
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		return nil, fmt.Errorf("script log: %w", err)
	}
	file, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o666)
	if err != nil {
		return nil, fmt.Errorf("script log: %w", err)
	}
	return &scriptLog{file: file, sink: sink}, nil
}

// write adds one entry. The entry ends its line itself; the last line of a script's output may not.
func (l *scriptLog) write(entry string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.tail = append(l.tail, entry)
	keep, size := len(l.tail), 0
	for keep > 0 && size+utf8.RuneCountInString(l.tail[keep-1]) < tailLimit {
		keep--
		size += utf8.RuneCountInString(l.tail[keep])
	}
	l.tail = l.tail[keep:]
	// Like the agent, it ignores errors of the log file: a full disk must not change the outcome of a script.
	_, _ = fmt.Fprintf(l.file, "%s %s", time.Now().Format(time.DateTime), entry)
	l.sink(strings.TrimSuffix(entry, "\n"))
}

// String returns the tail.
func (l *scriptLog) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Join(l.tail, "")
}
