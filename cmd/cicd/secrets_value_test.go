package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
	"golang.org/x/term"
)

// TestRefusedSecret: AWS's answer quotes the value, and the command does not repeat it.
func TestRefusedSecret(t *testing.T) {
	secretProject(t)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		w.WriteHeader(http.StatusBadRequest)
		fmt.Fprintf(w, `{"__type":"ValidationException","message":%q}`, body)
	}))
	t.Cleanup(server.Close)
	t.Setenv("AWS_ENDPOINT_URL", server.URL)
	code, stdout, stderr := runSecrets(t, "canary", "set", "API_KEY")
	if code != exitFailure || strings.Contains(stdout+stderr, "canary") || !strings.HasPrefix(stderr, "cicd: secret API_KEY: ValidationException\n") {
		t.Errorf("exit code %d, %s%s", code, stdout, stderr)
	}
}

// terminal makes a terminal: what is written to keyboard is typed, and stdin is what a program reads.
func terminal(t *testing.T) (keyboard, stdin *os.File) {
	t.Helper()
	keyboard, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	number, err := unix.IoctlGetInt(int(keyboard.Fd()), unix.TIOCGPTN)
	if err == nil {
		err = unix.IoctlSetPointerInt(int(keyboard.Fd()), unix.TIOCSPTLCK, 0)
	}
	if err == nil {
		stdin, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|unix.O_NOCTTY, 0)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { keyboard.Close(); stdin.Close() })
	return keyboard, stdin
}

// typist types as soon as it is asked something.
type typist struct {
	bytes.Buffer
	keyboard io.Writer
	types    string
	asked    func()
}

func (p *typist) Write(b []byte) (int, error) {
	if bytes.Contains(b, []byte("Value of")) {
		fmt.Fprint(p.keyboard, p.types)
		if p.asked != nil {
			p.asked()
		}
	}
	return p.Buffer.Write(b)
}

// TestTypedSecret: the terminal does not show what is typed at the prompt, gives nothing of it to the shell, and is
// as before afterwards.
func TestTypedSecret(t *testing.T) {
	tests := []struct{ name, types, value, stderr string }{
		{"one line", "canary 1\r", "canary 1", "next release"},
		{"corrected", "canarx\x7fy\r", "canary", "next release"},
		{"nothing", "\r", "", "API_KEY is unchanged: the value is empty"},
		{"end of input", "\x04", "", "API_KEY is unchanged: you ended the input"},
		{"several lines", "canary 1\rcanary 2\rcanary 3", "", "several lines were pasted"},
		{"too long a line", "canary" + strings.Repeat("x", 5000) + "\r", "", "a terminal may drop some"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, store := secretProject(t)
			keyboard, stdin := terminal(t)
			before, err := term.GetState(int(stdin.Fd()))
			if err != nil {
				t.Fatal(err)
			}
			var stdout bytes.Buffer
			stderr := &typist{keyboard: keyboard, types: tt.types}
			c := cli{program: always(good), check: anything, stdin: stdin, interactive: true, stdout: &stdout, stderr: stderr}
			code := c.run(t.Context(), []string{"secrets", "set", "API_KEY"})
			if p, _ := store.Lookup("/cicd/dev/API_KEY"); p.Value != tt.value || (code == exitOK) != (tt.value != "") {
				t.Errorf("exit code %d, stored %q, want %q", code, p.Value, tt.value)
			}
			if !strings.Contains(stderr.String(), tt.stderr) || strings.Contains(stdout.String()+stderr.String(), "canary") {
				t.Errorf("said %s%s, want %q without the value", &stdout, stderr.String(), tt.stderr)
			}
			after, err := term.GetState(int(stdin.Fd()))
			if err != nil || fmt.Sprint(after) != fmt.Sprint(before) {
				t.Errorf("the terminal is %v, %v, want %v as before", after, err, before)
			}
			// What is left for the shell comes before this, and what was shown is there to read.
			fmt.Fprint(keyboard, "exit\r")
			line := make([]byte, 4096)
			if n, err := stdin.Read(line); err != nil || string(line[:n]) != "exit\n" {
				t.Errorf("the shell reads %q, %v, want nothing of the value", line[:n], err)
			}
			if n, err := keyboard.Read(line); err != nil || strings.Contains(string(line[:n]), "canary") {
				t.Errorf("the terminal shows %q, %v", line[:n], err)
			}
		})
	}
}

// TestInterruptedPrompt: Ctrl-C at the prompt gives the terminal back as it was.
func TestInterruptedPrompt(t *testing.T) {
	secretProject(t)
	keyboard, stdin := terminal(t)
	before, err := term.GetState(int(stdin.Fd()))
	if err != nil {
		t.Fatal(err)
	}
	ctx, interrupt := context.WithCancel(t.Context())
	c := cli{program: always(good), check: anything, stdin: stdin, interactive: true, stdout: io.Discard, stderr: &typist{keyboard: keyboard, types: "cana", asked: interrupt}}
	if code := c.run(ctx, []string{"secrets", "set", "API_KEY"}); code != exitInterrupted {
		t.Errorf("exit code %d, want %d", code, exitInterrupted)
	}
	if after, err := term.GetState(int(stdin.Fd())); err != nil || fmt.Sprint(after) != fmt.Sprint(before) {
		t.Errorf("the terminal is %v, %v, want %v as before", after, err, before)
	}
	fmt.Fprint(keyboard, "\r") // ends the read that goes on
}
