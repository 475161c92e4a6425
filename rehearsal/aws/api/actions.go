package api

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"strings"

	"cicd/rehearsal/aws/account"
	"cicd/rehearsal/aws/awsjson"
	"cicd/rehearsal/aws/cloudwatchlogs"
	"cicd/rehearsal/aws/codebuild"
	"cicd/rehearsal/aws/codedeploy"
	"cicd/rehearsal/aws/codepipeline"
	"cicd/rehearsal/aws/ec2"
	"cicd/rehearsal/aws/ecr"
	"cicd/rehearsal/aws/iam"
	"cicd/rehearsal/aws/secretsmanager"
	"cicd/rehearsal/aws/servicequotas"
	"cicd/rehearsal/aws/sessionmanager"
	"cicd/rehearsal/aws/ssm"
	"cicd/rehearsal/aws/tagging"
)

// action answers a request whose signature has been checked. Each evaluates IAM itself, because each knows its own
// resource.
type action func(a *api, s iam.Session, body []byte) (any, error)

// actions are everything that is served but S3: by X-Amz-Target in AWS's JSON protocol, by service and action in its
// query protocol.
var actions = map[string]action{
	"AmazonEC2ContainerRegistry_V20150921.GetAuthorizationToken": (*api).getAuthorizationToken,
	"AmazonEC2ContainerRegistry_V20150921.DescribeImages":        (*api).describeImages,
	"AmazonEC2ContainerRegistry_V20150921.BatchGetImage":         (*api).batchGetImage,
	"AmazonEC2ContainerRegistry_V20150921.DescribeRepositories":  (*api).describeRepositories,

	"AmazonSSM.DeleteParameter":     of(parameters, silent((*ssm.Store).DeleteParameter)),
	"AmazonSSM.DeleteParameters":    of(parameters, (*ssm.Store).DeleteParameters),
	"AmazonSSM.DescribeParameters":  of(parameters, (*ssm.Store).DescribeParameters),
	"AmazonSSM.GetParameter":        of(parameters, (*ssm.Store).GetParameter),
	"AmazonSSM.GetParameters":       of(parameters, (*ssm.Store).GetParameters),
	"AmazonSSM.GetParametersByPath": of(parameters, (*ssm.Store).GetParametersByPath),
	"AmazonSSM.PutParameter":        of(parameters, (*ssm.Store).PutParameter),

	"AmazonSSM.DescribeInstanceInformation": of(hosts, (*sessionmanager.Service).DescribeInstanceInformation),
	"AmazonSSM.StartSession":                of(hosts, (*sessionmanager.Service).StartSession),
	"AmazonSSM.TerminateSession":            of(hosts, (*sessionmanager.Service).TerminateSession),

	"secretsmanager.GetSecretValue": of(secrets, (*secretsmanager.Store).GetSecretValue),

	"Logs_20140328.CreateLogStream":    of(logs, silent((*cloudwatchlogs.Service).CreateLogStream)),
	"Logs_20140328.DescribeLogGroups":  of(logs, (*cloudwatchlogs.Service).DescribeLogGroups),
	"Logs_20140328.DescribeLogStreams": of(logs, (*cloudwatchlogs.Service).DescribeLogStreams),
	"Logs_20140328.FilterLogEvents":    of(logs, (*cloudwatchlogs.Service).FilterLogEvents),
	"Logs_20140328.GetLogEvents":       of(logs, (*cloudwatchlogs.Service).GetLogEvents),
	"Logs_20140328.PutLogEvents":       of(logs, (*cloudwatchlogs.Service).PutLogEvents),

	"CodePipeline_20150709.DisableStageTransition": of(pipelines, silent((*codepipeline.Service).DisableStageTransition)),
	"CodePipeline_20150709.EnableStageTransition":  of(pipelines, silent((*codepipeline.Service).EnableStageTransition)),
	"CodePipeline_20150709.GetPipelineExecution":   of(pipelines, (*codepipeline.Service).GetPipelineExecution),
	"CodePipeline_20150709.GetPipelineState":       of(pipelines, (*codepipeline.Service).GetPipelineState),
	"CodePipeline_20150709.ListActionExecutions":   of(pipelines, (*codepipeline.Service).ListActionExecutions),
	"CodePipeline_20150709.ListPipelineExecutions": of(pipelines, (*codepipeline.Service).ListPipelineExecutions),
	"CodePipeline_20150709.PutApprovalResult":      of(pipelines, (*codepipeline.Service).PutApprovalResult),
	"CodePipeline_20150709.StartPipelineExecution": of(pipelines, (*codepipeline.Service).StartPipelineExecution),

	"CodeBuild_20161006.BatchGetBuilds": of(builds, (*codebuild.Runner).BatchGetBuilds),

	"CodeDeploy_20141006.BatchGetDeploymentTargets": of(deployments, (*codedeploy.Service).BatchGetDeploymentTargets),
	"CodeDeploy_20141006.GetDeployment":             of(deployments, (*codedeploy.Service).GetDeployment),
	"CodeDeploy_20141006.ListDeployments":           of(deployments, (*codedeploy.Service).ListDeployments),
	"CodeDeploy_20141006.ListDeploymentTargets":     of(deployments, (*codedeploy.Service).ListDeploymentTargets),

	"ec2.DescribeInstances":             ofForm(instances, (*ec2.Service).DescribeInstances),
	"ec2.DescribeInstanceTypeOfferings": ofForm(instances, (*ec2.Service).DescribeInstanceTypeOfferings),
	"ec2.DescribeInstanceTypes":         ofForm(instances, (*ec2.Service).DescribeInstanceTypes),
	"ec2.DescribeAddresses":             ofForm(instances, (*ec2.Service).DescribeAddresses),
	"ec2.DescribeSubnets":               ofForm(instances, (*ec2.Service).DescribeSubnets),
	"ec2.StartInstances":                ofForm(instances, (*ec2.Service).StartInstances),
	"ec2.StopInstances":                 ofForm(instances, (*ec2.Service).StopInstances),

	"ServiceQuotasV20190624.GetAWSDefaultServiceQuota":   of(quotas, (*servicequotas.Service).GetAWSDefaultServiceQuota),
	"ServiceQuotasV20190624.GetServiceQuota":             of(quotas, (*servicequotas.Service).GetServiceQuota),
	"ServiceQuotasV20190624.ListAWSDefaultServiceQuotas": of(quotas, (*servicequotas.Service).ListAWSDefaultServiceQuotas),
	"ServiceQuotasV20190624.ListServiceQuotas":           of(quotas, (*servicequotas.Service).ListServiceQuotas),

	"CodeConnections_20231201.GetConnection": (*api).getConnection,

	"ResourceGroupsTaggingAPI_20170126.GetResources": of(tags, (*tagging.Service).GetResources),

	"sts.GetCallerIdentity": (*api).getCallerIdentity,
}

