package console

import (
	"io"
	"strings"
	"testing"
)

// TestOutput: a program's output reaches the terminal as text, even while the progress goes nowhere.
func TestOutput(t *testing.T) {
	var out strings.Builder
	c := New(&out)
	c.SetOutput(io.Discard)
	for _, line := range []string{"plain", "\x1b[31mred\x1b[0m", "\x1b]0;title\x07bell\x07", "10%\r100%\r", "a\tb \u009b2J"} {
		c.Output("build 0123abc", line)
	}
	want := ""
	for _, line := range []string{"plain", "red", "bell\ufffd", "100%", "a b \ufffd2J"} {
		want += "build 0123abc | " + line + "\n"
	}
	if out.String() != want {
		t.Errorf("shown is\n%q, want\n%q", out.String(), want)
	}
}
