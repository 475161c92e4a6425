package world

import (
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"cicd/operations"
)

// Operator returns the variables with which AWS's clients on this machine find the rehearsed account, as a person who may
// do everything there that no policy denies.
func (w *World) Operator() map[string]string {
	person := w.cloud.authority.Administrator("operator").Credentials
	return map[string]string{
		"AWS_ENDPOINT_URL":      w.cloud.api.URL,
		"AWS_REGION":            w.cloud.account.Region(),
		"AWS_DEFAULT_REGION":    w.cloud.account.Region(), // for version 1 of the AWS CLI
		"AWS_ACCESS_KEY_ID":     person.AccessKeyID,
		"AWS_SECRET_ACCESS_KEY": person.SecretAccessKey,
		"AWS_SESSION_TOKEN":     person.SessionToken,
	}
}

// OperatorPath is the folder with the plugin that opens sessions with the rehearsed hosts, for the PATH of such a person.
func (w *World) OperatorPath() string { return w.Workspace.Path("operator-bin") }

// Operated is the stack's pipeline, for such a person.
func (w *World) Operated() *operations.Pipeline {
	person := w.cloud.authority.Administrator("operator").Credentials
	region := w.cloud.account.Region()
	return operations.NewPipeline(aws.Config{
		Region: region, BaseEndpoint: aws.String(w.cloud.api.URL),
		Credentials: credentials.NewStaticCredentialsProvider(person.AccessKeyID, person.SecretAccessKey, person.SessionToken),
	}, operations.Stack{Project: w.project, Name: w.Stack, Region: region})
}
