package deployscripts_test

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// moment is a docker command of a hook: the nth that begins with these words.
type moment struct {
	nth   int
	words string // APP stands for this host's name prefix
}

// Ways to interrupt a hook at a moment.
const (
	term   = "TERM"   // SIGTERM, as the agent sends it at the hook's timeout
	unread = "UNREAD" // the same, and nobody reads the hook's output any more
	done   = "DONE"   // SIGTERM after Docker has run the command
	kill   = "KILL"   // SIGKILL
	away   = "AWAY"   // Docker does not answer this command and the next three
	broken = "BROKEN" // only this command fails
)

// interrupting interrupts the next hook that comes to a moment. Except for done, it signals before Docker gets the command.
const interrupting = `
here="${BASH_SOURCE[0]%/*}"
no_docker() {
  echo 'Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?' >&2
  exit 1
}
if [[ -s "$here/away" ]]; then
  away="$(<"$here/away")"
  printf '%s' "${away#x}" >"$here/away"
  no_docker
fi
[[ -e "$here/moment" ]] && read -r way nth words <"$here/moment"
if [[ -n "$way" && "$* " == "${words//APP/$APP_NAME} "* ]]; then
  if ((nth > 1)); then
    echo "$way $((nth - 1)) $words" >"$here/moment"
  else
    rm "$here/moment"
    read -r _ command _ parent group _ <"/proc/$PPID/stat"
    [[ "$command" != '(timeout)' ]] || read -r _ _ _ _ group _ <"/proc/$parent/stat"
    case "$way" in
      TERM | UNREAD) kill -TERM -- "-$group" ;;
      DONE) "$real" "$@" && kill -TERM -- "-$group"; exit ;;
      KILL) kill -KILL -- "-$group" ;;
      AWAY) printf xxx >"$here/away"; no_docker ;;
      BROKEN) no_docker ;;
    esac
  fi
fi`

// cut runs a hook, interrupts it at a moment in one of the ways, and returns its output.
func (h *host) cut(bundle, location, way string, at moment, env ...string) string {
	h.t.Helper()
	h.wrapDocker(interrupting)
	write(h.t, filepath.Join(h.home, "moment"), fmt.Sprintln(way, at.nth, at.words))
	hook := h.hook(bundle, location, env...)
	var output string
	var err error
	if way == unread {
		reader, writer, pipeErr := os.Pipe()
		if pipeErr != nil {
			h.t.Fatal(pipeErr)
		}
		reader.Close()
		hook.Stdout, hook.Stderr = writer, writer
		err = hook.Run()
		writer.Close()
	} else {
		output, err = h.run(hook)
	}
	if _, statErr := os.Stat(filepath.Join(h.home, "moment")); statErr == nil {
		h.t.Fatalf("%s never comes to command %d that begins with %q: %v\n%s", location, at.nth, at.words, err, output)
	}
	if err == nil {
		output += "\nsucceeded"
	}
	return output
}

// visit sends one request after another, each on its own connection, until the returned function is called. That function
// fails the test if a request has failed.
func (h *host) visit() (leave func()) {
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 20 * time.Second}
	stop, failures := make(chan struct{}), make(chan []string)
	go func() {
		var failed []string
		for {
			select {
			case <-stop:
				failures <- failed
				return
			default:
			}
			response, err := client.Get("http://" + h.edge + "/")
			if err == nil && response.StatusCode != http.StatusOK {
				err = fmt.Errorf("status %s", response.Status)
			}
			if err != nil {
				failed = append(failed, err.Error())
			} else {
				response.Body.Close()
			}
			time.Sleep(10 * time.Millisecond)
		}
	}()
	return func() {
		h.t.Helper()
		close(stop)
		if failed := <-failures; failed != nil {
			h.t.Errorf("%d requests failed, the first: %s", len(failed), failed[0])
		}
	}
}

// containers lists the host's containers without the prefix, and a candidate without commit and time.
func (h *host) containers() string {
	names := strings.Fields(h.names())
	for i, name := range names {
		if strings.HasPrefix(name, commitID(2)[:12]) {
			names[i] = "candidate"
		}
	}
	slices.Sort(names)
	return strings.Join(names, " ")
}

// The containers of a host after an interrupted hook, or after prepare.sh has run.
const (
	old      = "8080 edge"         // the old release serves; nothing is left of the new one
	switched = "8080 edge retired" // the new release serves; the old one may still have requests
	both     = "8080 9090 edge"    // one for each port that the edge may pass requests to
)

// interruption is a moment at which a release is interrupted, and what must hold afterwards.
type interruption struct {
	moment
	serves   string // the release that answers, "old" or "new"
	left     string // the containers, if the hook could clean up itself
	repaired string // the containers after the next prepare.sh, if it could not
}

