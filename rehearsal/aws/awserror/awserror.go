// Package awserror has the errors with which AWS's services answer.
package awserror

import (
	"fmt"

	"github.com/aws/smithy-go"
)

// Error is an error of a service. It is a [smithy.APIError], as clients of the service get it.
type Error struct {
	// Code is the name of the exception, such as "ParameterNotFound".
	Code string
	// Message is the service's text, "" if it has none.
	Message string
	// Cause is why, as the rehearsal knows it; nil if there is nothing to add.
	Cause error
}

// New returns an error with a formatted message.
func New(code, format string, args ...any) *Error {
	return &Error{Code: code, Message: fmt.Sprintf(format, args...)}
}

// Denied returns the error for what IAM denies, for which services have one name.
func Denied(cause error) *Error {
	return &Error{Code: "AccessDeniedException", Message: cause.Error(), Cause: cause}
}

// Constraint returns the error for a value that breaks a constraint of the service model: code is ValidationException
// or what the service has in its place, member the parameter's name, in lower camel case.
func Constraint(code string, value any, member, constraint string) *Error {
	return New(code, "1 validation error detected: Value '%v' at '%s' failed to satisfy constraint: %s", value, member, constraint)
}

func (e *Error) Error() string { return e.Code + ": " + e.Message }

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Cause }

// ErrorCode returns Code.
func (e *Error) ErrorCode() string { return e.Code }

// ErrorMessage returns Message.
func (e *Error) ErrorMessage() string { return e.Message }

// ErrorFault says that the caller is at fault.
func (e *Error) ErrorFault() smithy.ErrorFault { return smithy.FaultClient }
