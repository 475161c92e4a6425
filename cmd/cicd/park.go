package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"cicd/operations"
)

func (c cli) park() *cobra.Command {
	var flags stackFlags
	yes := false
	cmd := &cobra.Command{
		Use:   "park",
		Short: "Stop a stack's host, and let releases wait: for the night",
		Long: `Stop a stack's host, so that AWS charges nothing for it. The application does
not answer until unpark starts the host again, under the same address; a push
waits until then, and is released. What the disks have stays there. Disks and
the address still cost what they do.

It asks first; without a terminal, as in CI, it needs --yes. While a release is
running, it refuses.`,
		Example: `  cicd park --stack dev
  cicd park --stack dev --yes`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if !yes && !c.interactive {
				return fmt.Errorf("%w: to park a stack needs confirmation, but there is no terminal: add --yes", errUsage)
			}
			return c.parkStack(cmd.Context(), flags, yes)
		},
	}
	flags.add(cmd)
	cmd.Flags().BoolVar(&yes, "yes", false, "do not ask for confirmation")
	return cmd
}

func (c cli) parkStack(ctx context.Context, flags stackFlags, yes bool) error {
	s, err := c.parking(ctx, flags.stack)
	if err != nil {
		return err
	}
	if s.Done() {
		return c.printParking(flags, s, "already parked, since "+s.State.Parked().Since.Format("2006-01-02 15:04 UTC"))
	}
	if err := s.pipeline.Refusal(ctx, s.Parking); err != nil {
		return err
	}
	c.say("Parking stack %s stops %s. %s does not answer then, and a push waits, until `cicd unpark --stack %[1]s`.", flags.stack, operations.HostNames(s.Hosts), s.address())
	if !yes {
		if err := c.agreed(ctx, "park it", fmt.Sprintf("stack %q", flags.stack)); err != nil {
			return err
		}
	}
	if err := s.pipeline.Park(ctx, s.Parking); err != nil {
		return err
	}
	if s.Parking, err = s.pipeline.Parking(ctx); err != nil {
		return err
	}
	return c.printParking(flags, s, "parked. To go on: "+unparkHint(flags.stack))
}

// parkedStack is a stack with what parks it.
type parkedStack struct {
	*operations.Parking
	pipeline *operations.Pipeline
	domain   string // of the application, "" for none
}

// parking reads what parks a stack.
func (c cli) parking(ctx context.Context, stack string) (s parkedStack, err error) {
	of, config, err := c.stackOf(stack)
	if err != nil {
		return s, err
	}
	if s.pipeline, err = operations.OpenPipeline(ctx, of); err != nil {
		return s, err
	}
	s.domain = config.Values[config.Project+":domain"]
	s.Parking, err = s.pipeline.Parking(ctx)
	return s, err
}

// url is the application's, as the stack's output appUrl has it, "" if no host has an address.
func (s parkedStack) url() string {
	switch {
	case s.domain != "":
		return "https://" + s.domain
	case s.Hosts[0].Address != "":
		return "http://" + s.Hosts[0].Address
	}
	return ""
}

// address is how messages name the application's.
func (s parkedStack) address() string {
	if url := s.url(); url != "" {
		return url
	}
	return "The application"
}

// printParking prints what became of a stack: a text, or JSON.
func (c cli) printParking(flags stackFlags, s parkedStack, text string) error {
	if flags.json {
		return printJSON(c.stdout, parkingAnswer{flags.stack, s.State.Parked(), s.Hosts, s.url()})
	}
	_, err := fmt.Fprintf(c.stdout, "Stack %s is %s.\n", flags.stack, text)
	return err
}

// unparkHint says how a parked stack goes on.
func unparkHint(stack string) string { return "cicd unpark --stack " + stack }
