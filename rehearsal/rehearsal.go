// Package rehearsal runs a stack and its pipeline on this machine, without an AWS account: the real Pulumi engine, a
// real git push, the real buildspec, real Docker and the real deployment hooks, against stand-ins for AWS and GitHub
// that know only what the stack declares.
package rehearsal

import (
	"context"

	"cicd/rehearsal/world"
)

// DefaultStack is the stack to rehearse if none is named.
const DefaultStack = "dev"

// Scenario is what a rehearsal is for.
type Scenario interface {
	// Play runs the scenario in a world where the checkout's newest commit is being served.
	Play(context.Context, *world.World) error
}

// Run rehearses a stack: it brings the stack up, releases the checkout's newest commit, and plays a scenario. However it
// ends, it leaves nothing behind but the logs of a failure, and removes what killed rehearsals left. After a success it repeats
// what a person should know nevertheless. It returns ctx's error if ctx ends first, unless the scenario runs until then.
func Run(ctx context.Context, o world.Options, s Scenario) (err error) {
	w, err := world.Open(ctx, o)
	if err != nil {
		return err
	}
	defer func() { err = w.Close(ctx, err) }()
	if err := w.ReleaseCheckout(ctx); err != nil {
		return err
	}
	if err := s.Play(ctx, w); err != nil {
		return err
	}
	w.ReportNotes()
	return nil
}
