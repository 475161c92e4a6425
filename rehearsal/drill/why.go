package drill

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// ownWords are what the rehearsal adds to a failure's message, and neither AWS nor a remedy says.
var ownWords = []string{"rolling back", "the rollback failed too", "signal: killed", "CodeBuild has Go 1.20.14, the default of"}

// explains checks that `cicd why` says of the last release, which failed, all that the failure must have, and what to do.
func (g *drillEnv) explains(ctx context.Context, texts []string) error {
	pipeline := g.Operated()
	runs, err := pipeline.Releases(ctx, 1)
	if err != nil {
		return err
	}
	if len(runs) == 0 {
		return errors.New("cicd why: there is no release")
	}
	cause, err := pipeline.Why(ctx, runs[0])
	if err != nil {
		return err
	}
	if cause == nil {
		return fmt.Errorf("cicd why: the last release %s, and has no cause", runs[0].Status)
	}
	named := "stage " + cause.Stage + "\n" + strings.Join(cause.Remedies, "\n")
	for _, place := range cause.Where {
		named += "\n" + place.Name + ": " + place.Message + "\n" + strings.Join(place.Log, "\n")
	}
	var errs []error
	for _, text := range texts {
		if !slices.Contains(ownWords, text) && !strings.Contains(named, text) {
			errs = append(errs, fmt.Errorf("cicd why lacks %q", text))
		}
	}
	if len(cause.Remedies) == 0 {
		errs = append(errs, errors.New("cicd why knows no remedy"))
	}
	if errs != nil {
		errs = append(errs, fmt.Errorf("it says:\n%s", indented(named)))
	}
	return errors.Join(errs...)
}
