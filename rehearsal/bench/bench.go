package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"cicd/rehearsal/console"
	"cicd/rehearsal/workspace"
	"cicd/rehearsal/world"
)

const (
	// rounds is how often everything is measured, after a warm-up round that does not count.
	rounds = 5

	// page is the file for the results, in the checkout.
	page = "docs/performance.md"
)

// bench is a rehearsal whose first release serves, and what it is compared with.
type bench struct {
	*world.World
	dir      string               // the clone to push from
	bare     *workspace.Workspace // of the bare commands, so that they too leave nothing behind
	progress *console.Console
}

// Scenario measures the project alternately with the least that could do the same, and writes the comparisons to the file
// page.
type Scenario struct {
	// Out gets the comparisons as a table.
	Out io.Writer
}

// Play implements rehearsal.Scenario. Its error says which goals are missed.
func (s Scenario) Play(ctx context.Context, w *world.World) (err error) {
	r, err := newReport(ctx, w.ProjectDir, w.Stack)
	if err != nil {
		return err
	}
	b, err := newBench(ctx, w)
	if err != nil {
		return err
	}
	defer func() {
		limited, cancel := context.WithTimeout(context.WithoutCancel(ctx), world.CloseLimit)
		defer cancel()
		err = errors.Join(err, b.bare.Remove(limited))
	}()
	for _, measure := range []func(context.Context, *report) error{
		b.measureReleases, b.measurePreviews, b.measureRequests, b.measureImage, b.measureRehearsals,
	} {
		err := measure(ctx, r)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			return err
		}
	}
	if _, err := io.WriteString(s.Out, r.table()); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(w.ProjectDir, page), []byte(r.page()), 0o644); err != nil {
		return err
	}
	return r.verdict()
}

// newBench prepares what measuring releases needs. From here on the console is silent: otherwise it would report every
// release in full.
func newBench(ctx context.Context, w *world.World) (*bench, error) {
	for _, command := range []string{"go", "make", "curl"} {
		if _, err := exec.LookPath(command); err != nil {
			return nil, fmt.Errorf("%s is not installed, and what the project is measured against needs it", command)
		}
	}
	dir, err := w.Clone(ctx)
	if err != nil {
		return nil, err
	}
	if _, err := os.Stat(filepath.Join(dir, world.Greeting)); err != nil {
		return nil, fmt.Errorf("webapp/ is an application of your own: the commands that this project is measured against build the embedded one, which has %s", world.Greeting)
	}
	bare, err := workspace.New(ctx, w.ProjectDir, w.Stderr)
	if err != nil {
		return nil, err
	}
	w.SetOutput(io.Discard)
	return &bench{World: w, dir: dir, bare: bare, progress: console.New(w.Stderr)}, nil
}

// measure measures one thing in one round.
type measure func(round int) (float64, error)

// inTurns measures one thing after the other in every round: interleaved, so that background load affects all of them
// equally. Round 0 is a warm-up, and does not count.
func inTurns(rounds int, tell func(round int, took time.Duration, figures []float64), measures ...measure) ([][]float64, error) {
	counted := make([][]float64, len(measures))
	for round := range rounds + 1 {
		start := time.Now()
		figures := make([]float64, len(measures))
		for i, one := range measures {
			var err error
			if figures[i], err = one(round); err != nil {
				return nil, fmt.Errorf("round %d: %w", round, err)
			}
			if round > 0 {
				counted[i] = append(counted[i], figures[i])
			}
		}
		tell(round, time.Since(start), figures)
	}
	return counted, nil
}

// inTurns measures all rounds, and shows the figures of each round in their unit.
func (b *bench) inTurns(title, unit string, measures ...measure) ([][]float64, error) {
	b.progress.Chapter("%s", title)
	return inTurns(rounds, func(round int, took time.Duration, figures []float64) {
		name := fmt.Sprintf("round %d of %d", round, rounds)
		if round == 0 {
			name = "warm-up"
		}
		texts := make([]string, len(figures))
		for i, figure := range figures {
			texts[i] = fmt.Sprintf(unit, figure)
		}
		b.progress.Step(name, strings.Join(texts, " vs. "), took)
	}, measures...)
}

// timed returns how long something takes, in seconds.
func timed(do func() error) (float64, error) {
	start := time.Now()
	err := do()
	return time.Since(start).Seconds(), err
}
