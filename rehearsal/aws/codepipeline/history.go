package codepipeline

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"cicd/rehearsal/github"
)

// actionRun is one run of an action. Its execution's lock guards it.
type actionRun struct {
	id, stage string
	// declared is the action as declared, resolved its configuration with the values of variables.
	declared action
	resolved map[string]string
	role     string

	status           Status
	started, updated time.Time
	// external is the ID that the action's provider has for its work, with a summary and the address of a page about it.
	external, summary, url string
	variables              map[string]string
	failure                error
	// updatedBy is the ARN of who decided on an approval.
	updatedBy string
	approval  *approval
}

// SourceRevision is the commit that an execution releases.
type SourceRevision struct {
	ActionName string `json:"actionName"`
	RevisionID string `json:"revisionId"`
	// RevisionSummary is JSON: a connection gives the provider's name beside the message (CodePipeline User Guide,
	// "CodeStarSourceConnection ...", "Output variables").
	RevisionSummary string `json:"revisionSummary"`
	RevisionURL     string `json:"revisionUrl"`
}

// note changes what the execution's history says.
func (e *Execution) note(change func()) {
	e.mu.Lock()
	defer e.mu.Unlock()
	change()
	e.updated = time.Now()
}

func (e *Execution) currentStatus() Status {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.status
}

// begin notes that an action runs.
func (e *Execution) begin(stage string, a action) *actionRun {
	run := &actionRun{id: uuid.NewString(), stage: stage, declared: a, status: InProgress, started: time.Now(), updated: time.Now()}
	e.note(func() { e.runs = append(e.runs, run) })
	return run
}

// end notes how an action ended.
func (e *Execution) end(run *actionRun, err error) {
	e.note(func() {
		run.status, run.failure, run.updated = Succeeded, err, time.Now()
		if err != nil {
			run.status = Failed
		} else if run.declared.Provider == "CodeDeploy" {
			run.summary = "Deployment Succeeded" // AWS CLI reference, get-pipeline-state
		}
	})
}

// setRevision notes which commit the source action has found.
func (c *call) setRevision(repository string, commit github.Commit) {
	summary, _ := json.Marshal(map[string]string{"ProviderType": "GitHub", "CommitMessage": commit.Message}) // strings always marshal
	// The redirect of the Developer Tools console to the provider's page.
	url := fmt.Sprintf("https://%s.console.aws.amazon.com/codesuite/settings/connections/redirect?connectionArn=%s&referenceType=COMMIT&FullRepositoryId=%s&Commit=%s",
		c.service.Account.Region(), c.action.Configuration["ConnectionArn"], repository, commit.ID)
	c.note(func() {
		c.revision = &SourceRevision{ActionName: c.action.Name, RevisionID: commit.ID, RevisionSummary: string(summary), RevisionURL: url}
		c.record.external, c.record.summary, c.record.url = commit.ID, string(summary), url
	})
}

// setExternal notes the ID that the action's provider has for its work. page is the format of an address in the
// console, for region and ID.
func (c *call) setExternal(id, page string) {
	c.note(func() {
		c.record.external = id
		c.record.url = "https://console.aws.amazon.com/" + fmt.Sprintf(page, c.service.Account.Region(), id)
	})
}

// reported is an error that knows how CodePipeline words it. The rehearsal's own text says more.
type reported interface{ Reported() string }

// errorDetails is why an action failed.
type errorDetails struct {
	Code    string `json:"code"`
	Message string `json:"message"`
}

// messageLimit is the longest message, in characters (CodePipeline API Reference, FailureDetails).
const messageLimit = 5000

// detailsOf returns a failure in CodePipeline's words, nil for none. The names of the codes are those of
// FailureDetails in the CodePipeline API Reference.
func detailsOf(failure error) *errorDetails {
	if failure == nil {
		return nil
	}
	message := failure.Error()
	var r reported
	if errors.As(failure, &r) {
		message = r.Reported()
	}
	if text := []rune(message); len(text) > messageLimit {
		message = string(text[:messageLimit])
	}
	return &errorDetails{Code: "JobFailed", Message: message}
}
