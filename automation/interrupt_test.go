package automation

import (
	"context"
	"errors"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// waitFor waits for an event, unless the operation ends first.
func waitFor(t *testing.T, event <-chan struct{}, ended <-chan error) {
	t.Helper()
	select {
	case <-event:
	case err := <-ended:
		t.Fatalf("the operation ended early: %v", err)
	case <-time.After(time.Minute):
		t.Fatal("no event within a minute")
	}
}

// textSignal is a writer that closes found when the text is written to it.
type textSignal struct {
	text  string
	found chan struct{}
}

func (s *textSignal) Write(p []byte) (int, error) {
	if s.text != "" && strings.Contains(string(p), s.text) {
		s.text = ""
		close(s.found)
	}
	return len(p), nil
}

// TestInterruptedUp interrupts an update while a resource is being created. The engine must let that finish, record
// it and unlock the stack, and must not start what comes after it.
func TestInterruptedUp(t *testing.T) {
	p, env := startProvider(t)
	o := project(t, func(ctx *pulumi.Context) error {
		var slow pulumi.CustomResourceState
		if err := ctx.RegisterResource("test:index:Thing", "slow", pulumi.Map{"waits": pulumi.Bool(true)}, &slow); err != nil {
			return err
		}
		var next pulumi.CustomResourceState
		return ctx.RegisterResource("test:index:Thing", "next", pulumi.Map{}, &next, pulumi.DependsOn([]pulumi.Resource{&slow}))
	}, env)
	cancelling := &textSignal{"cancelling", make(chan struct{})}
	o.Progress = cancelling
	s := open(t, o)
	ctx, interrupt := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() {
		_, err := s.Up(ctx)
		ended <- err
	}()
	waitFor(t, p.creating, ended)
	if len(locks(t, o)) != 1 {
		t.Fatalf("locks during an update: %v, want 1", locks(t, o))
	}
	interrupt()
	waitFor(t, cancelling.found, ended)
	p.ready <- struct{}{}

	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("Up: %v, want context.Canceled", err)
	}
	if found := locks(t, o); len(found) != 0 {
		t.Errorf("locks left behind: %v", found)
	}
	got, err := s.Preview(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if got.Changes["create"] != 1 || got.Changes["same"] != 2 {
		t.Errorf("after the interruption, preview wants %v; want 1 to create (next) and 2 the same (the stack, slow)", got.Changes)
	}
}

func signalSelf(t *testing.T) {
	t.Helper()
	if err := syscall.Kill(os.Getpid(), syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
}

// TestAbandonedUp interrupts twice: at the second signal to this process, the engine must stop waiting for the resource.
func TestAbandonedUp(t *testing.T) {
	p, env := startProvider(t)
	o := project(t, func(ctx *pulumi.Context) error {
		return thing(ctx, "stuck", pulumi.Map{"waits": pulumi.Bool(true)})
	}, env)
	cancelling := &textSignal{"cancelling", make(chan struct{})}
	o.Progress = cancelling
	s := open(t, o)
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM) // as main does; SIGTERM, as CI sends
	defer stop()
	ended := make(chan error, 1)
	go func() {
		_, err := s.Up(ctx)
		ended <- err
	}()
	waitFor(t, p.creating, ended)
	signalSelf(t)
	waitFor(t, cancelling.found, ended)
	signalSelf(t)
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("Up: %v, want context.Canceled", err)
	}
	if found := locks(t, o); len(found) != 0 {
		t.Errorf("locks left behind: %v", found)
	}
}
