package operations

import (
	"fmt"
	"time"
)

// Short returns the first 7 digits of a commit, or dashes.
func Short(commit string) string {
	if commit == "" {
		return "-"
	}
	return commit[:min(7, len(commit))]
}

// Roughly writes a duration with one unit, as a person would say it.
func Roughly(d time.Duration) string {
	switch {
	case d < 10*time.Second:
		return fmt.Sprintf("%.1f s", d.Seconds())
	case d < 2*time.Minute:
		return fmt.Sprintf("%.0f s", d.Seconds())
	case d < 2*time.Hour:
		return fmt.Sprintf("%.0f min", d.Minutes())
	case d < 48*time.Hour:
		return fmt.Sprintf("%.0f h", d.Hours())
	}
	return fmt.Sprintf("%.0f days", d.Hours()/24)
}

// Took is how long a run or a stage took, or has taken so far.
func Took(started, ended time.Time) string {
	if ended.IsZero() {
		ended = time.Now()
	}
	return Roughly(ended.Sub(started))
}