func parameters(a *api) *ssm.Store           { return a.Parameters }
func hosts(a *api) *sessionmanager.Service   { return a.Hosts }
func tags(a *api) *tagging.Service           { return a.Tags }
func secrets(a *api) *secretsmanager.Store   { return a.Secrets }
func logs(a *api) *cloudwatchlogs.Service    { return a.Logs }
func pipelines(a *api) *codepipeline.Service { return a.Pipelines }
func builds(a *api) *codebuild.Runner        { return a.Builds }
func quotas(a *api) *servicequotas.Service   { return a.Quotas }
func deployments(a *api) *codedeploy.Service { return a.Deployments }

// of makes an action of a service's method, whose types are those of the JSON protocol.
func of[Service, In, Out any](service func(*api) Service, call func(Service, iam.Session, In) (Out, error)) action {
	return func(a *api, s iam.Session, body []byte) (any, error) {
		var in In
		if err := decode(body, &in); err != nil {
			return nil, err
		}
		return call(service(a), s, in)
	}
}

// silent makes a method that returns nothing one that returns an empty response.
func silent[Service, In any](call func(Service, iam.Session, In) error) func(Service, iam.Session, In) (struct{}, error) {
	return func(service Service, s iam.Session, in In) (struct{}, error) { return struct{}{}, call(service, s, in) }
}

