package operations

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/aws/smithy-go"
)

const credentialsRemedy = "To do: run `aws sso login` or `aws configure`, or set AWS_PROFILE, " +
	"or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY."

// remedies say what to do about an error of AWS, by its code. REGION stands for the stack's region.
type remedies map[string]string

// commonRemedies are for the errors of all services (Systems Manager API reference, "Common Errors").
var commonRemedies = remedies{
	"AccessDeniedException":       "To do: allow that to this user or role, or use credentials that may, as with AWS_PROFILE.",
	"ExpiredTokenException":       "The credentials have expired. " + credentialsRemedy,
	"UnrecognizedClientException": "AWS does not know these credentials, or their account has not enabled REGION. " + credentialsRemedy,
	"InvalidSignatureException":   "To do: check AWS_SECRET_ACCESS_KEY, this machine's clock, and that AWS_ENDPOINT_URL, if set, is for REGION.",
	"OptInRequired":               "To do: enable REGION for the account, or correct aws:region.",
	"ThrottlingException":         "AWS gets too many requests from this account. To do: wait a minute, and run the command again.",
	"InternalServerError":         "AWS has a fault. To do: wait a minute, and run the command again.",
}

// parameterRemedies are for those of Parameter Store (the same, PutParameter).
var parameterRemedies = remedies{
	"TooManyUpdates":         "Somebody else is changing it. To do: look whether theirs is the one to keep; if not, run the command again.",
	"ParameterLimitExceeded": "To do: delete parameters of this account that nobody needs, or ask AWS for a higher quota.",
	"ParameterMaxVersionLimitExceeded": "Parameter Store keeps 100 versions and deletes the oldest for a new one, unless it has a label. " +
		"To do: give the label to a newer version, with `aws ssm label-parameter-version --region REGION`.",
	"HierarchyTypeMismatchException": "There is a parameter of this name that is no SecureString. " +
		"To do: delete it with `cicd secrets rm`, and set the secret half a minute later.",
	"ValidationException": "Parameter Store accepts no value that has {{ and }}, and none for a parameter of its advanced tier. " +
		"To do: encode such a value, as with base64; delete such a parameter with `cicd secrets rm`, and set the secret half a minute later.",
}

// pipelineRemedies are for those of CodePipeline (CodePipeline API reference, ListPipelineExecutions, GetPipelineExecution,
// PutApprovalResult, DisableStageTransition).
var pipelineRemedies = remedies{
	"PipelineNotFoundException": "To do: create it with `cicd up`; if the stack is up, the output nextStep says what it waits for. " +
		"Check that the credentials are for the stack's account, too.",
	"PipelineExecutionNotFoundException": "To do: take an ID from `cicd releases`.",
	"ApprovalAlreadyCompletedException":  "Somebody else has decided meanwhile: see `cicd releases`.",
	"InvalidApprovalTokenException":      "Somebody else has decided meanwhile, or the approval has expired: see `cicd releases`.",
}

// imageRemedies are for those of ECR (ECR API reference, DescribeImages).
var imageRemedies = remedies{
	"RepositoryNotFoundException": "To do: create it with `cicd up`. Check that the credentials are for the stack's account, too.",
}

// connectionRemedies are for those of CodeConnections (CodeConnections API reference, GetConnection).
var connectionRemedies = remedies{
	"ResourceNotFoundException": "Somebody has deleted it. To do: run `pulumi up --refresh`, which makes another.",
}

// identityRemedies are for those of STS, whose codes are the query protocol's (STS API reference, "Common Error Types").
var identityRemedies = remedies{
	"ExpiredToken":          commonRemedies["ExpiredTokenException"],
	"InvalidClientTokenId":  commonRemedies["UnrecognizedClientException"],
	"SignatureDoesNotMatch": commonRemedies["InvalidSignatureException"],
}

// hostRemedies are for those of EC2, which has names of its own for what concerns all services (EC2 API reference, "Error
// codes for the Amazon EC2 API").
var hostRemedies = remedies{
	"UnauthorizedOperation":        commonRemedies["AccessDeniedException"],
	"RequestExpired":               commonRemedies["ExpiredTokenException"],
	"AuthFailure":                  commonRemedies["UnrecognizedClientException"],
	"RequestLimitExceeded":         commonRemedies["ThrottlingException"],
	"InternalError":                commonRemedies["InternalServerError"],
	"IncorrectInstanceState":       "Somebody else stops or starts it. To do: wait a minute, and run the command again.",
	"InsufficientInstanceCapacity": "EC2 has no room for this instance type in its zone at the moment. To do: run the command again later, or change instanceType and run `cicd up`.",
}

// refused reports whether an error is AWS's answer, so that nothing has been done.
func refused(err error) bool {
	var answer smithy.APIError
	return errors.As(err, &answer)
}

// explain returns an error that says what AWS refused, about which thing, and what to do; nil for nil. own
// are the remedies of the service.
func (s Stack) explain(ctx context.Context, thing string, err error, own remedies) error {
	var refused smithy.APIError
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return fmt.Errorf("%s: interrupted: %w", thing, ctx.Err())
	case !errors.As(err, &refused):
		return fmt.Errorf("%s: %w\nTo do: check aws:region (%s), the connection to AWS, and the proxy if there is one",
			thing, err, s.Region)
	}
	text := thing + ": " + refused.ErrorCode()
	if message := refused.ErrorMessage(); message != "" {
		text += ": " + message
	}
	if remedy := cmp.Or(own[refused.ErrorCode()], commonRemedies[refused.ErrorCode()]); remedy != "" {
		text += "\n" + strings.ReplaceAll(remedy, "REGION", s.Region)
	}
	return refusal{text, refused.ErrorCode()}
}

// refusal is what AWS answered instead of doing what it was asked.
type refusal struct{ text, code string }

func (r refusal) Error() string { return r.text }

// Absent reports whether an error is AWS's answer that a thing does not exist.
func Absent(err error) bool {
	var r refusal
	return errors.As(err, &r) && (strings.HasSuffix(r.code, "NotFoundException") || r.code == "NoSuchResourceException")
}

// discreet returns an error without AWS's own words, which may quote the value that was sent, unless they are about
// who sent it.
func discreet(err error) error {
	var refused smithy.APIError
	if !errors.As(err, &refused) || refused.ErrorCode() == "AccessDeniedException" {
		return err
	}
	return &smithy.GenericAPIError{Code: refused.ErrorCode()}
}
