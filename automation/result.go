package automation

import (
	"github.com/pulumi/pulumi/sdk/v3/go/auto"
)

// withheld stands for the value of a secret, as in Pulumi's own output.
const withheld = "[secret]"

// Result is what an operation did, or in a preview would do.
type Result struct {
	Stack string `json:"stack"`
	// Changes counts resources under Pulumi's names of operations: "create", "update", "replace", "delete", "same".
	Changes map[string]int `json:"changes"`
	// Outputs are the stack's after Up, with "[secret]" in place of each secret.
	Outputs map[string]any `json:"outputs,omitempty"`
	// Permalink is the operation's page, in a backend that has pages.
	Permalink string `json:"permalink,omitempty"`
}

// Changed counts the resources that were not left as they are.
func (r Result) Changed() int {
	n := 0
	for op, count := range r.Changes {
		if op != "same" {
			n += count
		}
	}
	return n
}

// withhold returns the outputs' values without the secrets. An output with a secret anywhere in it counts as one.
func withhold(outputs auto.OutputMap) map[string]any {
	values := make(map[string]any, len(outputs))
	for name, o := range outputs {
		values[name] = o.Value
		if o.Secret {
			values[name] = withheld
		}
	}
	return values
}
