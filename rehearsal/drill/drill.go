package drill

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"cicd/rehearsal/world"
)

// Drill causes one failure and checks that the people who depend on the pipeline get what they need: the previous release
// keeps answering, the message names cause and remedy, and the next good push repairs everything.
type Drill struct {
	// Name is the drill's name on the command line.
	Name string
	// Breaks says what goes wrong and Holds what must hold all the same, each in half a line.
	Breaks, Holds string
	// Rows are the rows of docs/failures.md, by number, that the drill covers. Some failures are not in that table.
	Rows []int

	run func(context.Context, *drillEnv) error
	// outage is set if the drill takes the edge or the host away: requests fail until it is back.
	outage bool
}

// String is the drill's line in a list, at most 80 characters wide.
func (d Drill) String() string { return fmt.Sprintf("%-21s %s", d.Name, d.Breaks) }

// All returns all drills in the order in which they run.
func All() []Drill {
	return slices.Concat(buildDrills, registryDrills, healthDrills, applicationDrills, hookDrills, switchDrills, edgeDrills, domainDrills, hostDrills, pipelineDrills, volumeDrills)
}

// Find returns the drill of that name, or every drill for "all".
func Find(name string) ([]Drill, error) {
	all := All()
	if name == "all" {
		return all, nil
	}
	i := slices.IndexFunc(all, func(d Drill) bool { return d.Name == name })
	if i < 0 {
		return nil, fmt.Errorf("drill %q does not exist: `cicd rehearse --drill list` lists them", name)
	}
	return all[i : i+1], nil
}

// Scenario runs drills one after the other. For a single drill the console shows the progress, as for any release, and the
// message that the drill provoked.
type Scenario struct {
	Drills []Drill
	// Until is when the last drill may begin; the zero time is no limit.
	Until time.Time
	// Out gets a line for each drill, then the reasons why some failed.
	Out io.Writer
}

// Play implements rehearsal.Scenario. Its error says how many drills failed.
func (s Scenario) Play(ctx context.Context, w *world.World) error {
	watcher := io.Writer(io.Discard)
	if len(s.Drills) == 1 {
		watcher = w.Stderr
	}
	g, err := newDrillEnv(ctx, w, watcher)
	if err != nil {
		return err
	}
	if len(s.Drills) > 1 {
		w.Chapter("%d drills", len(s.Drills))
	}
	return inTurn(ctx, s.Out, s.Drills, s.Until, g.practise)
}

// Skipped is the outcome of a drill for which there was no time.
const Skipped = "skipped"

// errUnrepaired says that the rehearsal cannot be used for further drills.
var errUnrepaired = errors.New("the next good push did not repair it")

// inTurn runs the drills one after the other and prints a line for each, then the reasons why some failed. The error says
// how many. One that may not begin any more is skipped, and its line says so.
func inTurn(ctx context.Context, out io.Writer, drills []Drill, until time.Time, practise func(context.Context, Drill) (world.Visits, error)) error {
	var failures []string
	left := len(drills)
	for _, d := range drills {
		start := time.Now()
		if !until.IsZero() && start.After(until) {
			fmt.Fprintf(out, "%-23s %s\n", d.Name, Skipped)
			left--
			continue
		}
		count, err := practise(ctx, d)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		outcome := "ok"
		if err != nil {
			outcome = "FAILED"
			failures = append(failures, fmt.Sprintf("%s: %s\n  must hold: %s\n%s", d.Name, d.Breaks, d.Holds, indented(err.Error())))
		}
		fmt.Fprintf(out, "%-23s %-6s %6.1f s  %s\n", d.Name, outcome, time.Since(start).Seconds(), fmt.Sprintf("%d of %d requests failed", count.Failed, count.Requests))
		left--
		if errors.Is(err, errUnrepaired) {
			break
		}
	}
	if failures == nil {
		return nil
	}
	fmt.Fprintf(out, "\n%s\n", strings.Join(failures, "\n\n"))
	err := fmt.Errorf("%d of %d drills failed", len(failures), len(drills))
	if left > 0 {
		err = fmt.Errorf("%w, and %d were not started", err, left)
	}
	return err
}

func indented(text string) string { return "  " + strings.ReplaceAll(text, "\n", "\n  ") }

// practise runs one drill under requests, then makes the good push that has to repair what the drill broke.
func (g *drillEnv) practise(ctx context.Context, d Drill) (world.Visits, error) {
	g.begin()
	g.Chapter("Drill: %s", d.Breaks)
	w := g.recordAnswers(ctx)
	err := d.run(ctx, g)
	if repair := g.repair(ctx, d.Name); repair != nil {
		err = errors.Join(err, fmt.Errorf("%w: %w", errUnrepaired, repair))
	}
	count, served := w.leave()
	if count.Failed > 0 && !d.outage {
		err = errors.Join(err, errors.New(count.String()))
	}
	return count, errors.Join(err, g.inOrder(served))
}
