// Package plugin stands in for session-manager-plugin, the end of a session on a person's machine, which the AWS CLI and
// others run by that name: its arguments, what it prints, and its exit code, which is 0 unless it is killed, are those of AWS's
// (github.com/aws/session-manager-plugin). It runs the session's command itself, see package sessionmanager.
package plugin

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"

	"golang.org/x/term"

	"cicd/rehearsal/aws/sessionmanager"
)

// Name is the plugin's name on PATH.
const Name = "session-manager-plugin"

// version is that of the plugin whose behavior this is.
const version = "1.2.650.0"

// responseVariable begins the first argument if that is the name of a variable that has the answer to StartSession.
const responseVariable = "AWS_SSM_START_SESSION_RESPONSE"

// Main runs the plugin with its arguments, and returns its exit code.
func Main(args []string, stdin, stdout, stderr *os.File) int {
	switch {
	case len(args) == 1 && args[0] == "--version":
		fmt.Fprintln(stdout, version)
		return 0
	case len(args) != 6:
		fmt.Fprintf(stdout, "\nUnknown operation %s. \nUse session-manager-plugin --version to check the version.\n\n", strings.Join(args, " "))
		return 0
	case args[2] != "StartSession":
		fmt.Fprint(stdout, "Invalid Operation")
		return 0
	}
	answer := args[0]
	if strings.HasPrefix(answer, responseVariable) {
		answer = os.Getenv(args[0])
		os.Unsetenv(args[0])
	}
	var started sessionmanager.StartSessionOutput
	if err := json.Unmarshal([]byte(answer), &started); err != nil {
		fmt.Fprintf(stdout, "Cannot perform start session: %v\n", err)
		return 0
	}
	fmt.Fprintf(stdout, "\nStarting session with SessionId: %s\n", started.SessionID)
	switch err := play(started, stdin, stdout, stderr); {
	case errors.Is(err, errKilled):
		return 1 // as AWS's plugin, which does not handle the signal, it says nothing
	case err != nil && !errors.Is(err, errTerminated):
		fmt.Fprintf(stdout, "Cannot perform start session: %v\n", err)
	default:
		fmt.Fprintf(stdout, "\n\nExiting session with sessionId: %s.\n\n", started.SessionID)
	}
	return 0
}

// play connects to a session and runs its command.
func play(started sessionmanager.StartSessionOutput, stdin, stdout, stderr *os.File) error {
	request, err := http.NewRequest(http.MethodGet, started.StreamURL, nil)
	if err != nil {
		return err
	}
	request.Header.Set("Authorization", started.TokenValue)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return errors.New(response.Status)
	}
	var command sessionmanager.Command
	channel := json.NewDecoder(response.Body)
	if err := channel.Decode(&command); err != nil {
		return err
	}
	terminated := make(chan struct{})
	go func() {
		io.Copy(io.Discard, response.Body)
		close(terminated)
	}()
	cmd := exec.Command(command.Words[0], command.Words[1:]...)
	cmd.Env, cmd.Dir = command.Environment, command.Folder
	if path, err := lookPath(command); err == nil {
		cmd.Path, cmd.Err = path, nil
	}
	if command.Terminal {
		return interactive(cmd, terminated, stdin, stdout, stderr)
	}
	return nonInteractive(cmd, terminated, command.ExitCode, stdin, stdout)
}

// lookPath finds a command on the host's PATH, not on this program's.
func lookPath(command sessionmanager.Command) (string, error) {
	for _, variable := range command.Environment {
		if path, ok := strings.CutPrefix(variable, "PATH="); ok {
			os.Setenv("PATH", path)
		}
	}
	return exec.LookPath(command.Words[0])
}

// interactive runs a command with this terminal. What is typed reaches the command, and ends nothing here.
//
// AWS's plugin takes any input and output, because the terminal is the host's. Here there is only this one.
func interactive(cmd *exec.Cmd, terminated <-chan struct{}, stdin, stdout, stderr *os.File) error {
	if !term.IsTerminal(int(stdin.Fd())) {
		return errors.New("a rehearsed host has no terminal of its own: use this one, or AWS-StartNonInteractiveCommand")
	}
	typed := make(chan os.Signal, 1)
	signal.Notify(typed, syscall.SIGINT, syscall.SIGQUIT, syscall.SIGTSTP)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = stdin, stdout, stderr
	return run(cmd, terminated, nil)
}

// nonInteractive runs a command that reads nothing. Both of its streams are shown on one (sessionutil_unix.go there). At
// the end of the plugin's own input, the plugin ends (shellsession_unix.go there, handleKeyboardInput).
func nonInteractive(cmd *exec.Cmd, terminated <-chan struct{}, exitCode bool, stdin, stdout *os.File) error {
	silent := make(chan struct{})
	go func() {
		io.Copy(io.Discard, stdin)
		close(silent)
	}()
	var all bytes.Buffer
	cmd.Stdout = &all
	if exitCode {
		cmd.Stdout = stdout
	}
	cmd.Stderr = cmd.Stdout
	if err := run(cmd, terminated, silent); err != nil {
		return err
	}
	stdout.Write(all.Bytes())
	if exitCode {
		fmt.Fprintf(stdout, "EXIT_CODE: %d", cmd.ProcessState.ExitCode())
	}
	return nil
}

var (
	// errTerminated means that the session was ended from elsewhere.
	errTerminated = errors.New("the session was terminated")
	// errKilled means that a signal ends this process.
	errKilled = errors.New("killed")
)

// run runs a command until it ends, however. It kills the command, and returns an error, if the session is terminated,
// this process is asked to end, or its input has ended.
func run(cmd *exec.Cmd, terminated, silent <-chan struct{}) error {
	asked := make(chan os.Signal, 1)
	signal.Notify(asked, syscall.SIGTERM, syscall.SIGHUP)
	if err := cmd.Start(); err != nil {
		return err
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	var exit *exec.ExitError
	var reason error
	select {
	case err := <-ended:
		if errors.As(err, &exit) {
			return nil
		}
		return err
	case <-terminated:
		reason = errTerminated
	case <-asked:
		reason = errKilled
	case <-silent:
		reason = io.EOF
	}
	cmd.Process.Kill()
	<-ended
	return reason
}
