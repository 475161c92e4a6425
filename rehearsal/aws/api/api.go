// Package api is what AWS clients talk to in a rehearsal, over AWS's own protocols: the API endpoint (AWS_ENDPOINT_URL)
// with the few actions of CodePipeline, CodeBuild, CodeDeploy, EC2, ECR, Parameter Store, Session Manager, Secrets Manager,
// Service Quotas, CloudWatch Logs, S3, STS and tagging that a stack and its operators need, a host's instance metadata
// service, and a build's credentials endpoint. The clients are real and sign their requests; each request's signature, region
// and permission are checked. F-numbers are the failures in docs/failures.md.
//
// An action that it does not serve is an error that names the action.
package api

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/google/uuid"

	"cicd/rehearsal/aws/account"
	"cicd/rehearsal/aws/awserror"
	"cicd/rehearsal/aws/cloudwatchlogs"
	"cicd/rehearsal/aws/codebuild"
	"cicd/rehearsal/aws/codedeploy"
	"cicd/rehearsal/aws/codepipeline"
	"cicd/rehearsal/aws/ec2"
	"cicd/rehearsal/aws/ecr"
	"cicd/rehearsal/aws/iam"
	"cicd/rehearsal/aws/s3"
	"cicd/rehearsal/aws/secretsmanager"
	"cicd/rehearsal/aws/servicequotas"
	"cicd/rehearsal/aws/sessionmanager"
	"cicd/rehearsal/aws/ssm"
	"cicd/rehearsal/aws/tagging"
)

// requestLimit is the largest request body accepted, in bytes. The largest is that of PutLogEvents, with a megabyte of
// messages, each byte of which can take six in JSON.
const requestLimit = 8 << 20

// Config configures the API endpoint. All fields are required.
type Config struct {
	// Account owns the API. Requests must be signed for its region.
	Account *account.Account
	// Sessions returns the session that an access key belongs to, and false if it has expired; it is
	// [iam.Authority.SessionFor].
	Sessions func(accessKeyID string) (iam.Session, bool)
	// Authorize decides whether a session may perform an action; it is [iam.Authority.Authorize].
	Authorize func(s iam.Session, action string, resources ...string) error
	// Registry serves the ECR actions.
	Registry *ecr.Registry
	// RegistryURL is the registry's address for docker, such as "http://127.0.0.1:40123".
	RegistryURL string
	// Parameters serves the actions of Parameter Store.
	Parameters *ssm.Store
	// Hosts serves the actions of Session Manager.
	Hosts *sessionmanager.Service
	// Secrets serves the actions of Secrets Manager.
	Secrets *secretsmanager.Store
	// Logs serves the actions of CloudWatch Logs.
	Logs *cloudwatchlogs.Service
	// Pipelines, Builds and Deployments serve those of CodePipeline, CodeBuild and CodeDeploy.
	Pipelines   *codepipeline.Service
	Builds      *codebuild.Runner
	Deployments *codedeploy.Service
	// Instances serves those of EC2.
	Instances *ec2.Service
	// Quotas serves those of Service Quotas.
	Quotas *servicequotas.Service
	// Objects serves those of S3.
	Objects *s3.Store
	// Tags serves those of the Resource Groups Tagging API.
	Tags *tagging.Service
}

// api is the API endpoint.
type api struct{ Config }

// New returns the API endpoint, to be served at the root of its own host.
func New(config Config) http.Handler { return &api{config} }

func (a *api) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	requestID := uuid.NewString()
	w.Header().Set("x-amzn-RequestId", requestID)
	body, err := readBody(r)
	p := a.protocolOf(r, body, requestID)
	if err != nil {
		p.writeError(w, faultOf(err))
		return
	}
	answer, err := a.answer(r, body)
	if errors.Is(err, cloudwatchlogs.ErrAway) {
		panic(http.ErrAbortHandler) // closes the connection without a response
	}
	if err != nil {
		p.writeError(w, faultOf(err))
		return
	}
	p.write(w, answer)
}

func (a *api) protocolOf(r *http.Request, body []byte, requestID string) protocol {
	switch {
	case r.Header.Get("X-Amz-Target") != "":
		return jsonProtocol{}
	case serviceOf(r) == "s3":
		return s3Protocol{requestID, r.URL.Path}
	case serviceOf(r) == "ec2":
		return ec2Protocol{requestID, strings.TrimPrefix(actionName(r, body), "ec2.")}
	}
	return queryProtocol{requestID}
}

func readBody(r *http.Request) ([]byte, error) {
	body, err := io.ReadAll(io.LimitReader(r.Body, requestLimit+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("request: %w", err)
	case len(body) > requestLimit:
		return nil, fault{"RequestEntityTooLargeException", fmt.Sprintf("the request has more than %d bytes", requestLimit)}
	}
	return body, nil
}

func (a *api) answer(r *http.Request, body []byte) (any, error) {
	name := actionName(r, body)
	action, ok := actions[name]
	if serviceOf(r) == "s3" {
		action, ok = s3Action(r)
	}
	if !ok {
		return nil, fault{"UnknownOperationException",
			fmt.Sprintf("the rehearsal does not serve %s; what it serves of AWS's API is in rehearsal/aws/api", name)}
	}
	session, err := a.authenticate(r, body)
	if err != nil {
		return nil, err
	}
	return action(a, session, body)
}

// actionName returns the key in actions that the request asks for.
func actionName(r *http.Request, body []byte) string {
	if target := r.Header.Get("X-Amz-Target"); target != "" {
		return target
	}
	service := cmp.Or(serviceOf(r), "a request without a signature")
	form, err := url.ParseQuery(string(body))
	if err != nil || form.Get("Action") == "" {
		return fmt.Sprintf("%s: %s %s", service, r.Method, r.URL.RequestURI())
	}
	return service + "." + form.Get("Action")
}

// serviceOf returns the service that a request is signed for, such as "s3"; "" without a signature.
func serviceOf(r *http.Request) string {
	signed, _ := parseAuthorization(r.Header.Get("Authorization"))
	return signed.service
}

// authorize asks IAM and returns a denial as the API's error.
func (a *api) authorize(s iam.Session, action, resource string) error {
	if err := a.Authorize(s, action, resource); err != nil {
		return fault{"AccessDeniedException", err.Error()}
	}
	return nil
}

// fault is an error of AWS's API, with its name in the JSON protocol.
type fault struct{ code, message string }

func (f fault) Error() string { return f.code + ": " + f.message }

func faultOf(err error) fault {
	var f fault
	var e *ecr.Error
	var refused *awserror.Error
	switch {
	case errors.As(err, &f):
		return f
	case errors.As(err, &e):
		return fault{e.Code, e.Message}
	case errors.As(err, &refused):
		return fault{refused.Code, refused.Message}
	}
	return fault{"ServerException", err.Error()}
}
