package permissions

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/aws/arn"

	"cicd/rehearsal/console"
)

// text is one table per role, as wide as the console, with the reasons of the exemptions below it.
func (a audit) text(stack string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "Permissions of stack %s: what is granted, and how many requests used it\n", stack)
	for start := 0; start < len(a.grants); {
		end := start + 1
		for end < len(a.grants) && a.grants[end].Role == a.grants[start].Role {
			end++
		}
		writeRole(&b, a.grants[start:end])
		start = end
	}
	counts := map[string]int{}
	for _, g := range a.grants {
		counts[g.status()]++
	}
	fmt.Fprintf(&b, "\n%d grants: %d used, %d exempt, %d unused, %d wider than their use\n",
		len(a.grants), counts[used], counts[exempt], counts[unused], counts[wide])
	fmt.Fprintf(&b, "%d requests that must be refused are refused\n", a.refused)
	return b.String()
}

// writeRole writes the table of one role's grants.
func writeRole(b *strings.Builder, grants []grant) {
	const columns = "  %4d %-6s %-38s %s\n"
	room := console.Width - len("     1 UNUSED ") - 38 - 1
	role := grants[0].Role
	fmt.Fprintf(b, "\n%s\n", console.Cut(fmt.Sprintf("Role %s, component %s", role[strings.LastIndex(role, "/")+1:], grants[0].Component), console.Width))
	var reasons []string
	for _, g := range grants {
		mark := g.status()
		switch mark {
		case used:
			mark = ""
		case exempt:
			if !slices.Contains(reasons, g.reason) {
				reasons = append(reasons, g.reason)
			}
			mark = fmt.Sprintf("[%d]", slices.Index(reasons, g.reason)+1)
		}
		fmt.Fprintf(b, columns, len(g.Uses), mark, g.Action, cutLeft(tailOfARN(g.Resource), room))
	}
	for i, reason := range reasons {
		for j, line := range console.Wrap(reason, console.Width-13) {
			label := ""
			if j == 0 {
				label = fmt.Sprintf("[%d]", i+1)
			}
			fmt.Fprintf(b, "       %-5s %s\n", label, line)
		}
	}
}

// tailOfARN returns what names a resource within its service and account; a pattern that is no ARN, such as "*", in full.
func tailOfARN(resource string) string {
	a, err := arn.Parse(resource)
	if err != nil {
		return resource
	}
	return a.Resource
}

// cutLeft shortens a text to its last n characters, which distinguish resources.
func cutLeft(text string, n int) string {
	if utf8.RuneCountInString(text) <= n {
		return text
	}
	runes := []rune(text)
	return "…" + string(runes[len(runes)-n+1:])
}

// MarshalJSON returns the same table for programs.
func (a audit) MarshalJSON() ([]byte, error) {
	type line struct {
		Role      string   `json:"role"`
		Component string   `json:"component"`
		Statement string   `json:"statement"`
		Action    string   `json:"action"`
		Resource  string   `json:"resource"`
		Status    string   `json:"status"`
		Reason    string   `json:"reason,omitempty"`
		Narrower  string   `json:"narrower,omitempty"`
		Used      []string `json:"used"` // resources
	}
	lines := []line{}
	for _, g := range a.grants {
		resources := []string{}
		for _, u := range g.Uses {
			resources = append(resources, u.Resource)
		}
		lines = append(lines, line{g.Role, g.Component, g.Sid, g.Action, g.Resource, strings.ToLower(g.status()), g.reason, g.narrower, resources})
	}
	return json.Marshal(map[string]any{"grants": lines, "refused": a.refused, "problems": append([]string{}, a.problems...)})
}
