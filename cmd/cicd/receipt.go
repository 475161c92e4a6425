package main

import (
	"context"
	"fmt"
	"strings"

	"cicd/operations"
)

// sweep looks for what a destroy has left. had are the IDs and ARNs of what the stack had. That it cannot be done fails
// nothing: the stack is destroyed.
func (c cli) sweep(ctx context.Context, of operations.Stack, had map[string]bool) operations.Sweep {
	found, err := of.Sweep(ctx, func(arn string) bool { return had[arn] || had[arn[strings.LastIndexAny(arn, "/:")+1:]] })
	if err != nil {
		found.Unchecked = append(found.Unchecked, err.Error())
	}
	for _, problem := range found.Unchecked {
		fmt.Fprintf(c.stderr, "warning: it is not checked what is left: %s\n", problem)
	}
	return found
}

// printReceipt prints what is left of a destroyed stack, and how to delete it.
func (c cli) printReceipt(stack string, s operations.Sweep) {
	if len(s.Checked) > 0 && len(s.Left) == 0 {
		fmt.Fprintf(c.stdout, "Nothing is left of stack %s that should not be. Looked for:\n  %s\n", stack, strings.Join(s.Checked, ", "))
	}
	if len(s.Left) > 0 {
		fmt.Fprintf(c.stdout, "Left of stack %s. AWS lists some of what was deleted within an hour: look first.\n", stack)
		c.printLeftovers(s.Left)
	}
	if len(s.Kept) > 0 {
		fmt.Fprintf(c.stdout, "Kept on purpose, of the stack's data:\n")
		c.printLeftovers(s.Kept)
	}
	if s.Going > 0 {
		fmt.Fprintf(c.stdout, "For about an hour, AWS still lists resources that are deleted: %d.\n", s.Going)
	}
}

func (c cli) printLeftovers(list []operations.Leftover) {
	for _, l := range list {
		fmt.Fprintf(c.stdout, "  %s %s, which costs %s\n", l.Kind, l.ID, l.Costs)
		if l.Remove != "" {
			fmt.Fprintf(c.stdout, "    %s\n", l.Remove)
		}
	}
}