// decode reads a JSON request. An unsupported parameter is an error, so that none is ignored.
func decode(body []byte, request any) error {
	d := json.NewDecoder(bytes.NewReader(body))
	d.DisallowUnknownFields()
	if err := d.Decode(request); err != nil {
		return fault{"InvalidParameterException", fmt.Sprintf("the rehearsal does not serve this request: %v", err)}
	}
	return nil
}

func (a *api) getAuthorizationToken(s iam.Session, body []byte) (any, error) {
	if err := a.authorize(s, "ecr:GetAuthorizationToken", "*"); err != nil {
		return nil, err
	}
	if err := decode(body, &struct{}{}); err != nil {
		return nil, err
	}
	password, expiresAt := a.Registry.IssueToken(s)
	type authorization struct {
		AuthorizationToken string  `json:"authorizationToken"`
		ExpiresAt          float64 `json:"expiresAt"`
		ProxyEndpoint      string  `json:"proxyEndpoint"`
	}
	return map[string][]authorization{"authorizationData": {{
		AuthorizationToken: base64.StdEncoding.EncodeToString([]byte("AWS:" + password)),
		ExpiresAt:          float64(expiresAt.Unix()),
		ProxyEndpoint:      a.RegistryURL,
	}}}, nil
}

// imagesRequest is the request of DescribeImages and of BatchGetImage.
type imagesRequest struct {
	RegistryID     string        `json:"registryId"`
	RepositoryName string        `json:"repositoryName"`
	ImageIDs       []ecr.ImageID `json:"imageIds"`
}

// images decodes a request for a repository's images and asks IAM whether s may perform action there. It looks up the
// repository first, because a missing declaration is easier to fix if the error says so.
func (a *api) images(s iam.Session, action string, body []byte) (imagesRequest, error) {
	var request imagesRequest
	if err := decode(body, &request); err != nil {
		return request, err
	}
	if id := request.RegistryID; id != "" && id != a.Account.ID() {
		return request, fault{"RepositoryNotFoundException",
			fmt.Sprintf("The repository with name '%s' does not exist in the registry with id '%s'", request.RepositoryName, id)}
	}
	arn, err := a.Registry.RepositoryARN(request.RepositoryName)
	if err != nil {
		return request, err
	}
	return request, a.authorize(s, action, arn)
}

func (a *api) describeImages(s iam.Session, body []byte) (any, error) {
	request, err := a.images(s, "ecr:DescribeImages", body)
	if err != nil {
		return nil, err
	}
	images, err := a.Registry.Images(request.RepositoryName, request.ImageIDs...)
	if err != nil {
		return nil, err
	}
	type detail struct {
		RegistryID             string   `json:"registryId"`
		RepositoryName         string   `json:"repositoryName"`
		ImageDigest            string   `json:"imageDigest"`
		ImageTags              []string `json:"imageTags,omitempty"`
		ImageSizeInBytes       int64    `json:"imageSizeInBytes"`
		ImagePushedAt          float64  `json:"imagePushedAt"`
		ImageManifestMediaType string   `json:"imageManifestMediaType"`
		ArtifactMediaType      string   `json:"artifactMediaType,omitempty"`
	}
	details := []detail{}
	for _, image := range images {
		details = append(details, detail{a.Account.ID(), request.RepositoryName, image.Digest, image.Tags, image.SizeBytes,
			awsjson.Seconds(image.PushedAt), image.MediaType, image.ConfigMediaType})
	}
	return map[string]any{"imageDetails": details}, nil
}

