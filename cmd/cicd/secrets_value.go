package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/sys/unix"
	"golang.org/x/term"

	"cicd/operations"
)

const (
	// longestLine is the longest line that a terminal surely passes on, in bytes. It drops the rest of a longer one
	// without a word: after MAX_CANON bytes, which are 1024 on macOS and 4096 on Linux (termios(4), termios(3)).
	longestLine = 1022
	// pasteGap is how long a terminal may pause within what is pasted, in milliseconds.
	pasteGap = 100

	useFile = "put the value in a file, and add < file"
)

// secretValue reads a value from the person at the terminal, or else all of standard input.
func (c cli) secretValue(ctx context.Context, prompt string) (string, error) {
	if !c.interactive {
		value, err := await(ctx, func() ([]byte, error) {
			enough := int64(len("\r\n") + 1) // to tell that the value is too long
			return io.ReadAll(io.LimitReader(c.stdin, operations.MaxValue+enough))
		})
		if err != nil {
			return "", fmt.Errorf("standard input: %w", err)
		}
		if line, cut := bytes.CutSuffix(value, []byte("\n")); cut {
			value, _ = bytes.CutSuffix(line, []byte("\r"))
		}
		return string(value), nil
	}
	terminal, ok := c.stdin.(*os.File)
	if !ok {
		return "", errors.New("standard input is no terminal")
	}
	return c.hiddenLine(ctx, terminal, prompt)
}

// hiddenLine asks for a line that the terminal does not show. It hides input before it asks, because
// [term.ReadPassword] would begin too late for somebody who answers at once, and never learns of Ctrl-D. It shows
// input again when all of a paste has come, because what is left goes to the shell.
func (c cli) hiddenLine(ctx context.Context, terminal *os.File, prompt string) (string, error) {
	before, err := term.GetState(int(terminal.Fd()))
	if err == nil {
		err = hideInput(int(terminal.Fd()))
	}
	if err != nil {
		return "", fmt.Errorf("terminal: %w", err)
	}
	defer fmt.Fprintln(c.stderr)
	defer term.Restore(int(terminal.Fd()), before)
	fmt.Fprint(c.stderr, prompt)
	line, err := await(ctx, func() (string, error) { return bufio.NewReader(terminal).ReadString('\n') })
	switch {
	case errors.Is(err, io.EOF):
		return "", errors.New("you ended the input")
	case err != nil:
		return "", err
	case discard(int(terminal.Fd())):
		return "", errors.New("several lines were pasted, and a terminal passes on one: " + useFile)
	case len(line)-1 > longestLine:
		return "", fmt.Errorf("it has more than %d bytes, of which a terminal may drop some: %s", longestLine, useFile)
	}
	return strings.TrimSuffix(line, "\n"), nil
}

// hideInput makes a terminal pass on whole lines, and not show them.
func hideInput(terminal int) error {
	mode, err := unix.IoctlGetTermios(terminal, getTermios)
	if err != nil {
		return err
	}
	mode.Lflag &^= unix.ECHO
	mode.Lflag |= unix.ICANON | unix.ISIG
	mode.Iflag |= unix.ICRNL
	return unix.IoctlSetTermios(terminal, setTermios, mode)
}

// discard reads what comes from a terminal until nothing has come for a while, and reports whether anything has. It
// leaves the terminal in raw mode, in which unfinished lines can be read as well.
func discard(terminal int) (found bool) {
	if _, err := term.MakeRaw(terminal); err != nil {
		return false
	}
	rest := make([]byte, 4096)
	for {
		n, err := unix.Poll([]unix.PollFd{{Fd: int32(terminal), Events: unix.POLLIN}}, pasteGap)
		if errors.Is(err, unix.EINTR) {
			continue
		}
		if err != nil || n == 0 {
			return found
		}
		if n, err := unix.Read(terminal, rest); err != nil || n == 0 {
			return found
		}
		found = true
	}
}

// await returns what read returns, or an error once ctx is done: a read from a terminal or a pipe cannot be canceled.
func await[T any](ctx context.Context, read func() (T, error)) (T, error) {
	type answer struct {
		value T
		err   error
	}
	answers := make(chan answer, 1)
	go func() {
		value, err := read()
		answers <- answer{value, err}
	}()
	select {
	case a := <-answers:
		return a.value, a.err
	case <-ctx.Done():
		var none T
		return none, ctx.Err()
	}
}
