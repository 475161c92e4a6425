package doctor

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"cicd/infra"
	"cicd/internal/urlport"
)

// findNames: every physical name begins with the project's and the stack's, and the shortest limit is 32 characters.
func findNames(_ context.Context, s *subject) ([]Finding, error) {
	problem := infra.CheckName(s.Project, s.Name)
	if problem == "" {
		return nil, nil
	}
	return []Finding{{Severity: Error, Message: problem, Remedy: "Begin another stack with `cicd init NAME`, or rename the project in Pulumi.yaml."}}, nil
}

// findValues reports what the program would reject, all at once.
func findValues(_ context.Context, s *subject) ([]Finding, error) {
	_, err := s.needs()
	var wrong *infra.ConfigError
	switch {
	case err == nil:
		return nil, nil
	case !errors.As(err, &wrong):
		return nil, err
	}
	remedy := fmt.Sprintf("Correct it in Pulumi.%s.yaml, or with `pulumi config set KEY VALUE --stack %[1]s`.", s.Name)
	var findings []Finding
	for _, violation := range wrong.Violations {
		if violation != infra.CheckName(s.Project, s.Name) { // the check of the names has it
			findings = append(findings, Finding{Severity: Error, Message: violation, Remedy: remedy})
		}
	}
	return findings, nil
}

// findPorts reports variables with a URL that the host's firewall lets nobody open. It quotes no URL, which may hold a
// password. A URL may be one for visitors, so it only may fail.
func findPorts(_ context.Context, s *subject) ([]Finding, error) {
	needs, err := s.settings("environment", "egressPorts")
	if err != nil {
		return nil, err
	}
	var findings []Finding
	for _, name := range slices.Sorted(maps.Keys(needs.Application.Environment)) {
		port := urlport.Of(needs.Application.Environment[name])
		if port == 0 || port == 443 || slices.Contains(needs.EgressPorts, port) {
			continue
		}
		findings = append(findings, Finding{
			Severity: Warning,
			Message:  fmt.Sprintf("environment.%s: has a URL with port %d, which the host does not let out", name, port),
			Remedy: fmt.Sprintf("If the application connects there: `pulumi config set --path 'egressPorts[%d]' %d --stack %s`.",
				len(needs.EgressPorts), port, s.Name),
		})
	}
	return findings, nil
}

// place names a file of the application for people.
func place(needs infra.Needs, file string) string {
	return strings.TrimPrefix(needs.Application.Image.AppPath+"/"+file, "./")
}
