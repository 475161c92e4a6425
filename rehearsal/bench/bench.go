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
	// rounds is how often everything is measured, after once that does not count.
	rounds = 5

	// page is where the results are written, in the checkout.
	page = "docs/performance.md"
)

// bench is a rehearsal whose first release serves, and beside it what it is measured against.
type bench struct {
	*world.World
	dir      string               // the clone that is pushed from
	bare     *workspace.Workspace // of the bare commands, which thus leave as little behind as a rehearsal does
	progress *console.Console
}

// Scenario measures the project side by side with the least that could do the same, and writes the comparisons to
// benchPage.
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

// newBench makes ready what the releases are measured with. From here on the console is silent: it would tell of each
// release what it has told of the first.
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
	if world.HarmlessFile(dir) != world.Greeting {
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

// inTurns measures one thing after the other in every round, so that whatever else the machine does meets all of them
// alike. Round 0 warms caches up, and does not count.
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

// inTurns measures with benchRounds, and tells the figures of each round in their unit.
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
		b.progress.Step(name, strings.Join(texts, " beside "), took)
	}, measures...)
}

// timed returns how long something takes, in seconds.
func timed(do func() error) (float64, error) {
	start := time.Now()
	err := do()
	return time.Since(start).Seconds(), err
}
