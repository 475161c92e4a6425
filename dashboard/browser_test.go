package dashboard

import (
	"context"
	_ "embed"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"cicd/internal/docker/dockertest"
	"cicd/internal/edit"
	"cicd/internal/testproject"
	"cicd/rehearsal/aws/codepipeline"
	"cicd/rehearsal/rehearsaltest"
	"cicd/rehearsal/world"
)

func TestMain(m *testing.M) { rehearsaltest.Main(m) }

//go:embed testdata/audit.js
var audit string

// browser is a page in a real browser.
type browser struct {
	context.Context
	t *testing.T
}

// newBrowser starts Chromium. Without one, the test is skipped, but fails in CI.
func newBrowser(t *testing.T) browser {
	t.Helper()
	// Chromium leaves a folder for a socket among the temporary files, whose path has to be short.
	temporary, err := os.MkdirTemp("", "cicd-chromium-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(temporary) })
	// Its sandbox refuses root.
	ctx, cancel := chromedp.NewExecAllocator(t.Context(), append(chromedp.DefaultExecAllocatorOptions[:], chromedp.NoSandbox, chromedp.Env("TMPDIR="+temporary))...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	if err := chromedp.Do(ctx); err != nil {
		if os.Getenv("CI") == "true" || os.Getenv("DASHBOARD_PICTURES") != "" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	return browser{ctx, t}
}

// get performs an action, in at most a minute, and returns its result.
func get[T any](b browser, what string, action chromedp.Action[T]) T {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.Context, time.Minute)
	defer cancel()
	result, err := chromedp.Run(ctx, action)
	if err != nil {
		text, _ := chromedp.Run(b.Context, chromedp.Evaluate[string](`document.body.innerText`))
		b.t.Fatalf("%s: %v; the page says:\n%s", what, err, text)
	}
	return result
}

// awaits waits until an expression is true in the page. While another page comes, there is none to ask.
func (b browser) awaits(expression string) {
	b.t.Helper()
	for end := time.Now().Add(time.Minute); ; time.Sleep(50 * time.Millisecond) {
		ctx, cancel := context.WithDeadline(b.Context, end)
		is, err := chromedp.Run(ctx, chromedp.Evaluate[bool](expression))
		cancel()
		switch {
		case is:
			return
		case time.Now().After(end):
			b.t.Fatalf("not in a minute: %s (%v); the page says:\n%s", expression, err, get(b, "read", chromedp.Evaluate[string](`document.body.innerText`)))
		}
	}
}

// sees waits until the page's text has a part.
func (b browser) sees(text string) {
	b.t.Helper()
	b.awaits(`!!document.body?.innerText.includes(` + quoted(text) + `)`)
}

func quoted(text string) string { return "'" + strings.ReplaceAll(text, "'", `\'`) + "'" }

// presses clicks the button or link with a text, at once when it has found it: the page may replace it.
func (b browser) presses(text string) {
	b.t.Helper()
	b.awaits(`(() => { const e = [...document.querySelectorAll("button, a")].find((e) => e.textContent.includes(` + quoted(text) + `)); e?.click(); return !!e; })()`)
}

// audits checks the page in two widths, light and dark. DASHBOARD_PICTURES names a folder for the pictures in README.md.
func (b browser) audits(page string) {
	b.t.Helper()
	for _, width := range []int64{1000, 390} {
		for _, scheme := range []string{"light", "dark"} {
			get(b, "set the size", chromedp.EmulateViewport(width, 700))
			get(b, "set the scheme", chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
				_, err := chromedp.Call(ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
					Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}, {Name: "prefers-reduced-motion", Value: "reduce"}}})
				return err
			}))
			for _, p := range get(b, "audit "+page, chromedp.Evaluate[[]string](audit)) {
				b.t.Errorf("%s, %d pixels, %s: %s", page, width, scheme, p)
			}
			if dir := os.Getenv("DASHBOARD_PICTURES"); dir != "" && page == "waiting" && width == 1000 {
				if err := os.WriteFile(filepath.Join(dir, "dashboard-"+scheme+".png"), get(b, "picture", chromedp.FullScreenshot(100)), 0o644); err != nil {
					b.t.Fatal(err)
				}
			}
		}
	}
}

// pusher returns what pushes a change, and does not wait for its release.
func pusher(t *testing.T, w *world.World) func(message string, edits ...edit.Edit) (string, *codepipeline.Execution) {
	t.Helper()
	clone, err := w.Clone(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return func(message string, edits ...edit.Edit) (string, *codepipeline.Execution) {
		testproject.Apply(t, clone, edits...)
		commit := testproject.Commit(t, clone, message)
		execution, err := w.Push(t.Context(), clone)
		if err != nil {
			t.Fatal(err)
		}
		return commit, execution
	}
}

// TestDashboard: a person sees a push move through the pipeline, and approves it, without loading the page again; sees why
// another one fails; and goes back.
func TestDashboard(t *testing.T) {
	dockertest.Need(t)
	b := newBrowser(t)
	w, _ := rehearsaltest.Started(t, testproject.New(t))
	if _, err := w.Configure(t.Context(), map[string]any{"approval": true}); err != nil {
		t.Fatal(err)
	}
	w.LeaveApprovals()
	push := pusher(t, w)
	s, err := Listen("dev", w.Operated(), 0)
	if err != nil {
		t.Fatal(err)
	}
	ctx, end := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- s.Serve(ctx) }()

	get(b, "open", chromedp.Navigate(s.URL()))
	get(b, "mark", chromedp.Evaluate[bool](`window.kept = true`))
	b.sees("Serves ")
	commit, _ := push("A greeting from the browser", edit.Write(world.Greeting, "Seen in a browser.\n"))
	b.sees("Release of " + commit[:7] + " A greeting from the browser")
	b.sees("in progress")
	b.sees("Approve " + commit[:7] + " …")
	b.audits("waiting")
	if !get(b, "look for the mark", chromedp.Evaluate[bool](`window.kept === true`)) {
		t.Error("the page was loaded again")
	}
	b.presses("Approve ")
	b.sees("Approve the release of " + commit[:7])
	b.audits("question")
	b.presses("Approve ")
	b.sees("Serves " + commit[:7])
	if err := w.Serves(t.Context(), commit); err != nil {
		t.Error(err)
	}

	broken, execution := push("A test that fails", edit.Write("webapp/Makefile", "test:\n\t@echo 'TestSum: got 41, want 42'; exit 1\n"))
	_, _ = execution.Wait(t.Context())
	b.sees("Why it failed in stage Build")
	b.sees("TestSum: got 41, want 42")
	b.audits("failed")
	b.presses("log of the build")
	b.sees("The build's log, release of " + broken[:7])
	b.sees("TestSum: got 41, want 42")
	b.audits("log")
	b.presses("Overview")
	b.presses("Go back to ")
	b.sees("What release commands did to a database since then is not undone.")
	b.presses("Go back to ")
	b.sees("Reject ")
	b.presses("Reject ")
	b.sees("Reject the release of ")
	b.presses("Reject ")
	b.sees("Why it failed in stage Approval")

	b.awaits(`typeof source === "object" && source?.readyState === EventSource.OPEN`)
	end()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	b.sees("The dashboard has ended")
}
