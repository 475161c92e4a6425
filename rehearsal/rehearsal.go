// Package rehearsal runs a stack and its pipeline on this machine, without an AWS account: the real Pulumi engine, a
// real git push, the real buildspec, real Docker and the real deployment hooks, against stand-ins for AWS and GitHub
// that know nothing but what the stack declares.
package rehearsal

import (
	"context"

	"cicd/rehearsal/world"
)

// DefaultStack is the stack that is rehearsed when none is named.
const DefaultStack = "dev"

// Scenario is what a rehearsal is for.
type Scenario interface {
	// Play does it, in a world where the checkout's newest commit serves.
	Play(context.Context, *world.World) error
}

// Run rehearses a stack: it brings the stack up, pushes the checkout's newest commit, sees it served, and plays a scenario.
// It leaves nothing behind, however it ends, but the logs of one that fails, and removes what a killed rehearsal has left. It returns ctx's error when ctx
// ends first, unless the scenario goes on until then.
func Run(ctx context.Context, o world.Options, s Scenario) (err error) {
	w, err := world.Open(ctx, o)
	if err != nil {
		return err
	}
	defer func() { err = w.Close(ctx, err) }()
	if err := w.ReleaseCheckout(ctx); err != nil {
		return err
	}
	return s.Play(ctx, w)
}
