package automation

import (
	"fmt"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/auto"
)

// withheld replaces the value of a secret, as in Pulumi's own output.
const withheld = "[secret]"

// Result is what an operation did or, for a preview, would do.
type Result struct {
	Stack string `json:"stack"`
	// Changes counts resources by Pulumi's operation names: "create", "update", "replace", "delete", "same".
	Changes map[string]int `json:"changes"`
	// Replaced has the URNs of the resources that are replaced.
	Replaced []string `json:"replaced,omitempty"`
	// Outputs are the stack's outputs after Up, with "[secret]" in place of each secret.
	Outputs map[string]any `json:"outputs,omitempty"`
	// Permalink is the URL of the operation, if the backend has such pages.
	Permalink string `json:"permalink,omitempty"`

	preview bool
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

// operations are the words for each kind of change, in the order in which a summary has them.
var operations = []struct{ name, planned, done string }{
	{"create", "to create", "created"},
	{"update", "to update", "updated"},
	{"replace", "to replace", "replaced"},
	{"delete", "to delete", "deleted"},
	{"same", "unchanged", "unchanged"},
}

// Summary returns "2 created, 40 unchanged", or "2 to create, 40 unchanged" for a preview. Like Pulumi, it counts the stack as a
// resource.
func (r Result) Summary() string {
	var parts []string
	for _, op := range operations {
		words := op.done
		if r.preview {
			words = op.planned
		}
		if n := r.Changes[op.name]; n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, words))
		}
	}
	if parts == nil {
		return "nothing to do"
	}
	return strings.Join(parts, ", ")
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
