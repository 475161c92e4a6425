package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/term"

	"cicd/operations"
)

const (
	// pluginName is the program that is a session's end on this machine.
	pluginName = "session-manager-plugin"
	pluginPage = "https://docs.aws.amazon.com/systems-manager/latest/userguide/session-manager-working-with-install-plugin.html"
	// pluginLimit is how long the plugin may take to say its version.
	pluginLimit = 10 * time.Second
)

// oldestPlugin is the first version that takes a session's token from the environment (session-manager-plugin,
// RELEASENOTES.md). Earlier ones take it as an argument, which everybody on the machine can read.
var oldestPlugin = []int{1, 2, 536, 0}

// findPlugin returns the path of Session Manager's plugin.
func findPlugin(ctx context.Context) (string, error) {
	path, err := exec.LookPath(pluginName)
	if err != nil {
		return "", fmt.Errorf("%s is not on PATH\nTo do: install AWS's plugin for Session Manager: %s", pluginName, pluginPage)
	}
	ctx, cancel := context.WithTimeout(ctx, pluginLimit)
	defer cancel()
	out, err := exec.CommandContext(ctx, path, "--version").Output()
	if err != nil {
		return "", fmt.Errorf("%s --version: %w", path, err)
	}
	said := strings.TrimSpace(string(out))
	version, err := numbers(said)
	if err != nil || slices.Compare(version, oldestPlugin) < 0 {
		return "", fmt.Errorf("%s is version %q, and exec needs 1.2.536.0 or newer\nTo do: update AWS's plugin for Session Manager: %s", path, said, pluginPage)
	}
	return path, nil
}

// numbers reads a version, such as 1.2.650.0.
func numbers(version string) ([]int, error) {
	var list []int
	for part := range strings.SplitSeq(version, ".") {
		n, err := strconv.Atoi(part)
		if err != nil {
			return nil, err
		}
		list = append(list, n)
	}
	return list, nil
}

// startPlugin connects a session to streams.
func startPlugin(plugin string, session *operations.Session, stdin *os.File, stdout, stderr io.Writer) (*exec.Cmd, error) {
	arguments, variable, err := session.PluginArguments()
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(plugin, arguments...)
	cmd.Env = append(os.Environ(), variable)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = stdin, stdout, stderr
	return cmd, cmd.Start()
}

// attach gives a session the terminal until it ends. What is typed belongs to the command in the container: the plugin
// passes Ctrl-C, Ctrl-\ and Ctrl-Z on to it, and they end nothing here. The terminal is as before afterwards.
func (t *tty) attach(plugin string, session *operations.Session) error {
	typed := make(chan os.Signal, 1)
	signal.Notify(typed, syscall.SIGINT, syscall.SIGQUIT, syscall.SIGTSTP)
	defer signal.Stop(typed)
	asked := make(chan os.Signal, 1)
	signal.Notify(asked, syscall.SIGTERM, syscall.SIGHUP)
	defer signal.Stop(asked)
	before, err := term.GetState(int(t.stdin.Fd()))
	if err != nil {
		return fmt.Errorf("terminal: %w", err)
	}
	defer term.Restore(int(t.stdin.Fd()), before)
	cmd, err := startPlugin(plugin, session, t.stdin, t.stdout, t.stderr)
	if err != nil {
		return fmt.Errorf("%s: %w", pluginName, err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	select {
	case err = <-ended:
		if err != nil {
			return fmt.Errorf("%s: %w", pluginName, err)
		}
		return nil
	case s := <-asked:
		_ = cmd.Process.Signal(syscall.SIGTERM) // it may have ended
		<-ended
		return fmt.Errorf("the session was ended: %v", s)
	}
}

// capture runs a session without a terminal, prints what its command prints, and returns its exit code.
func (c cli) capture(ctx context.Context, plugin string, session *operations.Session) (int, error) {
	// At the end of its input, the plugin ends, too, whatever the command does (aws/amazon-ssm-agent issue 354).
	silence, open, err := os.Pipe()
	if err != nil {
		return 0, err
	}
	defer silence.Close()
	defer open.Close()
	said := newSaid(session.ID, c.stdout)
	cmd, err := startPlugin(plugin, session, silence, said, c.stderr)
	if err != nil {
		return 0, fmt.Errorf("%s: %w", pluginName, err)
	}
	stop := context.AfterFunc(ctx, func() { _ = cmd.Process.Signal(syscall.SIGTERM) }) // it may have ended
	defer stop()
	ended := cmd.Wait()
	if ctx.Err() != nil {
		return 0, fmt.Errorf("the command was interrupted: %w", ctx.Err())
	}
	code, err := said.exitCode()
	if err != nil {
		return 0, errors.Join(err, ended)
	}
	return code, nil
}
