package automation

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/auto/events"
	"github.com/pulumi/pulumi/sdk/v3/go/common/apitype"
	"github.com/pulumi/pulumi/sdk/v3/go/common/diag/colors"
)

// reportInterval is how often slow resources are named, so that minutes of waiting are not silent.
const reportInterval = 30 * time.Second

// problem is one thing that went wrong with one resource.
type problem struct {
	urn     string
	message string
}

// watcher follows an operation through the engine's events: it prints progress and collects what the result and error need.
type watcher struct {
	// events is the channel that the SDK sends to.
	events chan events.EngineEvent
	// begun is closed at the first event. By then the engine handles signals: it locks the stack, then installs its
	// signal handler, then sends events (Pulumi, pkg/backend/diy/backend.go).
	begun chan struct{}

	// problems, changes and replaced are complete after close.
	problems []problem
	changes  map[string]int
	replaced []string // URNs

	out      io.Writer
	started  map[string]time.Time // by URN: running operations
	plugins  map[string]bool      // by event id: downloads already reported
	finished chan struct{}        // closed by close: no more events will come
	drained  chan struct{}
}

// watch starts a watcher; call its close when the operation has ended.
func watch(out io.Writer) *watcher {
	w := &watcher{
		events:   make(chan events.EngineEvent),
		begun:    make(chan struct{}),
		out:      out,
		started:  map[string]time.Time{},
		plugins:  map[string]bool{},
		finished: make(chan struct{}),
		drained:  make(chan struct{}),
	}
	go w.loop()
	return w
}

// close waits until every event has been handled. The SDK closes the events channel only if an engine has connected
// to it, so the end of the operation must end the loop too.
func (w *watcher) close() {
	close(w.finished)
	<-w.drained
}

func (w *watcher) loop() {
	defer close(w.drained)
	report := time.NewTicker(reportInterval)
	defer report.Stop()
	incoming, seen := w.events, false
	for {
		select {
		case e, ok := <-incoming:
			if !ok {
				incoming = nil
				continue
			}
			if !seen && e.Error == nil {
				seen = true
				close(w.begun)
			}
			w.see(e)
		case <-report.C:
			w.reportSlow()
		case <-w.finished:
			return
		}
	}
}

func (w *watcher) see(e events.EngineEvent) {
	switch {
	case e.Error != nil:
		w.problems = append(w.problems, problem{message: "engine events: " + e.Error.Error()})
	case e.ResourcePreEvent != nil:
		w.started[e.ResourcePreEvent.Metadata.URN] = time.Now()
	case e.ResOutputsEvent != nil:
		w.ended(e.ResOutputsEvent.Metadata, verbs[e.ResOutputsEvent.Metadata.Op], e.ResOutputsEvent.Planning)
	case e.ResOpFailedEvent != nil:
		w.ended(e.ResOpFailedEvent.Metadata, "FAILED", false)
	case e.StdoutEvent != nil: // the engine's answer to an interruption
		w.print(plain(e.StdoutEvent.Message))
	case e.DiagnosticEvent != nil:
		w.diagnose(*e.DiagnosticEvent)
	case e.ProgressEvent != nil && !w.plugins[e.ProgressEvent.ID]:
		w.plugins[e.ProgressEvent.ID] = true
		w.print(e.ProgressEvent.Message)
	case e.SummaryEvent != nil:
		w.changes = map[string]int{}
		for op, n := range e.SummaryEvent.ResourceChanges {
			w.changes[string(op)] = n
		}
	}
}

// verbs are the operations worth a line. A replacement is two operations; "replace" itself is only their heading.
var verbs = map[apitype.OpType]string{
	apitype.OpCreate:            "create",
	apitype.OpUpdate:            "update",
	apitype.OpDelete:            "delete",
	apitype.OpCreateReplacement: "replace",
	apitype.OpDeleteReplaced:    "delete",
	apitype.OpImport:            "import",
}

// ended prints an operation's line.
func (w *watcher) ended(m apitype.StepEventMetadata, verb string, planned bool) {
	began, known := w.started[m.URN]
	delete(w.started, m.URN)
	if verb == "" || strings.HasPrefix(m.Type, "pulumi:") {
		return // the stack and its providers exist in no account
	}
	if m.Op == apitype.OpCreateReplacement {
		w.replaced = append(w.replaced, m.URN)
	}
	took := ""
	if known && !planned {
		took = fmt.Sprintf("%.1fs", time.Since(began).Seconds())
	}
	w.printRow(verb, m.URN, took)
}

// diagnose keeps errors for the end, where they are read, and prints the rest as it comes.
func (w *watcher) diagnose(d apitype.DiagnosticEvent) {
	message := plain(d.Message)
	switch {
	case d.Ephemeral || message == "":
	case d.Severity == "error":
		w.problems = append(w.problems, problem{urn: d.URN, message: message})
	case d.Severity == "warning":
		w.print("warning: " + about(d.URN) + message)
	default:
		w.print(about(d.URN) + message)
	}
}

// reportSlow names the operations that have been running for a while.
func (w *watcher) reportSlow() {
	for _, urn := range slices.Sorted(maps.Keys(w.started)) {
		if took := time.Since(w.started[urn]); took >= reportInterval {
			w.printRow("...", urn, fmt.Sprintf("%.0fs", took.Seconds()))
		}
	}
}

// printRow prints 80 columns: a word, the resource, a duration.
func (w *watcher) printRow(word, urn, took string) {
	w.print(fmt.Sprintf("%-7s  %-34s  %-25s %7s", word, clip(resourceType(urn), 34), clip(resourceName(urn), 25), took))
}

func (w *watcher) print(line string) { fmt.Fprintf(w.out, "  %s\n", strings.TrimRight(line, " ")) }

// plain removes the engine's color markup.
func plain(message string) string { return strings.TrimSpace(colors.Never.Colorize(message)) }

// clip truncates s to a width in characters.
func clip(s string, width int) string {
	if r := []rune(s); len(r) > width {
		return string(r[:width-1]) + "…"
	}
	return s
}
