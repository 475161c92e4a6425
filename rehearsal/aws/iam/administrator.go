package iam

import (
	"github.com/aws/aws-sdk-go-v2/aws/arn"

	"cicd/rehearsal/aws/account"
)

// administrator is the role of a person who signed in through IAM Identity Center with the permission set
// AdministratorAccess. AWS makes such roles, not a stack; without a region in their path if Identity Center is in
// us-east-1 (IAM Identity Center User Guide, "Referencing permission sets in resource policies, Amazon EKS Cluster
// config maps, and AWS KMS key policies").
const administrator = "AWSReservedSSO_AdministratorAccess_0123456789abcdef"

// administratorAccess is the AWS managed policy AdministratorAccess (AWS Managed Policy Reference Guide).
const administratorAccess = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}`

// Administrator returns a session of a person who may do everything in the account that no resource's policy denies.
// name is the person's, the last part of the session's ARN.
func (a *Authority) Administrator(name string) Session {
	s := Session{RoleARN: a.administrator().String("arn"), Name: name, Credentials: newCredentials()}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.sessions[s.Credentials.AccessKeyID] = s
	return s
}

// administrator returns the role of an administrator, as if it were declared.
func (a *Authority) administrator() account.Resource {
	role := arn.ARN{Partition: a.account.Partition(), Service: "iam", AccountID: a.account.ID(),
		Resource: "role/aws-reserved/sso.amazonaws.com/" + administrator}
	return account.Resource{Type: account.Role, Name: administrator, ID: administrator,
		Properties: map[string]any{"name": administrator, "arn": role.String()}}
}

// role returns the declared role with this ARN, or that of an administrator.
func (a *Authority) role(arn string) (account.Resource, bool) {
	if person := a.administrator(); arn == person.String("arn") {
		return person, true
	}
	role, ok := a.account.Find(account.Role, "arn", arn)
	return role, ok && arn != ""
}
