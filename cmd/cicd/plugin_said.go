package main

import (
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// exitStatus is the exit code of a command in a container, which becomes that of this program. It is an error about which
// nothing is left to say.
type exitStatus int

func (s exitStatus) Error() string { return fmt.Sprintf("the command ended with exit code %d", int(s)) }

// said passes on what Session Manager's plugin prints of a command without a terminal, but for the plugin's own greeting,
// the exit code, and the farewell (session-manager-plugin, src/sessionmanagerplugin/session/session.go and
// src/datachannel/streaming.go; amazon-ssm-agent, agent/session/shell/shell.go, sendExitCode). It holds back nothing but
// what may be the end.
type said struct {
	to                 io.Writer
	greeting, farewell string
	held               string
}

// exitMark comes before the exit code.
const exitMark = "EXIT_CODE: "

func newSaid(session string, to io.Writer) *said {
	return &said{to: to, greeting: "\nStarting session with SessionId: " + session + "\n", farewell: "\n\nExiting session with sessionId: " + session + ".\n\n"}
}

func (s *said) Write(p []byte) (int, error) {
	s.held += string(p)
	if s.greeting != "" {
		if len(s.held) < len(s.greeting) && strings.HasPrefix(s.greeting, s.held) {
			return len(p), nil
		}
		s.held = strings.TrimPrefix(s.held, s.greeting)
		s.greeting = ""
	}
	end := 0
	for end < len(s.held) && !s.mayEnd(s.held[end:]) {
		end++
	}
	_, err := io.WriteString(s.to, s.held[:end])
	s.held = s.held[end:]
	return len(p), err
}

// mayEnd reports whether text can be the beginning of the last that the plugin prints.
func (s *said) mayEnd(text string) bool {
	mark := exitMark[:min(len(exitMark), len(text))]
	rest, ok := strings.CutPrefix(text, mark)
	return ok && strings.HasPrefix(s.farewell, strings.TrimLeft(rest, "-0123456789"))
}

// exitCode returns the command's exit code, once the plugin has ended.
func (s *said) exitCode() (int, error) {
	text, ended := strings.CutSuffix(s.held, s.farewell)
	code, err := strconv.Atoi(strings.TrimPrefix(text, exitMark))
	if !ended || err != nil {
		io.WriteString(s.to, s.held)
		return 0, errors.New("the session ended without the command's exit code, see what it printed\n" +
			"To do: if it printed what you want, update AWS's plugin for Session Manager, and the SSM agent on the host")
	}
	return code, nil
}
