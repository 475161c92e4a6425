package agent

import (
	"errors"

	"cicd/rehearsal/aws/codedeploy/appspec"
)

// Code is the reason why a lifecycle event failed, as the agent reports it (hook_executor.rb, ScriptError).
type Code int

// The agent's error codes. 0 is its "succeeded".
const (
	ScriptMissing Code = iota + 1
	ScriptNotExecutable
	ScriptTimedOut
	ScriptFailed
	UnknownError
	OutputsLeftOpen
	FailedAfterRestart
)

// String returns the CodeDeploy API's name for the code (Diagnostics.errorCode in the API reference). The API has
// none for OutputsLeftOpen and FailedAfterRestart.
func (c Code) String() string {
	switch c {
	case ScriptMissing:
		return "ScriptMissing"
	case ScriptNotExecutable:
		return "ScriptNotExecutable"
	case ScriptTimedOut:
		return "ScriptTimedOut"
	case ScriptFailed:
		return "ScriptFailed"
	}
	return "UnknownError"
}

// Failure is why a lifecycle event failed.
type Failure struct {
	Code Code
	// Script is the script's location as in the appspec, "" if no script was at fault.
	Script string
	// Message is the agent's own text.
	Message string
	// Log is the tail of the event's output, in whole lines.
	Log string
	// Hint is the rehearsal's own advice, which the agent would not give; "" if none.
	Hint string
}

func (f *Failure) Error() string {
	if f.Hint == "" {
		return f.Message
	}
	return f.Message + " (hint: " + f.Hint + ")"
}

// failure returns err as a Failure; any other error becomes an unknown error, as in command_poller.rb.
func failure(err error) *Failure {
	var f *Failure
	if errors.As(err, &f) {
		return f
	}
	var ruby *appspec.Error
	if errors.As(err, &ruby) {
		return &Failure{Code: UnknownError, Message: ruby.Message, Hint: ruby.Hint}
	}
	return &Failure{Code: UnknownError, Message: err.Error()}
}
