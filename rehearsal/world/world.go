package world

import (
	"context"
	"errors"
	"io"
	"sync"
	"syscall"
	"time"

	"cicd/infra"
	"cicd/rehearsal/console"
	"cicd/rehearsal/workspace"
)

// CloseLimit is how long closing a world may take, in the worst case of hanging containers: half of it to stop what runs,
// half of it to remove what is left.
const CloseLimit = 2 * time.Minute

// Options says what to rehearse.
type Options struct {
	// ProjectDir is the checkout whose newest commit is released.
	ProjectDir string
	// Stack is the stack whose configuration is rehearsed.
	Stack string
	// Port is the application's port on 127.0.0.1 (for the first host); 0 is any free port.
	Port int
	// BuiltInAWS is the path of a program that behaves as package cli when called by the name aws: the aws command of
	// builds and hooks if this machine has none. By the name session-manager-plugin, it behaves as package plugin.
	BuiltInAWS string
	// Verbose shows the output of builds and hooks in addition to the progress.
	Verbose bool
	// Keep keeps the logs of builds and hooks, even if the rehearsal succeeds.
	Keep bool
	// Stderr gets the progress.
	Stderr io.Writer
}

// World is AWS and GitHub on this machine, with one stack in it.
type World struct {
	Options
	*console.Console
	Workspace *workspace.Workspace
	cloud     *cloud
	stack     *declaredStack
	project   string // its name
	// application is what the stack says of it, and secretValues has the values of its secrets, by name.
	application  infra.Application
	secretValues map[string]string
	logs         *logs
	// First is the release of the checkout's newest commit.
	First Release
}

// Open makes a world and brings the stack up in it. It first removes what killed rehearsals left. If it returns an error,
// it has removed everything it made.
func Open(ctx context.Context, o Options) (*World, error) {
	if err := checkMachine(ctx, o); err != nil {
		return nil, err
	}
	// The umask of the machines in AWS. With a stricter one of the user's, images would have files that no container can
	// read. The folder around all of them is closed to others.
	syscall.Umask(0o022)
	work, err := workspace.New(ctx, o.ProjectDir, o.Stderr)
	if err != nil {
		return nil, err
	}
	w := &World{Options: o, Console: console.New(o.Stderr), Workspace: work}
	for _, step := range []func(context.Context) error{w.prepare, w.bringAllUp} {
		if err := step(ctx); err != nil {
			return nil, w.Close(ctx, err)
		}
	}
	return w, nil
}

// bringAllUp brings the stack up, and meanwhile makes what its hosts and builds will need.
func (w *World) bringAllUp(ctx context.Context) error {
	var stack, edge, aws error
	var group sync.WaitGroup
	group.Go(func() { stack = w.bringUp(ctx) })
	group.Go(func() { edge = w.makeEdgeImage(ctx) })
	group.Go(func() { aws = w.cloud.provideAWS() })
	group.Wait()
	return errors.Join(stack, edge, aws)
}

// Close takes everything down and removes it, even if ctx has ended. After a failure the logs stay. The returned error
// joins the failure and what went wrong in closing.
func (w *World) Close(ctx context.Context, failure error) error {
	ctx = context.WithoutCancel(ctx)
	if w.cloud != nil {
		closing, cancel := context.WithTimeout(ctx, CloseLimit/2)
		failure = errors.Join(failure, w.cloud.close(closing))
		cancel()
	}
	removing, cancel := context.WithTimeout(ctx, CloseLimit/2)
	defer cancel()
	failure = errors.Join(failure, w.Workspace.Remove(removing))
	return errors.Join(failure, w.closeLogs(failure))
}
