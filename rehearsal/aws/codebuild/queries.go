package codebuild

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"cicd/rehearsal/aws/awserror"
	"cicd/rehearsal/aws/awsjson"
	"cicd/rehearsal/aws/iam"
)

// BatchGetBuildsInput names builds by their IDs or ARNs.
type BatchGetBuildsInput struct {
	IDs []string `json:"ids"`
}

// BatchGetBuildsOutput describes them.
type BatchGetBuildsOutput struct {
	Builds         []buildInfo `json:"builds"`
	BuildsNotFound []string    `json:"buildsNotFound"`
}

type buildInfo struct {
	ID                           string         `json:"id"`
	ARN                          string         `json:"arn"`
	BuildNumber                  int            `json:"buildNumber"`
	StartTime                    float64        `json:"startTime"`
	EndTime                      float64        `json:"endTime,omitempty"`
	CurrentPhase                 string         `json:"currentPhase"`
	BuildStatus                  string         `json:"buildStatus"`
	BuildComplete                bool           `json:"buildComplete"`
	SourceVersion                string         `json:"sourceVersion"`
	ResolvedSourceVersion        string         `json:"resolvedSourceVersion"`
	ProjectName                  string         `json:"projectName"`
	Phases                       []phaseInfo    `json:"phases"`
	Logs                         logsInfo       `json:"logs"`
	ServiceRole                  string         `json:"serviceRole"`
	TimeoutInMinutes             int            `json:"timeoutInMinutes"`
	Initiator                    string         `json:"initiator"`
	ExportedEnvironmentVariables []exportedInfo `json:"exportedEnvironmentVariables"`
}

type phaseInfo struct {
	PhaseType         string        `json:"phaseType"`
	PhaseStatus       string        `json:"phaseStatus,omitempty"`
	StartTime         float64       `json:"startTime"`
	EndTime           float64       `json:"endTime,omitempty"`
	DurationInSeconds *int64        `json:"durationInSeconds,omitempty"`
	Contexts          []contextInfo `json:"contexts,omitempty"`
}

type contextInfo struct {
	StatusCode string `json:"statusCode"`
	Message    string `json:"message"`
}

type logsInfo struct {
	GroupName         string `json:"groupName,omitempty"`
	StreamName        string `json:"streamName,omitempty"`
	CloudWatchLogsARN string `json:"cloudWatchLogsArn,omitempty"`
}

type exportedInfo struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// record is what the runner remembers of a build. Its lock guards it.
type record struct {
	build *build
	// phase is the one that runs, and phaseStarted since when.
	phase        string
	phaseStarted time.Time
	phases       []PhaseResult
	ended        time.Time // zero while it runs
	status       string    // once it has ended
	exported     map[string]string
}

// remember begins the record of a build.
func (r *Runner) remember(b *build) {
	r.mu.Lock()
	defer r.mu.Unlock()
	b.record = &record{build: b, phase: "SUBMITTED", phaseStarted: b.started}
	r.records = append(r.records, b.record)
}

// note changes the record of a build.
func (b *build) note(change func(*record)) {
	b.runner.mu.Lock()
	defer b.runner.mu.Unlock()
	change(b.record)
}

// batchLimit is the most builds that one call describes (service model, BuildIds).
const batchLimit = 100

// BatchGetBuilds describes builds, with codebuild:BatchGetBuilds on their projects.
func (r *Runner) BatchGetBuilds(s iam.Session, in BatchGetBuildsInput) (BatchGetBuildsOutput, error) {
	if len(in.IDs) < 1 || len(in.IDs) > batchLimit {
		return BatchGetBuildsOutput{}, awserror.New("InvalidInputException", "Invalid build ID list: must have from 1 to 100 IDs")
	}
	out := BatchGetBuildsOutput{Builds: []buildInfo{}, BuildsNotFound: []string{}}
	for _, id := range in.IDs {
		name := id[strings.LastIndex(id, "/")+1:] // of an ARN
		project, _, _ := strings.Cut(name, ":")
		if err := r.Authority.Authorize(s, "codebuild:BatchGetBuilds", r.Account.ARN("codebuild", "project/"+project)); err != nil {
			return BatchGetBuildsOutput{}, awserror.Denied(err)
		}
		if info, found := r.info(name); found {
			out.Builds = append(out.Builds, info)
		} else {
			out.BuildsNotFound = append(out.BuildsNotFound, id)
		}
	}
	return out, nil
}

// info describes one build.
func (r *Runner) info(id string) (buildInfo, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	i := slices.IndexFunc(r.records, func(rec *record) bool { return rec.build.result.ID == id })
	if i < 0 {
		return buildInfo{}, false
	}
	rec, b := r.records[i], r.records[i].build
	info := buildInfo{
		ID: id, ARN: b.result.ARN, BuildNumber: b.result.Number, StartTime: awsjson.Seconds(b.started), CurrentPhase: rec.phase, BuildStatus: "IN_PROGRESS",
		SourceVersion: b.input.SourceVersion, ResolvedSourceVersion: b.input.ResolvedSourceVersion, ProjectName: b.project.Name,
		ServiceRole: b.project.ServiceRole, TimeoutInMinutes: b.project.BuildTimeout, Initiator: b.input.Initiator, ExportedEnvironmentVariables: []exportedInfo{},
	}
	if b.project.LogsConfig.CloudwatchLogs.Status != "DISABLED" {
		info.Logs = logsInfo{b.logGroup(), b.logStream(), b.project.resourceARN(r.Account, "logs", "log-group:"+b.logGroup()+":log-stream:"+b.logStream())}
	}
	for _, p := range rec.phases {
		info.Phases = append(info.Phases, p.info())
	}
	for name, value := range rec.exported {
		info.ExportedEnvironmentVariables = append(info.ExportedEnvironmentVariables, exportedInfo{name, value})
	}
	slices.SortFunc(info.ExportedEnvironmentVariables, func(a, b exportedInfo) int { return cmp.Compare(a.Name, b.Name) })
	if rec.ended.IsZero() {
		info.Phases = append(info.Phases, phaseInfo{PhaseType: rec.phase, StartTime: awsjson.Seconds(rec.phaseStarted)})
		return info, true
	}
	info.EndTime, info.BuildStatus, info.BuildComplete, info.CurrentPhase = awsjson.Seconds(rec.ended), rec.status, true, "COMPLETED"
	info.Phases = append(info.Phases, phaseInfo{PhaseType: "COMPLETED", StartTime: info.EndTime})
	return info, true
}

func (p PhaseResult) info() phaseInfo {
	whole := int64(p.Duration / time.Second)
	info := phaseInfo{PhaseType: p.Name, PhaseStatus: p.Status, StartTime: awsjson.Seconds(p.Started), EndTime: awsjson.Seconds(p.Started.Add(p.Duration)), DurationInSeconds: &whole}
	for _, c := range p.Contexts {
		info.Contexts = append(info.Contexts, contextInfo(c))
	}
	return info
}
