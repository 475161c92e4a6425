package dashboard

import (
	"bytes"
	"context"
	"crypto/sha256"
	"embed"
	"fmt"
	"html/template"
	"net/http"
	"slices"
	"strings"
	"time"

	"cicd/operations"
	"cicd/rehearsal/console"
)

//go:embed files
var files embed.FS

//go:embed pages.html
var pagesText string

// words are the functions of the pages.
func (s *Server) words() template.FuncMap {
	return template.FuncMap{
		"base":  func() string { return s.base },
		"short": operations.Short, "took": operations.Took, "roughly": operations.Roughly,
		"plain": console.Plain, // a commit's message may have anything in it, and so do logs
		"utc":   func(t time.Time) string { return t.Format("2006-01-02 15:04") },
		"stamp": func(t time.Time) string { return t.Format(time.RFC3339) },
	}
}

// logLines is how many lines of a log are shown, and logAge how old those of the application may be.
const (
	logLines = 200
	logAge   = 15 * time.Minute
)

// titles are those of the pages with logs.
var titles = map[string]string{"build": "The build's log", "deploy": "The deployment's events", "application": "What the application prints"}

// page answers with a page.
func (s *Server) page(w http.ResponseWriter, r *http.Request) {
	main, title, err := s.main(r.Context(), r.URL.Path)
	if err != nil {
		s.fail(w, http.StatusNotFound, err)
		return
	}
	s.write(w, http.StatusOK, "page", struct {
		Stack, Title, Path string
		Main               template.HTML
	}{s.stack, title, r.URL.Path, main})
}

// main returns what is in a page, which may change.
func (s *Server) main(ctx context.Context, path string) (main template.HTML, title string, err error) {
	if path == "/" {
		main, err = s.render("overview", s.overview(ctx))
		return main, "Overview", err
	}
	of := strings.TrimPrefix(path, "/log/")
	if title = titles[of]; title == "" {
		return "", "", fmt.Errorf("there is no log of %q", of)
	}
	latest := s.current(ctx).Latest()
	read := s.log(ctx, of, latest)
	if of != "application" && latest != nil {
		title += ", release of " + operations.Short(latest.Commit)
	}
	main, err = s.render("log", struct {
		Title string
		logRead
	}{title, read})
	return main, title, err
}

// logRead is what a log had when it was read.
type logRead struct {
	Lines []string
	Err   string
	at    time.Time
	run   string
}

// log returns a log of the newest run, or that of the application, at most [refresh] old.
func (s *Server) log(ctx context.Context, of string, latest *operations.Run) logRead {
	s.mu.Lock()
	defer s.mu.Unlock()
	id := ""
	if latest != nil {
		id = latest.ID
	}
	last := s.logs[of]
	if last.run == id && time.Since(last.at) < refresh {
		return last
	}
	limited, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	lines, err := s.readLog(limited, of, latest)
	switch {
	case ctx.Err() != nil:
		return last
	case err != nil:
		last.Err, last.at, last.run = err.Error(), time.Now(), id
	default:
		last = logRead{Lines: lines[max(0, len(lines)-logLines):], at: time.Now(), run: id}
	}
	s.logs[of] = last
	return last
}

func (s *Server) readLog(ctx context.Context, of string, latest *operations.Run) ([]string, error) {
	switch {
	case of == "application":
		if s.app == nil {
			s.app = s.pipeline.AppTail(time.Now().Add(-logAge))
		}
		lines, err := s.app.Read(ctx)
		text := s.logs[of].Lines
		for _, line := range lines {
			process, commit, _ := strings.Cut(line.Stream, "/")
			text = append(text, fmt.Sprintf("%s %s %s | %s", line.Time.Format("15:04:05"), process, operations.Short(commit), line.Text))
		}
		return text, err
	case latest == nil:
		return nil, nil
	case of == "build":
		return s.pipeline.BuildLog(ctx, *latest)
	default:
		return s.pipeline.DeployLog(ctx, *latest)
	}
}

