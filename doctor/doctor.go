// Package doctor looks for what would fail later, before anything is created: in a stack's settings, in the commit that is to
// be released, on GitHub and in AWS. It changes nothing. F-numbers are the failures in docs/failures.md.
//
// What cannot be looked at is a finding too, which says why: nothing is taken for good because nobody could look.
package doctor

import (
	"context"
	"sync"
	"time"
)

// Stack says what to look at.
type Stack struct {
	// Dir is the project's folder, in a checkout of the repository that is released.
	Dir string
	// Project is its name in Pulumi.yaml; Name has neither organization nor project: dev.
	Project, Name string
	// Config are the settings, as infra.CheckConfig takes them. Encrypted lists the keys whose values are not in it.
	Config    map[string]string
	Encrypted []string
	// Outputs returns those of the stack's last up; none if there was none.
	Outputs func(context.Context) (map[string]any, error)
	// Address returns this machine's public address.
	Address func(context.Context) (string, error)
}

// Severity says what a finding means.
type Severity string

// The severities.
const (
	Error     Severity = "error"     // it will fail
	Warning   Severity = "warning"   // it may fail, or does less than it seems to
	Unchecked Severity = "unchecked" // nobody could look
	Fixed     Severity = "fixed"     // it was wrong, and whoever looked has repaired it
)

// Finding is one thing that is wrong, or could not be looked at.
type Finding struct {
	Severity Severity `json:"severity"`
	// Failure is its row in docs/failures.md, "" if it has none.
	Failure string `json:"failure,omitempty"`
	// Message says what is wrong with which thing, and Remedy what to do now.
	Message string `json:"message"`
	Remedy  string `json:"remedy,omitempty"`
	// Setting repairs it, if a value in the stack's settings does.
	Setting *Setting `json:"setting,omitempty"`
}

// Setting is a key of the project's namespace, and its value.
type Setting struct {
	Key   string `json:"key"`
	Value string `json:"value"`
}

// Result is what a check has found: nothing, if all is well.
type Result struct {
	// Area groups checks: Settings, Repository, GitHub, AWS.
	Area string `json:"area"`
	// Name says what is checked.
	Name     string    `json:"name"`
	Findings []Finding `json:"findings"`
}

// Report has the results of all checks, always in the same order.
type Report []Result

// Count returns how many findings are of a severity.
func (r Report) Count(severity Severity) int {
	n := 0
	for _, result := range r {
		for _, finding := range result.Findings {
			if finding.Severity == severity {
				n++
			}
		}
	}
	return n
}

// check looks at one thing. An error says why it could not.
type check struct {
	area, name string
	// failure is the row in docs/failures.md that it prevents.
	failure string
	find    func(context.Context, *subject) ([]Finding, error)
}

// checks are in the order in which they are shown. What is nearest to the person comes first.
var checks = []check{
	{"Settings", "names", "F5", findNames},
	{"Settings", "values", "", findValues},
	{"Settings", "URLs and egressPorts", "F66", findPorts},
	{"Repository", "Dockerfile", "", findDockerfile},
	{"Repository", "Docker Hub", "F16", findDockerHub},
	{"Repository", "bundle", "F27", findBundle},
	{"Repository", "line ends", "F28", findLineEnds},
	{"Repository", "toolchain", "F54", findToolchain},
	{"GitHub", "branch", "F3", findBranch},
	{"AWS", "credentials", "", findCredentials},
	{"AWS", "account", "", findAccount},
	{"AWS", "connection", "F2", findConnection},
	{"AWS", "secrets", "F61", findSecrets},
	{"AWS", "operatorIp", "", findOperator},
	{"AWS", "instance type", "F49", findMachine},
	{"AWS", "quota: vCPUs", "", findVCPUs},
	{"AWS", "quota: addresses", "", findAddresses},
	{"AWS", "quota: builds", "F15", findBuilds},
}

// patience is how long a check may take. Beyond it, nobody waits for what is only a precaution.
const patience = 20 * time.Second

// Examine makes all checks, side by side.
func Examine(ctx context.Context, stack Stack) Report {
	s := newSubject(ctx, stack)
	report := make(Report, len(checks))
	var running sync.WaitGroup
	for i, c := range checks {
		running.Go(func() { report[i] = c.result(ctx, s) })
	}
	running.Wait()
	return report
}

// result makes the check.
func (c check) result(ctx context.Context, s *subject) Result {
	limited, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	findings, err := c.find(limited, s)
	if err != nil {
		message, remedy := split(err)
		findings = append(findings, Finding{Severity: Unchecked, Message: message, Remedy: remedy})
	}
	for i := range findings {
		if findings[i].Failure == "" {
			findings[i].Failure = c.failure
		}
	}
	if findings == nil {
		findings = []Finding{} // in JSON, [] and not null
	}
	return Result{c.area, c.name, findings}
}
