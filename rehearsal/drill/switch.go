package drill

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// switchDrills interrupt the start hook at each moment of the switch. Before the switch is done, the old release must go on
// as if nothing had happened. After it, the new one serves until the rollback, which must find everything it needs.
var switchDrills = []Drill{
	cutShort("term-waiting", term, waits, "the old release goes on; the message says why"),
	cutShort("term-in-switch", term, between, "the hook gives the name back; requests wait, and none is lost"),
	cutShort("term-switched", term, switched, "the new release serves until the rollback; no request is lost"),
	cutShort("term-draining", term, drains, "the rollback removes the old container; no request is lost"),
	cutShort("kill-waiting", killed, waits, "the old release goes on; the rollback removes the candidate"),
	cutShort("kill-in-switch", killed, between, "requests wait, the rollback repairs it, and none is lost", 33, 36),
	cutShort("kill-switched", killed, switched, "the new release serves until the rollback; no request is lost"),
	cutShort("kill-draining", killed, drains, "the rollback removes the old container; no request is lost"),
	cutShort("no-docker-waiting", away, waits, "the old release goes on; the candidate goes when Docker is back"),
	cutShort("no-docker-in-switch", away, between, "the hook waits for Docker and gives the name back; no request is lost", 33),
	cutShort("no-docker-switched", away, switched, "the new release serves until the rollback; no request is lost"),
	cutShort("no-docker-draining", away, drains, "the release succeeds, and the next one removes the old container"),
}

// interruption is a way to interrupt a hook: bash code in a wrapper of docker, which is $0. In it, $group is the hook's
// process group. A signal is sent before Docker gets the command.
type interruption struct{ breaks, script, says string }

var (
	term = interruption{
		"the start hook gets SIGTERM",
		`rm -- "$0"; kill -TERM -- "-$group"`,
		"SIGTERM: the timeout of this hook",
	}
	killed = interruption{
		"the start hook gets SIGKILL",
		`rm -- "$0"; kill -KILL -- "-$group"`,
		"signal: killed",
	}
	// The next three commands fail.
	away = interruption{
		"Docker is away for a moment",
		`echo xxx >"$0.away"`,
		"Cannot connect to the Docker daemon",
	}
)

// moment is when a hook is interrupted: at the first docker command that matches a bash pattern.
type moment struct {
	when, pattern string
	switched      bool // the new release answers from then on
	succeeds      bool // the release succeeds all the same if only Docker is away
}

var (
	waits    = moment{"during the wait for health", `"container port "*/tcp`, false, false}
	between  = moment{"between the two renames", `"container rename "*-retired`, false, false}
	switched = moment{"just after the switch", `"container port "*-edge*`, true, false}
	drains   = moment{"while the old release drains", `"container stop "*-retired`, true, true}
)

// interrupting is a wrapper of docker that runs an interruption once, at a moment. The hook runs commands that change
// something through timeout(1), which has its own process group.
const interrupting = `
if [[ -e "$0.away" ]]; then
  left="$(<"$0.away")"
  printf '%%s' "${left#x}" >"$0.away"
  if [[ -n "$left" ]]; then
    echo 'Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?' >&2
    exit 1
  fi
elif [[ "$*" == %s ]]; then
  read -r _ command _ parent group _ <"/proc/$PPID/stat"
  [[ "$command" != '(timeout)' ]] || read -r _ _ _ _ group _ <"/proc/$parent/stat"
  %s
fi
exec "$real" "$@"`

func cutShort(name string, what interruption, at moment, holds string, rows ...int) Drill {
	return Drill{
		Name:   name,
		Breaks: what.breaks + " " + at.when,
		Holds:  holds,
		Rows:   rows,
		run: func(ctx context.Context, g *drillEnv) error {
			return g.cutShort(ctx, fmt.Sprintf(interrupting, at.pattern, what.script), what, at)
		},
	}
}

// cutShort releases a change and interrupts its start hook.
func (g *drillEnv) cutShort(ctx context.Context, wrapper string, what interruption, at moment) error {
	h, err := g.Host()
	if err != nil {
		return err
	}
	undo, err := h.Wrap("docker", wrapper)
	if err != nil {
		return err
	}
	defer undo()
	if what == away && at.succeeds {
		if _, err := g.releases(ctx, "Without Docker for a moment", g.harmless(ctx, what.breaks)); err != nil {
			return err
		}
		if _, err := os.Stat(filepath.Join(h.Home, "wrapped", "docker.away")); err != nil {
			return fmt.Errorf("the hooks never reached the moment, so nothing was broken: %w", err)
		}
		done, err := g.releases(ctx, "The one after", g.harmless(ctx, "the one after"))
		return errors.Join(err, runsOnly(ctx, h, done.Commit))
	}
	id, err := g.commit(ctx, "A change that is cut short", g.harmless(ctx, what.breaks))
	if err != nil {
		return err
	}
	if at.switched {
		g.released = append(g.released, id, g.good)
	}
	_, err = g.Release(ctx, g.dir, id)
	if err == nil {
		return fmt.Errorf("the release of %.7s succeeded, but must fail", id)
	}
	return errors.Join(g.checkFailure(ctx, err, "stage Deploy", "ApplicationStart", "hooks/start.sh", what.says, "rolling back"),
		runsOnly(ctx, h, g.good))
}
