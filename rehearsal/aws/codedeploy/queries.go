package codedeploy

import (
	"errors"
	"slices"

	"cicd/rehearsal/aws/awserror"
	"cicd/rehearsal/aws/awsjson"
	"cicd/rehearsal/aws/iam"
)

// find returns a deployment, with the permission for an action on its deployment group.
func (s *Service) find(session iam.Session, action, id string) (*Deployment, error) {
	s.mu.Lock()
	i := slices.IndexFunc(s.history, func(d *Deployment) bool { return d.ID == id })
	s.mu.Unlock()
	if i < 0 {
		return nil, awserror.New("DeploymentDoesNotExistException", "The deployment %s could not be found", id)
	}
	d := s.history[i]
	return d, s.authorize(session, action, d.group.Application, d.group.Name)
}

func (s *Service) authorize(session iam.Session, action, application, group string) error {
	if err := s.config.Authority.Authorize(session, action, s.config.Account.ARN("codedeploy", "deploymentgroup:"+application+"/"+group)); err != nil {
		return awserror.Denied(err)
	}
	return nil
}

// GetDeploymentInput names a deployment.
type GetDeploymentInput struct {
	DeploymentID string `json:"deploymentId"`
}

// GetDeploymentOutput describes it.
type GetDeploymentOutput struct {
	DeploymentInfo deploymentInfo `json:"deploymentInfo"`
}

type deploymentInfo struct {
	ApplicationName      string             `json:"applicationName"`
	DeploymentGroupName  string             `json:"deploymentGroupName"`
	DeploymentConfigName string             `json:"deploymentConfigName"`
	DeploymentID         string             `json:"deploymentId"`
	Revision             revisionLocation   `json:"revision"`
	Status               Status             `json:"status"`
	ErrorInformation     *errorInformation  `json:"errorInformation,omitempty"`
	CreateTime           float64            `json:"createTime"`
	StartTime            float64            `json:"startTime"`
	CompleteTime         float64            `json:"completeTime,omitempty"`
	DeploymentOverview   deploymentOverview `json:"deploymentOverview"`
	Creator              string             `json:"creator"`
	RollbackInfo         *rollbackInfo      `json:"rollbackInfo,omitempty"`
	ComputePlatform      string             `json:"computePlatform"`
}

type revisionLocation struct {
	RevisionType string     `json:"revisionType"`
	S3Location   s3Location `json:"s3Location"`
}

type s3Location struct {
	Bucket     string `json:"bucket"`
	Key        string `json:"key"`
	BundleType string `json:"bundleType"`
	Version    string `json:"version,omitempty"`
	ETag       string `json:"eTag,omitempty"`
}

type errorInformation struct {
	Code    string `json:"code"`
	Message string `json:"message"`
}

type deploymentOverview struct {
	Pending    int
	InProgress int
	Succeeded  int
	Failed     int
	Skipped    int
	Ready      int
}

type rollbackInfo struct {
	RollbackDeploymentID           string `json:"rollbackDeploymentId,omitempty"`
	RollbackTriggeringDeploymentID string `json:"rollbackTriggeringDeploymentId,omitempty"`
	RollbackMessage                string `json:"rollbackMessage,omitempty"`
}

