package world

import (
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"cicd/rehearsal/aws/codedeploy"
	"cicd/rehearsal/console"
)

// TestLongActionIsToldOf: an action that runs for long does not leave its reader in silence.
func TestLongActionIsToldOf(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var shown strings.Builder
		c := console.New(&shown)
		r := &reporter{Console: c, logs: &logs{Console: c, hooks: map[string]*log{}}}
		r.track("a", "Build", true)
		time.Sleep(reportInterval + time.Second)
		output := r.logs.build(testBuild)
		io.WriteString(output, "compiling\x1b[1m\nlinking\n\n")
		time.Sleep(reportInterval)
		r.track("a", "Build", false)
		r.track("b", "Deploy", true)
		r.logs.hook(codedeploy.Event{Deployment: "d-1", Instance: "i-0123456789", Lifecycle: "ApplicationStart", Status: codedeploy.InProgress})
		time.Sleep(reportInterval + time.Second)
		r.track("b", "Deploy", false)
		r.track("c", "Build", true)
		io.WriteString(output, "make: Leaving directory '/"+strings.Repeat("long/", 30)+"'\n")
		time.Sleep(reportInterval + time.Second)
		r.track("c", "Build", false)
		time.Sleep(10 * reportInterval)
		c.SetOutput(io.Discard)
		want := []string{
			"Build has been running for 20s, and has printed nothing so far",
			"Build has been running for 40s; its last output: build fc89457 | linking",
			"Deploy has been running for 20s; its last output: ApplicationStart i-01234 | (has begun)",
			"Build has been running for 20s; its last output: build fc89457 | make: Leaving directory '/" + strings.Repeat("long/", 11) + "long…",
		}
		for line := range strings.Lines(shown.String()) {
			if n := len([]rune(strings.TrimSuffix(line, "\n"))); n > console.Width {
				t.Errorf("a line of %d characters: %s", n, line)
			}
		}
		if got := strings.Join(strings.Fields(shown.String()), " "); got != strings.Join(want, " ") {
			t.Errorf("the console shows %q, want %q", got, want)
		}
	})
}
