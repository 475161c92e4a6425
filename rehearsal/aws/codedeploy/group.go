package codedeploy

import (
	"cmp"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws/arn"

	"cicd/rehearsal/aws/account"
)

// group is a declared aws:codedeploy/deploymentGroup:DeploymentGroup.
type group struct {
	ARN            string      `json:"arn"`
	ID             string      `json:"deploymentGroupId"`
	Application    string      `json:"appName"`
	Name           string      `json:"deploymentGroupName"`
	ServiceRoleARN string      `json:"serviceRoleArn"`
	ConfigName     string      `json:"deploymentConfigName"`
	TagSets        []tagSet    `json:"ec2TagSets"`
	TagFilters     []tagFilter `json:"ec2TagFilters"`
	Style          struct {
		Option string `json:"deploymentOption"`
		Type   string `json:"deploymentType"`
	} `json:"deploymentStyle"`
	AutoRollback struct {
		Enabled bool     `json:"enabled"`
		Events  []string `json:"events"`
	} `json:"autoRollbackConfiguration"`
}

func (s *Service) group(application, name string) (group, error) {
	if _, ok := s.config.Account.Find(account.Application, "name", application); !ok {
		return group{}, &APIError{"ApplicationDoesNotExistException", "No application found for name: " + application}
	}
	for _, r := range s.config.Account.ByType(account.DeploymentGroup) {
		if r.String("appName") != application || r.String("deploymentGroupName") != name {
			continue
		}
		g, err := account.Decode[group](r)
		if err != nil {
			return group{}, err
		}
		if g.Style.Type == "BLUE_GREEN" || g.Style.Option == "WITH_TRAFFIC_CONTROL" {
			return group{}, fmt.Errorf("deployment group %s: %s %s: only in-place deployments without a load balancer can be rehearsed", name, g.Style.Type, g.Style.Option)
		}
		g.ID = cmp.Or(g.ID, r.ID)
		g.ConfigName = cmp.Or(g.ConfigName, oneAtATime)
		return g, nil
	}
	return group{}, &APIError{"DeploymentGroupDoesNotExistException", "No Deployment Group found for name: " + name}
}

// assumeRole assumes the group's service role and uses it as CodeDeploy does to find and watch instances
// (AWSCodeDeployRole managed policy; CodeDeploy user guide, "Create a service role for CodeDeploy").
func (s *Service) assumeRole(g group) *ErrorInformation {
	acct := s.config.Account
	role, _ := arn.Parse(g.ServiceRoleARN) // if it is not an ARN, it is not a role either
	source := cmp.Or(g.ARN, arn.ARN{Partition: role.Partition, Service: "codedeploy", Region: acct.Region(), AccountID: acct.ID(),
		Resource: "deploymentgroup:" + g.Application + "/" + g.Name}.String())
	session, err := s.config.Authority.AssumeRole(g.ServiceRoleARN, "codedeploy.amazonaws.com", "CodeDeploy", source)
	if err != nil {
		return &ErrorInformation{Code: "IAM_ROLE_MISSING", Message: "CodeDeploy cannot assume the service role of deployment group " + g.Name + ": " + err.Error()}
	}
	var denied []error
	for _, action := range []string{"tag:GetResources", "ec2:DescribeInstances", "ec2:DescribeInstanceStatus"} {
		if err := s.config.Authority.Authorize(session, action, "*"); err != nil {
			denied = append(denied, err)
		}
	}
	if err := errors.Join(denied...); err != nil {
		return &ErrorInformation{Code: "IAM_ROLE_PERMISSIONS", Message: fmt.Sprintf("The IAM role %s does not give you permission to perform operations in the following AWS service: AmazonEC2. "+
			"Contact your AWS administrator if you need help. If you are an AWS administrator, you can grant permissions to your users or groups by creating IAM policies.\n%v", g.ServiceRoleARN, err)}
	}
	return nil
}
