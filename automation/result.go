package automation

import (
	"github.com/pulumi/pulumi/sdk/v3/go/auto"
)

// withheld replaces the value of a secret, as in Pulumi's own output.
const withheld = "[secret]"

// Result is what an operation did or, for a preview, would do.
type Result struct {
	Stack string `json:"stack"`
	// Changes counts resources by Pulumi's operation names: "create", "update", "replace", "delete", "same".
	Changes map[string]int `json:"changes"`
	// Outputs are the stack's outputs after Up, with "[secret]" in place of each secret.
	Outputs map[string]any `json:"outputs,omitempty"`
	// Permalink is the URL of the operation, if the backend has such pages.
	Permalink string `json:"permalink,omitempty"`
}

// Changed counts the resources that were changed.
func (r Result) Changed() int {
	n := 0
	for op, count := range r.Changes {
		if op != "same" {
			n += count
		}
	}
	return n
}

// withhold returns the outputs' values without secrets. An output that contains a secret counts as one.
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