// overview is what the first page shows.
type overview struct {
	state
	Boxes   []box
	Actions []action
	Metrics operations.Metrics
	// Ended counts the runs that Metrics are about, and FailedPercent is the part of them that failed.
	Ended, FailedPercent int
	Bars                 []bar
	// Say is what a screen reader says when it changes.
	Say string
}

// box is a stage of the newest run.
type box struct {
	Name, Status, Took string
	// Log is the page with its log, "" for none.
	Log string
}

// bar is a run in the chart: its place and height in the chart's units, of which it has 100.
type bar struct {
	operations.Run
	X, Y, Height float64
}

func (s *Server) overview(ctx context.Context) overview {
	now := s.current(ctx)
	o := overview{state: now, Actions: now.actions(), Metrics: operations.Measure(now.Runs), Bars: bars(now.Runs), Say: now.say()}
	if o.Ended = o.Metrics.Deployed + o.Metrics.Failed; o.Ended > 0 {
		o.FailedPercent = 100 * o.Metrics.Failed / o.Ended
	}
	for _, name := range now.Stages {
		b := box{Name: name, Status: "NotYet", Log: map[string]string{"Build": "log/build", "Deploy": "log/deploy"}[name]}
		if latest := now.Latest(); latest != nil {
			if i := slices.IndexFunc(latest.Stages, func(stage operations.Stage) bool { return stage.Name == name }); i >= 0 {
				b.Status, b.Took = latest.Stages[i].Status, operations.Took(latest.Stages[i].Started, latest.Stages[i].Ended)
			}
		}
		o.Boxes = append(o.Boxes, b)
	}
	return o
}

// say returns in a sentence what a person should hear of when it changes.
func (s state) say() string {
	latest := s.Latest()
	switch {
	case s.Err != "":
		return "AWS does not answer as it should."
	case s.Waiting != nil:
		return "A release waits for an approval."
	case s.Parked:
		return "The stack is parked."
	case latest == nil || len(latest.Stages) == 0:
		return ""
	}
	stage := latest.Stages[len(latest.Stages)-1]
	return fmt.Sprintf("Release of %s: %s %s.", operations.Short(latest.Commit), stage.Name, stage.Status)
}

// bars returns the chart of runs, the oldest first. The longest has its whole height.
func bars(runs []operations.Run) []bar {
	longest := time.Second
	length := func(run operations.Run) time.Duration {
		if run.Ended.IsZero() {
			return time.Since(run.Started)
		}
		return run.Ended.Sub(run.Started)
	}
	for _, run := range runs {
		longest = max(longest, length(run))
	}
	var all []bar
	for i, run := range slices.Backward(runs) {
		height := max(2, 100*length(run).Seconds()/longest.Seconds())
		all = append(all, bar{run, float64(100*(len(runs)-1-i)) / shownRuns, 100 - height, height})
	}
	return all
}

// live tells a page, by server-sent events, each time that what is in it has changed. The request names the page.
func (s *Server) live(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/event-stream")
	out := http.NewResponseController(w)
	sent := [sha256.Size]byte{}
	for {
		main, _, err := s.main(r.Context(), r.URL.Query().Get("of"))
		if err != nil {
			return
		}
		if sum := sha256.Sum256([]byte(main)); sum != sent {
			sent = sum
			for line := range strings.Lines(strings.ReplaceAll(string(main), "\r", "")) { // which would end a line of the stream
				fmt.Fprintf(w, "data: %s\n", strings.TrimRight(line, "\n"))
			}
			fmt.Fprint(w, "\n")
			if out.Flush() != nil {
				return
			}
		}
		select {
		case <-r.Context().Done():
			return
		case <-time.After(refresh):
		}
	}
}

func (s *Server) render(name string, data any) (template.HTML, error) {
	var text bytes.Buffer
	err := s.pages.ExecuteTemplate(&text, name, data)
	return template.HTML(text.String()), err
}

func (s *Server) write(w http.ResponseWriter, status int, name string, data any) {
	text, err := s.render(name, data)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	fmt.Fprint(w, text)
}

// fail answers with a page that says what went wrong.
func (s *Server) fail(w http.ResponseWriter, status int, err error) {
	s.write(w, status, "failed", struct{ Stack, Title, Err string }{s.stack, "Not done", err.Error()})
}