// GetDeployment describes a deployment, with codedeploy:GetDeployment.
func (s *Service) GetDeployment(session iam.Session, in GetDeploymentInput) (GetDeploymentOutput, error) {
	d, err := s.find(session, "codedeploy:GetDeployment", in.DeploymentID)
	if err != nil {
		return GetDeploymentOutput{}, err
	}
	info := d.Info()
	r := d.Revision
	out := deploymentInfo{
		ApplicationName: d.group.Application, DeploymentGroupName: d.group.Name, DeploymentConfigName: d.group.ConfigName, DeploymentID: d.ID,
		Revision: revisionLocation{"S3", s3Location{r.Bucket, r.Key, r.BundleType, r.Version, r.ETag}}, Status: info.Status,
		CreateTime: awsjson.Seconds(d.started), StartTime: awsjson.Seconds(d.started), Creator: d.Creator, ComputePlatform: "Server",
	}
	if info.Error != nil {
		out.ErrorInformation = &errorInformation{info.Error.Code, info.Error.Message}
	}
	if info.Rollback != (RollbackInfo{}) {
		out.RollbackInfo = &rollbackInfo{info.Rollback.DeploymentID, info.Rollback.TriggeringDeploymentID, info.Rollback.Message}
	}
	if !info.Ended.IsZero() {
		out.CompleteTime = awsjson.Seconds(info.Ended)
	}
	for _, i := range info.Instances {
		switch i.Status {
		case Pending:
			out.DeploymentOverview.Pending++
		case InProgress:
			out.DeploymentOverview.InProgress++
		case Succeeded:
			out.DeploymentOverview.Succeeded++
		case Failed:
			out.DeploymentOverview.Failed++
		case Skipped:
			out.DeploymentOverview.Skipped++
		}
	}
	return GetDeploymentOutput{out}, nil
}

// ListDeploymentsInput asks for the deployments of a group, or of all; those with one of the statuses if there are any.
type ListDeploymentsInput struct {
	ApplicationName     string   `json:"applicationName"`
	DeploymentGroupName string   `json:"deploymentGroupName"`
	IncludeOnlyStatuses []Status `json:"includeOnlyStatuses"`
}

// ListDeploymentsOutput has their IDs, the newest first.
type ListDeploymentsOutput struct {
	Deployments []string `json:"deployments"`
}

