package automation

import (
	"context"
	"encoding/json"
	"fmt"
)

// Identifiers returns the IDs and ARNs of the stack's resources.
func (s *Stack) Identifiers(ctx context.Context) (map[string]bool, error) {
	if s.absent {
		return nil, s.neverUp()
	}
	state, err := s.stack.Export(ctx)
	if err != nil {
		return nil, s.explain(ctx, "state", err, nil)
	}
	var deployment struct {
		Resources []struct {
			ID      string `json:"id"`
			Outputs struct {
				ARN any `json:"arn"` // a secret is no text
			} `json:"outputs"`
		} `json:"resources"`
	}
	if err := json.Unmarshal(state.Deployment, &deployment); err != nil {
		return nil, fmt.Errorf("state of stack %q: %w", s.name, err)
	}
	known := map[string]bool{}
	for _, r := range deployment.Resources {
		known[r.ID] = true
		if arn, ok := r.Outputs.ARN.(string); ok {
			known[arn] = true
		}
	}
	delete(known, "")
	return known, nil
}