func (a *api) batchGetImage(s iam.Session, body []byte) (any, error) {
	request, err := a.images(s, "ecr:BatchGetImage", body)
	if err != nil {
		return nil, err
	}
	type image struct {
		RegistryID             string      `json:"registryId"`
		RepositoryName         string      `json:"repositoryName"`
		ImageID                ecr.ImageID `json:"imageId"`
		ImageManifest          string      `json:"imageManifest"`
		ImageManifestMediaType string      `json:"imageManifestMediaType"`
	}
	type failure struct {
		ImageID       ecr.ImageID `json:"imageId"`
		FailureCode   string      `json:"failureCode"`
		FailureReason string      `json:"failureReason"`
	}
	images, failures := []image{}, []failure{}
	for _, id := range request.ImageIDs {
		found, err := a.Registry.Images(request.RepositoryName, id)
		var refused *ecr.Error
		if errors.As(err, &refused) && refused.Code == "ImageNotFoundException" {
			failures = append(failures, failure{id, "ImageNotFound", "Requested image not found"})
			continue
		}
		if err != nil {
			return nil, err
		}
		for _, f := range found {
			images = append(images, image{a.Account.ID(), request.RepositoryName, ecr.ImageID{Digest: f.Digest, Tag: id.Tag},
				string(f.Manifest), f.MediaType})
		}
	}
	return map[string]any{"images": images, "failures": failures}, nil
}

// describeRepositories describes declared repositories, by name or all (ECR API reference, DescribeRepositories).
func (a *api) describeRepositories(s iam.Session, body []byte) (any, error) {
	var request struct {
		RegistryID      string   `json:"registryId"`
		RepositoryNames []string `json:"repositoryNames"`
	}
	if err := decode(body, &request); err != nil {
		return nil, err
	}
	type repository struct {
		RegistryID     string `json:"registryId"`
		RepositoryName string `json:"repositoryName"`
		RepositoryARN  string `json:"repositoryArn"`
	}
	found, names := []repository{}, request.RepositoryNames
	if len(names) == 0 {
		for _, r := range a.Account.ByType(account.Repository) {
			names = append(names, r.String("name"))
		}
	}
	for _, name := range names {
		if err := a.authorize(s, "ecr:DescribeRepositories", a.Account.ARN("ecr", "repository/"+name)); err != nil {
			return nil, err
		}
		arn, err := a.Registry.RepositoryARN(name)
		if err != nil {
			return nil, err
		}
		found = append(found, repository{a.Account.ID(), name, arn})
	}
	return map[string]any{"repositories": found}, nil
}

// getConnection describes a connection that the stack declares (CodeConnections API reference, GetConnection).
func (a *api) getConnection(s iam.Session, body []byte) (any, error) {
	var request struct {
		ConnectionARN string `json:"ConnectionArn"`
	}
	if err := decode(body, &request); err != nil {
		return nil, err
	}
	if err := a.authorize(s, "codeconnections:GetConnection", request.ConnectionARN); err != nil {
		return nil, err
	}
	connection, ok := a.Account.Find(account.Connection, "arn", request.ConnectionARN)
	if !ok {
		return nil, fault{"ResourceNotFoundException", fmt.Sprintf("Connection %s does not exist", request.ConnectionARN)}
	}
	return map[string]any{"Connection": map[string]string{
		"ConnectionArn": request.ConnectionARN, "ConnectionName": connection.String("name"), "ConnectionStatus": connection.String("connectionStatus"),
		"OwnerAccountId": a.Account.ID(), "ProviderType": connection.String("providerType"),
	}}, nil
}

// getCallerIdentity needs no permission, and no policy can deny it (STS API reference, GetCallerIdentity).
func (a *api) getCallerIdentity(s iam.Session, _ []byte) (any, error) {
	type result struct {
		Arn     string
		UserID  string `xml:"UserId"`
		Account string
	}
	_, role, _ := strings.Cut(s.ARN(), "/")
	role, _, _ = strings.Cut(role, "/")
	return struct {
		XMLName xml.Name `xml:"https://sts.amazonaws.com/doc/2011-06-15/ GetCallerIdentityResponse"`
		Result  result   `xml:"GetCallerIdentityResult"`
	}{Result: result{
		Arn:     s.ARN(),
		UserID:  "AROA" + strings.ToUpper(role) + ":" + s.Name,
		Account: a.Account.ID(),
	}}, nil
}