// ListDeployments lists deployments, with codedeploy:ListDeployments on the group.
func (s *Service) ListDeployments(session iam.Session, in ListDeploymentsInput) (ListDeploymentsOutput, error) {
	if in.ApplicationName == "" || in.DeploymentGroupName == "" {
		return ListDeploymentsOutput{}, awserror.New("ApplicationNameRequiredException", "the rehearsal lists the deployments of one application and deployment group")
	}
	if err := s.authorize(session, "codedeploy:ListDeployments", in.ApplicationName, in.DeploymentGroupName); err != nil {
		return ListDeploymentsOutput{}, err
	}
	if _, err := s.group(in.ApplicationName, in.DeploymentGroupName); err != nil {
		var refused *APIError
		if errors.As(err, &refused) {
			err = awserror.New(refused.Code, "%s", refused.Message)
		}
		return ListDeploymentsOutput{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	out := ListDeploymentsOutput{Deployments: []string{}}
	for _, d := range slices.Backward(s.history) {
		if d.group.Application == in.ApplicationName && d.group.Name == in.DeploymentGroupName &&
			(len(in.IncludeOnlyStatuses) == 0 || slices.Contains(in.IncludeOnlyStatuses, d.Info().Status)) {
			out.Deployments = append(out.Deployments, d.ID)
		}
	}
	return out, nil
}

// ListDeploymentTargetsInput asks for the instances of a deployment.
type ListDeploymentTargetsInput struct {
	DeploymentID string `json:"deploymentId"`
}

// ListDeploymentTargetsOutput has their IDs.
type ListDeploymentTargetsOutput struct {
	TargetIDs []string `json:"targetIds"`
}

// ListDeploymentTargets lists the instances of a deployment, with codedeploy:ListDeploymentTargets.
func (s *Service) ListDeploymentTargets(session iam.Session, in ListDeploymentTargetsInput) (ListDeploymentTargetsOutput, error) {
	d, err := s.find(session, "codedeploy:ListDeploymentTargets", in.DeploymentID)
	if err != nil {
		return ListDeploymentTargetsOutput{}, err
	}
	out := ListDeploymentTargetsOutput{TargetIDs: []string{}}
	for _, i := range d.Info().Instances {
		out.TargetIDs = append(out.TargetIDs, i.ID)
	}
	return out, nil
}

// BatchGetDeploymentTargetsInput names instances of a deployment.
type BatchGetDeploymentTargetsInput struct {
	DeploymentID string   `json:"deploymentId"`
	TargetIDs    []string `json:"targetIds"`
}

// BatchGetDeploymentTargetsOutput says what happened there.
type BatchGetDeploymentTargetsOutput struct {
	DeploymentTargets []deploymentTarget `json:"deploymentTargets"`
}

type deploymentTarget struct {
	DeploymentTargetType string         `json:"deploymentTargetType"`
	InstanceTarget       instanceTarget `json:"instanceTarget"`
}

type instanceTarget struct {
	DeploymentID    string           `json:"deploymentId"`
	TargetID        string           `json:"targetId"`
	TargetARN       string           `json:"targetArn"`
	Status          Status           `json:"status"`
	LastUpdatedAt   float64          `json:"lastUpdatedAt"`
	LifecycleEvents []lifecycleEvent `json:"lifecycleEvents"`
}

type lifecycleEvent struct {
	LifecycleEventName string       `json:"lifecycleEventName"`
	Status             Status       `json:"status"`
	StartTime          float64      `json:"startTime,omitempty"`
	EndTime            float64      `json:"endTime,omitempty"`
	Diagnostics        *diagnostics `json:"diagnostics,omitempty"`
}

type diagnostics struct {
	ErrorCode  string `json:"errorCode"`
	ScriptName string `json:"scriptName"`
	Message    string `json:"message"`
	LogTail    string `json:"logTail"`
}

// BatchGetDeploymentTargets describes what a deployment did on instances, with codedeploy:BatchGetDeploymentTargets.
func (s *Service) BatchGetDeploymentTargets(session iam.Session, in BatchGetDeploymentTargetsInput) (BatchGetDeploymentTargetsOutput, error) {
	d, err := s.find(session, "codedeploy:BatchGetDeploymentTargets", in.DeploymentID)
	if err != nil {
		return BatchGetDeploymentTargetsOutput{}, err
	}
	out := BatchGetDeploymentTargetsOutput{DeploymentTargets: []deploymentTarget{}}
	instances := d.Info().Instances
	for _, id := range in.TargetIDs {
		i := slices.IndexFunc(instances, func(i Instance) bool { return i.ID == id })
		if i < 0 {
			return BatchGetDeploymentTargetsOutput{}, awserror.New("DeploymentTargetDoesNotExistException", "The deployment target %s does not exist in deployment %s", id, d.ID)
		}
		out.DeploymentTargets = append(out.DeploymentTargets, deploymentTarget{"InstanceTarget", s.target(d, instances[i])})
	}
	return out, nil
}

func (s *Service) target(d *Deployment, i Instance) instanceTarget {
	target := instanceTarget{DeploymentID: d.ID, TargetID: i.ID, TargetARN: s.config.Account.ARN("codedeploy", "instance/"+i.ID), Status: i.Status, LastUpdatedAt: awsjson.Seconds(d.started)}
	for _, e := range i.Events {
		event := lifecycleEvent{LifecycleEventName: e.Name, Status: e.Status}
		if !e.Started.IsZero() {
			event.StartTime = awsjson.Seconds(e.Started)
		}
		if !e.Started.IsZero() && e.Status != InProgress {
			event.EndTime = awsjson.Seconds(e.Started.Add(e.Duration))
			target.LastUpdatedAt = event.EndTime
			event.Diagnostics = &diagnostics{ErrorCode: "Success", Message: "Succeeded"}
		}
		if f := e.Failure; f != nil {
			event.Diagnostics = &diagnostics{f.Code.String(), f.Script, f.Message, f.Log}
		}
		target.LifecycleEvents = append(target.LifecycleEvents, event)
	}
	return target
}
