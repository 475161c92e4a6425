package agent

import (
	"errors"
)

// Code is the reason for a failed lifecycle event, as the agent reports it (hook_executor.rb, ScriptError).
type Code int

// The agent's error codes. 0 is its "succeeded".
const (
	ScriptMissing Code = iota + 1
	ScriptNotExecutable
	ScriptTimedOut
	ScriptFailed
	UnknownError
	OutputsLeftOpen
)

// String returns the name that the CodeDeploy API has for the code (Diagnostics.errorCode in the API reference).
// The API has none for OutputsLeftOpen.
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
	// Script is the location of the script as the appspec has it, "" when no script was at fault.
	Script string
	// Message is the agent's own text.
	Message string
	// Log is the tail of the event's output: whole lines, less than 2,048 characters.
	Log string
	// Hint is the rehearsal's advice, which the agent would not give; "" when it has none.
	Hint string
}

func (f *Failure) Error() string {
	if f.Hint == "" {
		return f.Message
	}
	return f.Message + " (hint: " + f.Hint + ")"
}

// failure returns err as a Failure: what is none yet becomes an unknown error, as in command_poller.rb.
func failure(err error) *Failure {
	var f *Failure
	if errors.As(err, &f) {
		return f
	}
	return &Failure{Code: UnknownError, Message: err.Error()}
}
