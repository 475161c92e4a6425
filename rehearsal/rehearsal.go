// Package rehearsal runs a stack and its pipeline on this machine, without an AWS account: the real Pulumi engine, a
// real git push, the real buildspec, real Docker and the real deployment hooks, against stand-ins for AWS and GitHub
// that know nothing but what the stack declares.
package rehearsal

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"syscall"
	"time"
)

// DefaultStack is the stack that is rehearsed when none is named.
const DefaultStack = "dev"

// cleanUpLimit is how long cleaning up may take, in the worst case of hanging containers.
const cleanUpLimit = 2 * time.Minute

// Options says what to rehearse, and how.
type Options struct {
	// ProjectDir is the checkout whose newest commit is released.
	ProjectDir string
	// Stack is the stack whose configuration is rehearsed.
	Stack string
	// Port is where the application answers on 127.0.0.1 (for the first host); 0 is any free port.
	Port int
	// Serve keeps the rehearsal running after its first release, until ctx ends, for releases of the user's own commits.
	Serve bool
	// Load releases many changes in a row, in place of the second release, and measures the requests of a load
	// meanwhile.
	Load bool
	// Permissions prints, after the second release, what the stack's roles are granted against what was used, and fails
	// the rehearsal when something is granted in vain.
	Permissions bool
	// Bench measures the project's speed, in place of the second release, and writes the results into docs/.
	Bench bool
	// JSON has the measurements of Load, or the table of Permissions, printed as JSON.
	JSON bool
	// Drills are run after the first release, in place of everything else.
	Drills []Drill
	// Stdout gets the answer, Stderr the progress.
	Stdout, Stderr io.Writer
}

// rehearsal is one run of Run.
type rehearsal struct {
	Options
	*console
	work  *workspace
	cloud *cloud
	stack *declaredStack
}

// Run rehearses a stack: it brings the stack up, pushes the checkout's newest commit and sees it served, pushes a
// change and sees that served without a failed request, and destroys the stack. It leaves nothing behind, however it
// ends, and removes what a killed rehearsal has left. It returns ctx's error when ctx ends first, unless it serves.
func Run(ctx context.Context, o Options) (err error) {
	r := &rehearsal{Options: o, console: &console{out: o.Stderr}}
	if err := checkMachine(ctx, o); err != nil {
		return err
	}
	// That of the machines in AWS. With a stricter one of the user's, images would have files in them that no container can
	// read. The folder that all of them are in is closed to others.
	syscall.Umask(0o022)
	if r.work, err = newWorkspace(ctx, o.ProjectDir, o.Stderr); err != nil {
		return err
	}
	defer func() {
		limited, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanUpLimit)
		defer cancel()
		err = errors.Join(err, r.cleanUp(limited))
	}()
	return r.run(ctx)
}

func (r *rehearsal) run(ctx context.Context) error {
	if err := r.prepare(ctx); err != nil {
		return err
	}
	if err := r.bringAllUp(ctx); err != nil {
		return err
	}
	first, err := r.releaseCheckout(ctx)
	if err != nil {
		return err
	}
	if r.Load {
		return r.underLoad(ctx)
	}
	if len(r.Drills) > 0 {
		return r.drill(ctx)
	}
	if r.Bench {
		return r.measureSpeed(ctx)
	}
	if r.Serve {
		// A second release would put a commit on the branch that the checkout does not have, and its next push would be refused.
		r.serve(ctx)
		return nil
	}
	second, err := r.releaseChange(ctx)
	if err != nil {
		return err
	}
	if r.Permissions {
		err := r.reportPermissions()
		return errors.Join(err, r.tearDown(ctx))
	}
	if err := r.tearDown(ctx); err != nil {
		return err
	}
	fmt.Fprintf(r.Stdout, "%s\n%s\n", first, second)
	return nil
}

// bringAllUp brings the stack up, and makes beside it what its hosts and builds will need.
func (r *rehearsal) bringAllUp(ctx context.Context) error {
	var stack, edge, aws error
	var group sync.WaitGroup
	group.Go(func() { stack = r.bringUp(ctx) })
	group.Go(func() { edge = r.makeEdgeImage(ctx) })
	group.Go(func() { aws = r.cloud.provideAWS() })
	group.Wait()
	return errors.Join(stack, edge, aws)
}

// cleanUp takes everything down and away.
func (r *rehearsal) cleanUp(ctx context.Context) error {
	var err error
	if r.cloud != nil {
		err = r.cloud.close()
	}
	return errors.Join(err, r.work.remove(ctx))
}
