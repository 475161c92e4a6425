package github

import (
	"bufio"
	"fmt"
	"net"
	"strings"
	"sync"
	"time"
)

// hookLimit is how long a hook may take to pass on what Git gave it, which it normally does at once.
const hookLimit = 10 * time.Second

// hookListener receives the post-receive hook's reports over a loopback connection, which bash opens itself.
type hookListener struct {
	listener net.Listener
	turn     sync.Mutex // for onPush
	onPush   func(Push) string
	done     sync.WaitGroup
}

func listenForHook(onPush func(Push) string) (*hookListener, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("listening for pushes: %w", err)
	}
	h := &hookListener{listener: l, onPush: onPush}
	h.done.Go(h.serve)
	return h, nil
}

func (h *hookListener) close() {
	h.listener.Close()
	h.done.Wait()
}

// script is the post-receive hook. Git gives it a line "<old> <new> <ref>" for each ref that the push moved; it
// passes them on, ends with an empty line, and shows the response to whoever pushed.
func (h *hookListener) script() []byte {
	return fmt.Appendf(nil, `#!/bin/bash
if ! exec 3<>/dev/tcp/127.0.0.1/%d; then
  echo "This repository's rehearsal has ended: nothing will be released."
  exit 0
fi 2>/dev/null
{ cat; echo; } >&3
cat <&3
`, h.listener.Addr().(*net.TCPAddr).Port)
}

// fileLimit is the size of a file above which GitHub refuses a push (GitHub Docs, "About large files on GitHub":
// "GitHub blocks files larger than 100 MiB").
const fileLimit = 100 << 20

// limitScript is the pre-receive hook, with GitHub's own words for a file that is too large.
var limitScript = fmt.Appendf(nil, `#!/bin/bash
while read -r _ new _; do
  [[ "$new" =~ ^0+$ ]] || git rev-list --objects "$new" --not --all
done | git cat-file --batch-check='%%(objecttype) %%(objectsize) %%(rest)' | {
  status=0
  while read -r type size file; do
    [[ "$type" == blob ]] && ((size > %[1]d)) || continue
    status=1
    printf 'error: File %%s is %%d.%%02d MB; this exceeds GitHub'\''s file size limit of 100.00 MB\n' "$file" $((size >> 20)) $((size %% 1048576 * 100 >> 20))
  done
  ((status == 0)) || echo 'error: GH001: Large files detected. You may want to try Git Large File Storage - https://git-lfs.github.com.'
  exit "$status"
}
`, fileLimit)

// serve handles each hook in its own goroutine, so that one that hangs blocks no other. Events still keep the order
// of the pushes: git push returns once its hook has been answered.
func (h *hookListener) serve() {
	for {
		conn, err := h.listener.Accept()
		if err != nil {
			return // closed
		}
		h.done.Go(func() { h.answer(conn) })
	}
}

func (h *hookListener) answer(conn net.Conn) {
	defer conn.Close()
	conn.SetReadDeadline(time.Now().Add(hookLimit))
	var pushes []Push
	lines := bufio.NewScanner(conn)
	for lines.Scan() && lines.Text() != "" {
		if p, ok := parsePush(lines.Text()); ok {
			pushes = append(pushes, p)
		}
	}
	if lines.Err() != nil {
		return // the hook hangs or was killed
	}
	h.turn.Lock()
	defer h.turn.Unlock()
	for _, p := range pushes {
		if answer := h.onPush(p); answer != "" {
			fmt.Fprintln(conn, answer)
		}
	}
}

// parsePush parses a line of the hook's input. Tags and deleted branches are not pushes to a branch.
func parsePush(line string) (Push, bool) {
	fields := strings.SplitN(line, " ", 3)
	if len(fields) != 3 || fields[1] == noCommit {
		return Push{}, false
	}
	branch, ok := strings.CutPrefix(fields[2], "refs/heads/")
	p := Push{Branch: branch, Before: fields[0], After: fields[1]}
	if p.Before == noCommit {
		p.Before = ""
	}
	return p, ok
}
