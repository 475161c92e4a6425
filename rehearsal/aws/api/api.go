// Package api is what AWS clients talk to in a rehearsal, over AWS's own protocols: the API endpoint
// (AWS_ENDPOINT_URL) with the few ECR and STS actions that a release needs, a host's instance metadata service, and a
// build's credentials endpoint. The clients are real and sign their requests; each request's signature, region and
// permission are checked. F-numbers are the failures in docs/failures.md.
//
// An action that it does not serve is an error that names the action.
package api

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"

	"github.com/google/uuid"

	"cicd/rehearsal/aws/account"
	"cicd/rehearsal/aws/ecr"
	"cicd/rehearsal/aws/iam"
)

// requestLimit is the largest request body accepted, in bytes; real ones have a few hundred.
const requestLimit = 1 << 20

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
}

// api is the API endpoint.
type api struct{ Config }

// New returns the API endpoint, to be served at the root of its own host.
func New(config Config) http.Handler { return &api{config} }

// actions are everything that is served: by X-Amz-Target in AWS's JSON protocol, by service and action in its query
// protocol. Each evaluates IAM itself, because each knows its own resource.
var actions = map[string]func(a *api, s iam.Session, body []byte) (any, error){
	"AmazonEC2ContainerRegistry_V20150921.GetAuthorizationToken": (*api).getAuthorizationToken,
	"AmazonEC2ContainerRegistry_V20150921.DescribeImages":        (*api).describeImages,
	"AmazonEC2ContainerRegistry_V20150921.BatchGetImage":         (*api).batchGetImage,
	"sts.GetCallerIdentity":                                      (*api).getCallerIdentity,
}

func (a *api) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	requestID := uuid.NewString()
	w.Header().Set("x-amzn-RequestId", requestID)
	var p protocol = jsonProtocol{}
	if r.Header.Get("X-Amz-Target") == "" {
		p = queryProtocol{requestID}
	}
	answer, err := a.answer(r)
	if err != nil {
		p.writeError(w, faultOf(err))
		return
	}
	p.write(w, answer)
}

func (a *api) answer(r *http.Request) (any, error) {
	body, err := io.ReadAll(io.LimitReader(r.Body, requestLimit))
	if err != nil {
		return nil, fmt.Errorf("request: %w", err)
	}
	name := actionName(r, body)
	action, ok := actions[name]
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
	service := "a request without a signature"
	if signed, err := parseAuthorization(r.Header.Get("Authorization")); err == nil {
		service = signed.service
	}
	form, err := url.ParseQuery(string(body))
	if err != nil || form.Get("Action") == "" {
		return fmt.Sprintf("%s: %s %s", service, r.Method, r.URL.Path)
	}
	return service + "." + form.Get("Action")
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
	switch {
	case errors.As(err, &f):
		return f
	case errors.As(err, &e):
		return fault{e.Code, e.Message}
	}
	return fault{"ServerException", err.Error()}
}
