package github

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// checkout is a working copy whose commits the tests push.
type checkout struct {
	t   *testing.T
	dir string
}

func newCheckout(t *testing.T) checkout {
	t.Helper()
	c := checkout{t, t.TempDir()}
	c.git("init", "--quiet", "--initial-branch=work")
	return c
}

// git runs git in the checkout, ignoring this machine's settings, and returns all its output.
func (c checkout) git(args ...string) string {
	c.t.Helper()
	cmd := exec.Command("git", args...)
	cmd.Dir, cmd.Env = c.dir, ownEnvironment()
	out, err := cmd.CombinedOutput()
	if err != nil {
		c.t.Fatalf("git %v: %v\n%s", args, err, out)
	}
	return strings.TrimSpace(string(out))
}

func (c checkout) commit(message string, files map[string]string) string {
	c.t.Helper()
	for name, content := range files {
		path := filepath.Join(c.dir, filepath.FromSlash(name))
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(content), 0o644)); err != nil {
			c.t.Fatal(err)
		}
	}
	c.git("add", "--all")
	c.git("commit", "--quiet", "--message", message)
	return c.git("rev-parse", "HEAD")
}

func newRepository(t *testing.T, onPush func(Push) string) *Repository {
	t.Helper()
	r, err := Create(context.Background(), t.TempDir(), "example/webapp", "main", onPush)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.Close)
	return r
}

// all returns the pushes received so far. A push has been received when git push returns.
func all(received chan Push) []Push {
	var pushes []Push
	for len(received) > 0 {
		pushes = append(pushes, <-received)
	}
	return pushes
}

func TestPushesBecomeEventsInOrder(t *testing.T) {
	pushes := make(chan Push, 8)
	r := newRepository(t, func(p Push) string { pushes <- p; return "execution started" })
	c := newCheckout(t)
	first := c.commit("first", map[string]string{"a.txt": "1", "web/b.txt": "1"})
	said := c.git("push", r.Dir, "HEAD:refs/heads/main")
	second := c.commit("second", map[string]string{"web/ü b.txt": "2"})
	c.git("push", "--quiet", r.Dir, "HEAD:refs/heads/main", "HEAD:refs/tags/v1")
	c.git("push", "--quiet", r.Dir, "HEAD:refs/heads/feature")
	c.git("push", "--quiet", r.Dir, ":refs/heads/feature") // a deletion starts nothing

	want := []Push{{"main", "", first}, {"main", first, second}, {"feature", "", second}}
	got := all(pushes)
	if !slices.Equal(got, want) {
		t.Fatalf("pushes = %v, want %v", got, want)
	}
	if !strings.Contains(said, "remote: execution started") {
		t.Errorf("the pusher read %q, want the answer of the listener in it", said)
	}
	for i, wantFiles := range [][]string{{"a.txt", "web/b.txt"}, {"web/ü b.txt"}} {
		files, err := r.ChangedFiles(t.Context(), got[i])
		if err != nil || !slices.Equal(files, wantFiles) {
			t.Errorf("ChangedFiles(push %d) = %q, %v, want %q", i, files, err, wantFiles)
		}
	}
}

// TestHookThatHangs has one connection that sends nothing, and one that sends half its message.
func TestHookThatHangs(t *testing.T) {
	pushes := make(chan Push, 8)
	r := newRepository(t, func(p Push) string { pushes <- p; return "" })
	for _, text := range []string{"", "a b refs/heads/main\n"} {
		conn, err := net.Dial("tcp", r.hook.listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		if _, err := io.WriteString(conn, text); err != nil {
			t.Fatal(err)
		}
	}
	c := newCheckout(t)
	c.commit("first", map[string]string{"a.txt": "1"})
	ctx, cancel := context.WithTimeout(t.Context(), hookLimit/2)
	defer cancel()
	if _, err := r.Push(ctx, c.dir, "HEAD", "main"); err != nil || len(pushes) != 1 {
		t.Errorf("the push beside them: %v, received %d, want one", err, len(pushes))
	}
}

// TestFileLimit pushes a file of the size that GitHub still takes, and a larger one.
func TestFileLimit(t *testing.T) {
	received := make(chan Push, 8)
	r := newRepository(t, func(p Push) string { received <- p; return "" })
	c := newCheckout(t)
	c.git("config", "core.compression", "1")
	c.commit("small", map[string]string{"a.txt": "1"})
	for size, wantErr := range map[int64]string{
		fileLimit:             "",
		fileLimit + 5*1048576: "File web/a big.bin is 105.00 MB; this exceeds GitHub's file size limit of 100.00 MB",
	} {
		c.commit("large", map[string]string{"web/a big.bin": ""})
		if err := os.Truncate(filepath.Join(c.dir, "web/a big.bin"), size); err != nil {
			t.Fatal(err)
		}
		c.git("commit", "--quiet", "--amend", "--all", "--message", "large")
		_, err := r.Push(t.Context(), c.dir, "HEAD", fmt.Sprint("b", size))
		if (err == nil) != (wantErr == "") || err != nil && !(strings.Contains(err.Error(), wantErr) && strings.Contains(err.Error(), "pre-receive hook declined")) {
			t.Errorf("a file of %d bytes: %v, want %q", size, err, wantErr)
		}
		if got := len(all(received)); (got == 1) != (wantErr == "") {
			t.Errorf("a file of %d bytes: %d pushes received", size, got)
		}
		c.git("reset", "--quiet", "--hard", "HEAD~1")
	}
}

func TestPushAfterTheEndSaysSo(t *testing.T) {
	r := newRepository(t, func(Push) string { return "" })
	r.Close()
	c := newCheckout(t)
	c.commit("late", map[string]string{"a.txt": "1"})
	if said := c.git("push", r.Dir, "HEAD:refs/heads/main"); !strings.Contains(said, "has ended") {
		t.Errorf("the pusher read %q, want a word about the ended rehearsal", said)
	}
}

func TestHead(t *testing.T) {
	r := newRepository(t, func(Push) string { return "" })
	if _, err := r.Head(t.Context(), "main"); !errors.Is(err, ErrNoCommit) {
		t.Errorf("Head of an empty repository: %v, want ErrNoCommit", err)
	}
	c := newCheckout(t)
	id := c.commit("subject $(touch /tmp/x)\n\nbody", map[string]string{"web/run.sh": "#!/bin/sh\n"})
	c.git("push", "--quiet", r.Dir, "HEAD:refs/heads/main")
	head, err := r.Head(t.Context(), "main")
	if err != nil || head.ID != id || head.Message != "subject $(touch /tmp/x)\n\nbody" || head.AuthorDate == "" {
		t.Fatalf("Head = %+v, %v, want commit %s with its message and date", head, err, id)
	}
}
