package drill

import (
	"context"
	"errors"
	"fmt"
	"strings"
)

// explains checks that `cicd why` names the cause of the last release, which failed: the stage, one of the texts that the
// failure must have, and what to do.
func (g *drillEnv) explains(ctx context.Context, texts []string) error {
	pipeline := g.Operated()
	runs, err := pipeline.Releases(ctx, 1)
	if err != nil {
		return err
	}
	cause, err := pipeline.Why(ctx, runs[0])
	if err != nil {
		return err
	}
	if cause == nil {
		return fmt.Errorf("cicd why: the last release %s, and has no cause", runs[0].Status)
	}
	named := "stage " + cause.Stage
	for _, place := range cause.Where {
		named += "\n" + place.Name + ": " + place.Message + "\n" + strings.Join(place.Log, "\n")
	}
	found := 0
	var errs []error
	for _, text := range texts {
		if strings.Contains(named, text) {
			found++
		} else if strings.HasPrefix(text, "stage ") {
			errs = append(errs, fmt.Errorf("cicd why lacks %q", text))
		}
	}
	if found < min(2, len(texts)) {
		errs = append(errs, fmt.Errorf("cicd why has %d of the texts %q", found, texts))
	}
	if len(cause.Remedies) == 0 {
		errs = append(errs, errors.New("cicd why knows no remedy"))
	}
	if errs != nil {
		errs = append(errs, fmt.Errorf("it says:\n%s", indented(named)))
	}
	return errors.Join(errs...)
}
