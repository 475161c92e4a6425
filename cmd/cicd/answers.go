package main

import (
	"cicd/automation"
	"cicd/doctor"
	"cicd/operations"
)

// The answers of commands with --json, as far as they are not types of the packages that find them. Each has a schema in
// docs/json.

type statusAnswer struct {
	Stack    string `json:"stack"`
	Pipeline string `json:"pipeline"`
	// Parked says since when the stack is parked, and by whom; null if it is not.
	Parked *operations.Transition `json:"parked" jsonschema:"nullable"`
	// Serving is the release that serves, null for none.
	Serving *operations.Run `json:"serving" jsonschema:"nullable"`
	// Latest is the newest release, however it ended, null for none.
	Latest *operations.Run `json:"latest" jsonschema:"nullable"`
}

type releasesAnswer struct {
	// Releases begin with the newest.
	Releases []operations.Run   `json:"releases"`
	Metrics  operations.Metrics `json:"metrics"`
}

type secretsAnswer struct {
	// Commit is that of the running release.
	Commit  string              `json:"runningCommit,omitempty"`
	Secrets []operations.Status `json:"secrets"`
}

type destroyAnswer struct {
	automation.Result
	Parameters int              `json:"parametersDeleted"`
	Sweep      operations.Sweep `json:"sweep"`
}

type doctorAnswer struct {
	Stack     string        `json:"stack"`
	Errors    int           `json:"errors"`
	Warnings  int           `json:"warnings"`
	Unchecked int           `json:"unchecked"`
	Checks    doctor.Report `json:"checks"`
}

type parkingAnswer struct {
	Stack string `json:"stack"`
	// Parked is null if the stack is not parked.
	Parked *operations.Transition `json:"parked" jsonschema:"nullable"`
	Hosts  []operations.Host      `json:"hosts"`
	URL    string                 `json:"url,omitempty"`
}

type driftAnswer struct {
	// Infrastructure is what up would change.
	Infrastructure automation.Result `json:"infrastructure"`
	// Containers are those that run on the host.
	Containers []operations.Container `json:"containers,omitempty"`
	// Deviations say how they differ from the last release.
	Deviations []string `json:"deviations"`
	// Unchecked says why the containers could not be looked at.
	Unchecked string `json:"unchecked,omitempty"`
}
