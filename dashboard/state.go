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
	// Err says why the rest is not as it is now; "" if it is.
	Err string
	// Stages are the names of the pipeline's.
	Stages  []string
	Waiting *operations.Approval
	Runs    []operations.Run // the newest first
	Serving *operations.Run
	Earlier *operations.Run
	// Cause is why the newest run failed, nil if it did not.
	Cause *operations.Cause
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
	next, err := s.look(ctx)
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

// look reads the state. Why a run failed does not change any more.
func (s *Server) look(ctx context.Context) (next state, err error) {
	if next.Stages, next.Waiting, err = s.pipeline.State(ctx); err != nil {
		return next, err
	}
	if next.Runs, err = s.pipeline.Releases(ctx, shownRuns); err != nil {
		return next, err
	}
	next.Serving, next.Earlier = operations.Serving(next.Runs), operations.Earlier(next.Runs, "")
	if latest := next.Latest(); latest != nil && latest.Failed() != nil {
		if next.Cause = s.state.Cause; next.Cause == nil || next.Cause.Run.ID != latest.ID {
			next.Cause, err = s.pipeline.Why(ctx, *latest)
		}
	}
	return next, err
}

// changed makes the next look a new one.
func (s *Server) changed() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.read = time.Time{}
}