func TestReleaseCutShort(t *testing.T) {
	t.Parallel()
	tests := []struct {
		release string
		ways    []string
		moments []interruption
	}{
		{"commit", []string{term, kill}, []interruption{
			{moment{1, "container run"}, "old", old, old},
			{moment{1, "container port"}, "old", old, old}, // it waits for health
			{moment{2, "container ls"}, "old", old, old},   // it checks who has the serving name
			{moment{1, "container rename"}, "old", old, old},
			{moment{2, "container rename"}, "new", switched, old},
			{moment{1, "container stop"}, "new", switched, old},
		}},
		{"commit", []string{unread}, []interruption{
			{moment{1, "container rename"}, "old", old, old},
		}},
		{"commit", []string{done}, []interruption{
			{moment{1, "container rename"}, "old", old, old},
			{moment{2, "container rename"}, "new", switched, old},
		}},
		{"commit", []string{away}, []interruption{
			{moment{1, "container run"}, "old", old, old},
			{moment{1, "container port"}, "old", old, old},
			{moment{1, "container rename"}, "old", old, old},
			{moment{2, "container rename"}, "old", old, old},
			{moment{1, "container port APP-edge"}, "new", switched, old},
			{moment{1, "container stop"}, "new", switched, old},
		}},
		{"commit", []string{broken}, []interruption{
			{moment{1, "container update"}, "old", old, old},
			{moment{2, "container rename"}, "old", old, old},
		}},
		{"port", []string{term, kill}, []interruption{
			{moment{1, "container rename"}, "old", old, both},
			{moment{1, "exec"}, "new", both, both},
			{moment{2, "cp -"}, "new", both, both},
		}},
		{"edge", []string{term, kill}, []interruption{
			{moment{1, "container stop"}, "old", old, old},
			{moment{1, "container start"}, "old", old, old},
			{moment{1, "container rm"}, "old", old, old},
		}},
	}
	for _, tt := range tests {
		for _, way := range tt.ways {
			t.Run("another "+tt.release+" "+way, func(t *testing.T) {
				t.Parallel()
				c := newCutShort(t, tt.release, way)
				for _, i := range tt.moments {
					c.check(i)
				}
			})
		}
	}
}

// cutShort is a host whose releases are interrupted.
type cutShort struct {
	*host
	release, way string
	old, next    string   // bundles
	env          []string // of the next one's hooks
	edges        []string // addresses at which the edge may answer
}

// newCutShort releases an old commit, and builds one that differs in the way that release says.
func newCutShort(t *testing.T, release, way string) *cutShort {
	t.Helper()
	h := newHost(t)
	c := &cutShort{host: h, release: release, way: way, old: h.mustBuild(1, app(t, "old", "")), edges: []string{h.edge}}
	var buildEnv []string
	switch release {
	case "port":
		buildEnv = []string{"CONTAINER_PORT=9090"}
	case "edge":
		c.edges = append(c.edges, freeAddress(t))
		c.env = []string{"EDGE_PORT=" + c.edges[1]}
	}
	c.next = h.mustBuild(2, app(t, "new", ""), buildEnv...)
	h.mustDeploy(c.old)
	c.prepare("beforehand")
	return c
}

// prepare runs the next release's prepare.sh, which must repair everything.
func (c *cutShort) prepare(when string) {
	c.t.Helper()
	if out, err := c.run(c.hook(c.next, "hooks/prepare.sh", c.env...)); err != nil {
		c.t.Fatalf("prepare.sh %s: %v\n%s", when, err, out)
	}
	c.wantNothingLeft("prepare.sh " + when)
}

// check interrupts a release and checks the host, then whether the next prepare.sh repairs it.
func (c *cutShort) check(i interruption) {
	t := c.t
	t.Helper()
	at := fmt.Sprintf("%s at %s (%d)", c.way, i.words, i.nth)
	if c.release == "commit" { // others close connections: see edge.sh
		defer c.visit()()
	}
	output := c.cut(c.next, "hooks/start.sh", c.way, i.moment, c.env...)
	if c.way == kill {
		c.wantNoProcess(at)
	} else {
		c.wantNothingLeft(at)
		c.want(at, i.serves, i.left)
	}
	if c.way == term && !strings.Contains(lastLine(output), "SIGTERM") {
		t.Errorf("%s: last line %q, want the reason; all:\n%s", at, lastLine(output), output)
	}
	c.prepare("after " + at)
	repaired := i.repaired
	if c.way != kill && i.left == old {
		repaired = old
	}
	c.want("prepare.sh after "+at, i.serves, repaired)
	if i.serves != "old" || repaired != old || c.release == "edge" {
		c.mustDeploy(c.old)
		c.want("a release after "+at, "old", old)
		c.prepare("after another release")
	}
	if t.Failed() {
		t.Fatalf("%s:\n%s", at, output)
	}
}

// want checks that the right release answers, once the edge has looked its name up, and that the host has exactly these
// containers.
func (c *cutShort) want(when, serves, containers string) {
	c.t.Helper()
	var answers []string
	served := await(2*time.Second, func() bool {
		answers = nil
		for _, address := range c.edges {
			answers = append(answers, answerAt(address))
		}
		return slices.Contains(answers, serves)
	})
	if !served {
		c.t.Errorf("%s: the edge answers %q, want %q", when, answers, serves)
	}
	if got := c.containers(); got != containers {
		c.t.Errorf("%s: containers %q, want %q", when, got, containers)
	}
}
