package load

import (
	"encoding/xml"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	vegeta "github.com/tsenart/vegeta/v12/lib"
)

// TestPicture: a point for each second, a place for each build and deployment, a mark for failures; and it is XML.
func TestPicture(t *testing.T) {
	at := func(seconds float64) time.Time {
		return time.Date(2026, 11, 29, 8, 0, 0, 0, time.UTC).Add(time.Duration(seconds * float64(time.Second)))
	}
	var all results
	for i := range 40 { // in no order
		code := uint16(200)
		if i == 7 {
			code = 502
		}
		all = append(all, &vegeta.Result{Timestamp: at(float64(i*7%40) / 4), Latency: time.Duration(i+1) * time.Millisecond, Code: code})
	}
	c := course{building: []period{{at(1), at(3)}}, deploying: []period{{at(3), at(4)}, {at(7), at(8)}}}
	text := c.picture(all)
	for class, want := range map[string]int{`class="build"`: 1, `class="deploy"`: 2, `class="failed"`: 1, "<polyline": 2} {
		if got := strings.Count(text, class); got != want {
			t.Errorf("%d times %s, want %d", got, class, want)
		}
	}
	for line := range strings.Lines(text) {
		if _, points, ok := strings.Cut(line, `points="`); ok && strings.Count(points, ",") != 10 {
			t.Errorf("%d points, want one for each of 10 s: %s", strings.Count(points, ","), line)
		}
	}
	for d := xml.NewDecoder(strings.NewReader(text)); ; {
		if _, err := d.Token(); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
	}
	if got := (course{}).picture(nil); got != "" {
		t.Errorf("a picture of nothing: %s", got)
	}
}
