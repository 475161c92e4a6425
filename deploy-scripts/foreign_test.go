package deployscripts_test

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"
)

// TestForeignContainers has containers without our labels under each of our names: made by hand, or left by other scripts. They
// make way, and are neither removed nor in the way of any later release.
func TestForeignContainers(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, taken string
		args        string // of docker run
		later       bool   // not before the first release
		running     bool   // afterwards: only what holds the port is stopped
	}{
		{"serving", "8080", "", false, true},
		{"retired", "retired", "", false, true},
		{"retired, later", "retired", "", true, true},
		{"edge that holds the port", "edge", "--restart always --publish EDGE:8080", false, false},
		{"next edge", "edge-next", "", true, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			h := newHost(t)
			one, two := h.mustBuild(1, app(t, "one", "")), h.mustBuild(2, app(t, "two", ""))
			if tt.later {
				h.mustDeploy(two)
			}
			image := h.registry + "/team/app:" + commitID(1) + "-" + runtime.GOARCH // as built: nothing is pulled
			id := docker(t, "run --detach --env PORT=8080 --name "+h.app+"-"+tt.taken+" "+strings.ReplaceAll(tt.args, "EDGE", h.edge)+" "+image)
			output, err := h.deploy(one)
			if want := "the container " + h.app + "-" + tt.taken + " has no label"; err != nil || !strings.Contains(output, want) {
				t.Errorf("deploy: %v, want %q in its output:\n%s", err, want, output)
			}
			if output, err := h.deploy(two); err != nil || strings.Contains(output, "warning") {
				t.Errorf("the next deploy: %v, want no warning:\n%s", err, output)
			}
			h.wantAnswer(t, "two")
			state := docker(t, "container inspect --format {{.Name}},{{.State.Running}} "+id)
			if want := "/" + h.app + "-" + tt.taken; !strings.HasPrefix(state, want) || !strings.Contains(state, "-set-aside-") || strings.HasSuffix(state, ",true") != tt.running {
				t.Errorf("the foreign container is %s, want it set aside, running: %v", state, tt.running)
			}
		})
	}
}

// TestForeignEdgeGoes has a foreign container under the edge's name and on its port that Docker removes once it is stopped.
func TestForeignEdgeGoes(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	one := h.mustBuild(1, app(t, "one", ""))
	docker(t, "run --detach --rm --env PORT=8080 --name "+h.app+"-edge --publish "+h.edge+":8080 "+h.registry+"/team/app:"+commitID(1)+"-"+runtime.GOARCH)
	h.mustDeploy(one)
	h.wantAnswer(t, "one")
}

// TestPausedEdge has an edge that somebody has paused: it answers nobody until it goes on.
func TestPausedEdge(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	h.mustDeploy(h.mustBuild(1, app(t, "one", "")))
	docker(t, "pause "+h.app+"-edge")
	h.mustDeploy(h.mustBuild(2, app(t, "two", "")))
	h.wantAnswer(t, "two")
}

// TestKilledIsTold has an old release that does not end when it is asked to.
func TestKilledIsTold(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	h.mustDeploy(h.mustBuild(1, app(t, "one", "ignores-term")))
	bundle := h.mustBuild(2, app(t, "two", ""))
	edit(t, filepath.Join(bundle, "settings.env"), `STOP_SECONDS=\d+`, "STOP_SECONDS=2")
	want := "warning: the container of commit " + commitID(1) + " had not ended 2 s after SIGTERM and was killed"
	if output, err := h.deploy(bundle); err != nil || !strings.Contains(output, want) {
		t.Errorf("deploy: %v, want %q:\n%s", err, want, output)
	}
	if output, err := h.deploy(bundle); err != nil || strings.Contains(output, "warning") {
		t.Errorf("deploy of one that ends in time: %v, want no warning:\n%s", err, output)
	}
}

// TestContainerBeingStartedAgain has a serving container without an address when a hook first looks, as while Docker starts it
// again.
func TestContainerBeingStartedAgain(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	h.wrapDocker(`if [[ "$*" == *'.IPAddress}}:'* && ! -e "${BASH_SOURCE[0]%/*}/looked" ]]; then
  >"${BASH_SOURCE[0]%/*}/looked"
  echo :8080
  exit
fi`)
	one := h.mustBuild(1, app(t, "one", ""))
	h.mustDeploy(one) // start.sh has looked first
	if err := os.Remove(filepath.Join(h.home, "looked")); err != nil {
		t.Fatal(err)
	}
	if output, err := h.run(h.hook(one, "hooks/validate.sh")); err != nil {
		t.Errorf("validate.sh: %v\n%s", err, output)
	}
	if _, err := os.Stat(filepath.Join(h.home, "looked")); err != nil {
		t.Error("validate.sh has not looked for the address")
	}
}

// TestDeathIsTold has a container that ends after its release has succeeded.
func TestDeathIsTold(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	one, two := h.mustBuild(1, app(t, "one", "dies")), h.mustBuild(2, app(t, "two", ""))
	h.mustDeploy(one)
	restarted := func() bool {
		answerAt(h.edge + "/die")
		return docker(t, "container inspect --format {{.RestartCount}} "+h.app+"-8080") != "0"
	}
	if !await(20*time.Second, restarted) {
		t.Fatal("the container does not end")
	}
	want := "the container of commit " + commitID(1) + " has ended "
	if output, err := h.run(h.hook(one, "hooks/validate.sh")); err == nil || !strings.Contains(lastLine(output), want) {
		t.Errorf("validate.sh: %v, want %q as the last line:\n%s", err, want, output)
	}
	if output, err := h.deploy(two); err != nil || !strings.Contains(output, "warning: "+want) {
		t.Errorf("the next release: %v, want a warning with %q:\n%s", err, want, output)
	}
}
