package bench

import (
	"bytes"
	"context"
	"fmt"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"syscall"

	"cicd/rehearsal/world"
)

// measureRehearsals compares whole rehearsals with the releases in them: the difference is the cost of bringing the cloud
// up and down.
func (b *bench) measureRehearsals(ctx context.Context, report *report) error {
	var releases float64
	whole := func(int) (float64, error) {
		return timed(func() (err error) {
			releases, err = b.rehearse(ctx)
			return err
		})
	}
	figures, err := b.inTurns("make rehearse, compared with its own releases", "%.1f s", whole, func(int) (float64, error) { return releases, nil })
	if err != nil {
		return err
	}
	report.add(comparison{
		name: "make rehearse", baseline: "its releases", unit: "%.1f s", judge: excess, here: figures[0], there: figures[1], limit: 10,
		how: "`make rehearse` with everything built, from start to exit, compared with the sum of its two releases, from push to live each",
	})
	return nil
}

// rehearse runs `make rehearse`, and returns how many seconds its releases took together.
func (b *bench) rehearse(ctx context.Context) (float64, error) {
	cmd := exec.CommandContext(ctx, "make", "--no-print-directory", "rehearse", "ARGS=--stack "+b.Stack)
	cmd.Dir = b.ProjectDir
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) } // make passes it on
	cmd.WaitDelay = world.CloseLimit
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		return 0, fmt.Errorf("make rehearse: %w: %s", err, strings.TrimSpace(stderr.String()))
	}
	return sumOfReleases(stdout.String())
}

var servedAfter = regexp.MustCompile(`served [0-9a-f]{7} ([0-9]+\.[0-9]) s after its push`)

// sumOfReleases adds up the seconds in a rehearsal's answer, which has one line per release.
func sumOfReleases(answer string) (seconds float64, err error) {
	found := servedAfter.FindAllStringSubmatch(answer, -1)
	if len(found) != 2 {
		return 0, fmt.Errorf("the rehearsal answered %q: want how long each of two releases took", answer)
	}
	for _, match := range found {
		took, err := strconv.ParseFloat(match[1], 64)
		if err != nil {
			return 0, err
		}
		seconds += took
	}
	return seconds, nil
}
