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
)

//go:embed files
var files embed.FS

//go:embed pages.html
var pagesText string

var pages = template.Must(template.New("").Funcs(template.FuncMap{
	"short": operations.Short, "took": operations.Took, "roughly": operations.Roughly,
	"utc":   func(t time.Time) string { return t.Format("2006-01-02 15:04") },
	"stamp": func(t time.Time) string { return t.Format(time.RFC3339) },
}).Parse(pagesText))

// logLines is how many lines of the application's log are shown, and logAge how old they are.
const (
	logLines = 200
	logAge   = 15 * time.Minute
)

// logs are the titles of the pages with logs.
var logs = map[string]string{"build": "The build's log", "deploy": "The deployment's events", "application": "What the application prints"}

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
		return main, "overview", err
	}
	of := strings.TrimPrefix(path, "/log/")
	if title = logs[of]; title == "" {
		return "", "", fmt.Errorf("there is no log of %q", of)
	}
	lines, err := s.log(ctx, of)
	var text string
	if err != nil {
		text = err.Error()
	}
	main, err = s.render("log", struct {
		Title, Err string
		Run        *operations.Run
		Lines      []string
	}{title, text, s.current(ctx).Latest(), lines})
	return main, title, err
}

// log returns the lines of a log, that of the newest run or that of the application.
func (s *Server) log(ctx context.Context, of string) ([]string, error) {
	latest := s.current(ctx).Latest()
	switch {
	case of == "application":
		lines, err := s.pipeline.AppLog(ctx, time.Now().Add(-logAge), logLines)
		var text []string
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
	Stack, Pipeline string
	Boxes           []box
	Actions         []action
	Metrics         operations.Metrics
	FailedPercent   int
	Bars            []bar
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
	o := overview{state: now, Stack: s.stack, Pipeline: s.pipeline.Name(), Actions: now.actions(), Metrics: operations.Measure(now.Runs), Bars: bars(now.Runs)}
	if ended := o.Metrics.Deployed + o.Metrics.Failed; ended > 0 {
		o.FailedPercent = 100 * o.Metrics.Failed / ended
	}
	for _, name := range now.Stages {
		b := box{Name: name, Status: "NotYet", Log: map[string]string{"Build": "/log/build", "Deploy": "/log/deploy"}[name]}
		if latest := now.Latest(); latest != nil {
			if i := slices.IndexFunc(latest.Stages, func(stage operations.Stage) bool { return stage.Name == name }); i >= 0 {
				b.Status, b.Took = latest.Stages[i].Status, operations.Took(latest.Stages[i].Started, latest.Stages[i].Ended)
			}
		}
		o.Boxes = append(o.Boxes, b)
	}
	return o
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

// live tells a page, by server-sent events, each time that what is in it has changed.
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
			for line := range strings.Lines(string(main)) {
				fmt.Fprintf(w, "data: %s\n", strings.TrimRight(line, "\r\n"))
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
	err := pages.ExecuteTemplate(&text, name, data)
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
	s.write(w, status, "failed", struct{ Stack, Err string }{s.stack, err.Error()})
}
