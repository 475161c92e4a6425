package dashboard

import (
	"context"
	"time"

	"cicd/operations"
)

// shownRuns is how many runs the page lists.
const shownRuns = 30

// state is what the page shows of the stack.
type state struct {
	// Err says why the rest is not as it is now; "" if it is. Known reports whether there is a rest.
	Err   string
	Known bool
	// Stages are the names of the pipeline's.
	Stages  []string
	Waiting *operations.Approval
	// Parked reports whether the stack is parked.
	Parked  bool
	Runs    []operations.Run // the newest first
	Serving *operations.Run
	Earlier *operations.Run
	// Cause is why the newest run failed, nil if it did not, and CauseErr why that is unknown.
	Cause    *operations.Cause
	CauseErr string
}

// Latest is the newest run, nil for none.
func (s state) Latest() *operations.Run {
	if len(s.Runs) == 0 {
		return nil
	}
	return &s.Runs[0]
}

// current returns the state, at most [refresh] old. If AWS does not answer, it is the last one, and says so.
func (s *Server) current(ctx context.Context) state {
	s.mu.Lock()
	defer s.mu.Unlock()
	if time.Since(s.read) < refresh {
		return s.state
	}
	limited, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	next, err := s.look(limited)
	if ctx.Err() != nil {
		return s.state // this visitor has gone, and the next one looks
	}
	if err != nil {
		next = s.state
		next.Err = err.Error()
	}
	s.state, s.read = next, time.Now()
	return next
}

// settled is how long after a failure its cause may still become clearer: logs arrive late, and a rollback begins.
const settled = time.Minute

// look reads the state.
func (s *Server) look(ctx context.Context) (next state, err error) {
	pipeline, err := s.pipeline.State(ctx)
	if err != nil {
		return next, err
	}
	next.Stages, next.Waiting, next.Parked = pipeline.Stages, pipeline.Waiting, pipeline.Parked() != nil
	if next.Runs, err = s.pipeline.Releases(ctx, shownRuns); err != nil {
		return next, err
	}
	next.Known = true
	next.Serving, next.Earlier = operations.Serving(next.Runs), operations.Earlier(next.Runs, "")
	if latest := next.Latest(); latest != nil && latest.Failed() != nil {
		next.Cause = s.state.Cause
		if next.Cause == nil || next.Cause.Run.ID != latest.ID || time.Since(latest.Ended) < settled {
			if next.Cause, err = s.pipeline.Why(ctx, *latest); err != nil {
				next.CauseErr = err.Error() // the rest is worth showing all the same
			}
		}
	}
	return next, nil
}

// changed makes the next look a new one.
func (s *Server) changed() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.read = time.Time{}
}
